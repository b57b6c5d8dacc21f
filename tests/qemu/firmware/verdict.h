/* SPDX-License-Identifier: BSD-3-Clause */
/* What the guest found, in lines for the test. */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdint.h>

/* "FAIL read of 2 bytes at 0xc: got 0x1, expected 0x0" where that is so. */
void check(const char *what, uint32_t where, uint32_t got, uint32_t expected);

/* "NAME: ok", or "NAME: 3 wrong"; the next begins anew. */
void verdict(const char *name);

/* "TEXT NUMBER" */
void say(const char *text, uint32_t number);

#endif
