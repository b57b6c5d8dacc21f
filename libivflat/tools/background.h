/* SPDX-License-Identifier: BSD-3-Clause */
/* Into the background, so that who started us goes on when we are ready, and learns it when we never will be. */
#ifndef TOOLS_BACKGROUND_H
#define TOOLS_BACKGROUND_H

/* Goes on in a child of its own session; this process waits for it and exits as it does, or with 0 when it is ready.
 * Answers what background_ready() takes, or -1 with errno. */
int background_begin(void);

/* Ready: lets go of standard input, output and error, and of who started us. */
void background_ready(int told);

#endif
