/* SPDX-License-Identifier: BSD-3-Clause */
/* Codes for the machine, sentences for the person. */
#ifndef IVF_ERROR_H
#define IVF_ERROR_H

#include <libivflat/ivflat.h>

/* Sets this thread's sentence and answers @code, so that a caller can say: return ivf_fail(CODE, "..."). */
int32_t ivf_fail(int32_t code, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

/* The same for a system call that failed with @err: ": " and its name in words are put behind the sentence. */
int32_t ivf_fail_errno(int err, const char *format, ...) __attribute__((format(printf, 2, 3), cold));

#endif
