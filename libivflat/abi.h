/* SPDX-License-Identifier: BSD-3-Clause */
/* The public structs that grow: each begins with its struct_size. */
#ifndef IVF_ABI_H
#define IVF_ABI_H

#include <stdint.h>

/* Copies the caller's struct into ours of @size bytes.  A shorter one reads as zeros beyond its end, but is at least as
 * long as in the first release (@first); a longer one is taken when the rest is zero.  NULL reads as all zeros.
 * 0, or IVFLAT_ERR_INVALID with a sentence that names it by @name. */
int32_t ivf_abi_take(void *ours, uint32_t size, const void *theirs, uint32_t first, const char *name);

/* A field that is a yes or a no, or has to be 0: at most @most, else IVFLAT_ERR_INVALID with the sentence. */
int32_t ivf_abi_at_most(uint32_t value, uint32_t most, const char *name);

#endif
