/* SPDX-License-Identifier: BSD-3-Clause */
/* The program, maybe a newer one, in its own place: the same process, started by the same path and words. */
#ifndef TOOLS_RESTART_H
#define TOOLS_RESTART_H

#include <glib.h>

/* What the program before this one, in the same process, handed on. */
struct handed {
    int list;            /* for ivflat_server_config.handed_fd; 0: there was none */
    int pid_file;        /* -1: none */
    gboolean background; /* it is there already */
};

/* Remembers how the program was started, before anything can change that, and what was handed on. */
void restart_remember(char **argv, struct handed *handed);

/* Tries first, in a child, whether the program at the path starts and takes the words: once this one is gone, there is no
 * way back.  @tried is called from GLib's loop, with a sentence that says why not, or NULL.  While one is tried, nothing
 * is done. */
void restart_try(void (*tried)(const char *problem, gpointer user), gpointer user);
void restart_try_no_more(void);

/* Does it.  Returns only where it cannot be: -1 with errno. */
int restart_now(const struct handed *handed);

#endif
