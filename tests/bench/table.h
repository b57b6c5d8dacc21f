/* SPDX-License-Identifier: BSD-3-Clause */
/* A device with a table of peers that was filled behind its back, with numbers that are no descriptors but for the last
 * one's: a process may not have 65,535 descriptors. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <libivflat/ivflat.h>

#include <stdbool.h>

/* @fd is lent: a copy of it is the vector of the last peer.  Ends the program, with a word, when it cannot. */
ivflat_device *table_new(bool trusted, uint32_t peers, int fd);

/* The doorbell of the last peer. */
static inline uint32_t table_last(uint32_t peers)
{
    return (peers - 1) << 16;
}

/* The comparator, what one writes first: peers in a list, and write().  One block for all, to free(). */
struct listed_peer;
struct listed_peer *list_new(uint32_t peers, const int *fd);
void list_write(const struct listed_peer *list, uint32_t value);

#endif
