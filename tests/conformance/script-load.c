/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"

#include <string.h>

static char **words_of(char *line)
{
    g_strstrip(line);
    return line[0] == '\0' || line[0] == '#' ? NULL : g_strsplit(line, " ", -1);
}

struct script *script_load(const char *path)
{
    struct script *script = g_new0(struct script, 1);
    char *base = g_path_get_basename(path);
    char *text = NULL;
    char **lines;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        g_error("cannot read %s", path);
    }
    script->name = g_strndup(base, strlen(base) - strlen(".txt"));
    script->lines = g_ptr_array_new();
    lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_ptr_array_add(script->lines, words_of(*line));
    }
    g_strfreev(lines);
    g_free(text);
    g_free(base);
    return script;
}

void script_free(struct script *script)
{
    for (guint i = 0; i < script->lines->len; i++) {
        g_strfreev(g_ptr_array_index(script->lines, i));
    }
    g_ptr_array_free(script->lines, TRUE);
    g_free(script->name);
    g_free(script);
}
