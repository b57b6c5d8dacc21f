/* SPDX-License-Identifier: BSD-3-Clause */
/* How many of each there are; their numbers and names are public (ivflat-trace.h). */
#ifndef IVF_TRACE_H
#define IVF_TRACE_H

#include <libivflat/ivflat-trace.h>

enum { IVF_TRACE_LAST = IVFLAT_TRACE_RESET, IVF_COUNTERS = IVFLAT_COUNT_VECTORS_REFUSED + 1 };

#endif
