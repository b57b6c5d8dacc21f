/* SPDX-License-Identifier: BSD-3-Clause */
/* A file with our process id in it, locked as long as we run: nobody else's id gets there meanwhile. */
#ifndef TOOLS_PID_FILE_H
#define TOOLS_PID_FILE_H

#include <glib.h>

/* Answers the file's descriptor, to be kept; or -1 with the sentence: what is there is no regular file, or is the file
 * of a program that runs. */
int pid_file_write(const char *path, GError **error);

/* Unless there is another file by now.  Closes @fd. */
void pid_file_remove(const char *path, int fd);

#endif
