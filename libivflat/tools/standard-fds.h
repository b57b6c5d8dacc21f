/* SPDX-License-Identifier: BSD-3-Clause */
/* Who starts us may have closed standard input, output or error. */
#ifndef TOOLS_STANDARD_FDS_H
#define TOOLS_STANDARD_FDS_H

/* Opens those that are closed, so that no socket gets their numbers, and what is said goes nowhere. */
void standard_fds_open(void);

#endif
