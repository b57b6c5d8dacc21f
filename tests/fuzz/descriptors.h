/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors of every kind that a server could send, and a count of those that are open. */
#ifndef FUZZ_DESCRIPTORS_H
#define FUZZ_DESCRIPTORS_H

#include <stdbool.h>
#include <stdint.h>

#define MEMORY_SIZE 4096u
#define FDS_LIMIT   192 /* numbers below it are all that this process uses */

/* One descriptor of kind 0..FD_KINDS-1; -1: one that was lost on the way.  Of those that others can still reach, a copy
 * is kept, for peer_acts(). */
#define FD_KINDS 20
int make_fd(uint8_t kind);

/* What a peer, who holds the same open file, does to it: rings it, fills it, makes it block, closes it. */
void peer_acts(uint8_t which, uint8_t how);

/* Whether a peer clears O_NONBLOCK: where write() rings, that may block, and the header says so. */
void peers_may_block(bool they_may);

/* Closes the copies. */
void forget_copies(void);

/* The open descriptors now; then that none came and none went. */
void count_descriptors(void);
void check_descriptors(void);

#endif
