/* SPDX-License-Identifier: BSD-3-Clause */
/* A file with our process id in it. */
#ifndef TOOLS_PID_FILE_H
#define TOOLS_PID_FILE_H

#include <glib.h>

/* Whole at once: nobody reads half a number. */
gboolean pid_file_write(const char *path, GError **error);

/* Unless it is another's by now. */
void pid_file_remove(const char *path);

#endif
