/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared memory: what a descriptor of it must be, and a mapping that keeps its address. */
#ifndef IVF_REGION_H
#define IVF_REGION_H

#include <stdbool.h>
#include <stdint.h>

struct ivf_region {
    void *address;   /* NULL: nothing mapped or reserved */
    uint64_t size;   /* bytes of the memory */
    uint64_t length; /* bytes of the mapping: whole pages */
};

/* P15: memory, not empty, readable and writable, of @want bytes (0: any), @require_sealed: that nobody can shrink.
 * 0 with @size and @sealed set, or IVFLAT_ERR_MEMORY with the sentence. */
int32_t ivf_region_check(int fd, uint64_t want, bool require_sealed, uint64_t *size, bool *sealed);

/* Zeros of our own at an address that any memory of this size can be mapped over, huge pages included.
 * 0 or IVFLAT_ERR_... with the sentence. */
int32_t ivf_region_reserve(struct ivf_region *region, uint64_t size);

/* Maps @fd anywhere suitable. 0 or IVFLAT_ERR_... with the sentence. */
int32_t ivf_region_map(struct ivf_region *region, int fd, uint64_t size);

/* Moves @from's mapping, which is of @fd, over @to, of the same length, and empties @from.  A guest that uses @to
 * meanwhile sees the old or the new.  0 or IVFLAT_ERR_SYSTEM with the sentence: then @to is as it was, or, if the kernel
 * took that away and gives nothing back, zeros. */
int32_t ivf_region_move(struct ivf_region *to, struct ivf_region *from, int fd);

void ivf_region_unmap(struct ivf_region *region);

#endif
