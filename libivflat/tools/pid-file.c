/* SPDX-License-Identifier: BSD-3-Clause */
#include "pid-file.h"

#include <glib/gstdio.h>
#include <unistd.h>

static char *text_of_us(void)
{
    return g_strdup_printf("%d\n", (int)getpid());
}

gboolean pid_file_write(const char *path, GError **error)
{
    char *text = text_of_us();
    gboolean good = g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_CONSISTENT, 0644, error);

    g_free(text);
    return good;
}

void pid_file_remove(const char *path)
{
    char *text = text_of_us();
    char *there = NULL;

    if (g_file_get_contents(path, &there, NULL, NULL) && g_str_equal(there, text)) {
        g_unlink(path);
    }
    g_free(there);
    g_free(text);
}
