/* SPDX-License-Identifier: BSD-3-Clause */
/* A filter of system calls, where the program was built with libseccomp: what a server does not need is refused. */
#ifndef TOOLS_SANDBOX_H
#define TOOLS_SANDBOX_H

#include <glib.h>

/* The program was built with it. */
gboolean sandbox_is_there(void);

/* From now on, and in whatever is started in our place.  @inherited: the program before this one did it already, and a
 * second filter would only add to the first.  0, or an errno. */
int sandbox_enter(gboolean inherited);

#endif
