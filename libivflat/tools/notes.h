/* SPDX-License-Identifier: BSD-3-Clause */
/* What a manager of services is told (NOTIFY_SOCKET), in order and without ever waiting for it: what it does not take now
 * waits here, and is sent from GLib's loop. */
#ifndef TOOLS_NOTES_H
#define TOOLS_NOTES_H

#include <glib.h>

/* Lines of NAME=VALUE.  FALSE, with errno: it cannot be told, now or later. */
gboolean notes_tell(const char *text);

/* To keep @fd under @name; and to let go of it.  What it was not told to keep yet it never hears of. */
gboolean notes_keep(const char *name, int fd);
gboolean notes_forget(const char *name);

/* Whether nothing waits. */
gboolean notes_are_told(void);

/* What still waits is never told. */
void notes_end(void);

#endif
