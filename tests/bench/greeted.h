/* SPDX-License-Identifier: BSD-3-Clause */
/* Devices, and one that was greeted by nobody but us.  All end the program, with a word, when they cannot. */
#ifndef BENCH_GREETED_H
#define BENCH_GREETED_H

#include <libivflat/ivflat.h>

/* @hooks may be NULL: interrupts go unheard. */
ivflat_device *unlinked(const ivflat_config *config, const ivflat_hooks *hooks);

/* Its id is 0, its memory a page. */
ivflat_device *greeted(const ivflat_config *config, const ivflat_hooks *hooks);

/* One message from the server; @fd is given, or -1. */
void feed(ivflat_device *dev, int64_t number, int32_t fd);

/* For what answers one of IVFLAT_ERR_... */
void check(int32_t result);

#endif
