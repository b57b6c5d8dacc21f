/* SPDX-License-Identifier: BSD-3-Clause */
/* Which processor a thread runs on.  Both end the program, with a word, when they cannot. */
#ifndef BENCH_PROCESSORS_H
#define BENCH_PROCESSORS_H

#define ANY (-1)

/* The first two that we may use; ANY where there are not that many. */
extern int processors[2];
void find_processors(void);

/* This thread, and those that it starts from now on. */
void stay_on(int processor);

#endif
