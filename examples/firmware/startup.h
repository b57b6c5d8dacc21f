/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef STARTUP_H
#define STARTUP_H

/* From the first instruction with a stack to main(): fills RAM, and hangs when main() is done. */
void startup(void);

/* The end of main(), and every exception that nobody asked for. */
void stuck(void);

#endif
