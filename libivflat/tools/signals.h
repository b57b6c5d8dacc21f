/* SPDX-License-Identifier: BSD-3-Clause */
/* Signals as a descriptor: they stay pending until they are read, also over an execve(), so that none is lost. */
#ifndef TOOLS_SIGNALS_H
#define TOOLS_SIGNALS_H

#include <glib.h>

/* Blocks those of @numbers (up to a 0) that are not ignored, as nohup(1) does, and calls @on_signal for each that comes.
 * Answers the source's id; 0: no descriptor is to be had (errno). */
guint signals_watch(const int *numbers, void (*on_signal)(int number, gpointer user), gpointer user);

#endif
