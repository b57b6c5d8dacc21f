/* SPDX-License-Identifier: BSD-3-Clause */
/* A device that was greeted by nobody but us.  Both end the program, with a word, when they cannot. */
#ifndef BENCH_GREETED_H
#define BENCH_GREETED_H

#include <libivflat/ivflat.h>

/* Its id is 0, its memory a page, and interrupts go unheard. */
ivflat_device *greeted(const ivflat_config *config);

/* One message from the server; @fd is given, or -1. */
void feed(ivflat_device *dev, int64_t number, int32_t fd);

#endif
