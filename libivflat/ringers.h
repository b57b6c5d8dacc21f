/* SPDX-License-Identifier: BSD-3-Clause */
/* Who rings just now without the embedder's lock (ivflat_device_doorbell()): what they look at has to last until they have
 * left.  They wait for nobody.  Whoever takes something away first makes that nobody finds it, then waits here, and then
 * closes or frees it.  What is found without the lock is loaded and stored with __ATOMIC_SEQ_CST (peers.h). */
#ifndef IVF_RINGERS_H
#define IVF_RINGERS_H

#include <stdint.h>

/* Threads are spread over places by where their stacks are, so that two seldom write to the same cache line. */
#define IVF_RINGER_PLACES     8
#define IVF_RINGER_PLACE_SIZE 128

struct ivf_ringer_place {
    uint32_t inside[2]; /* how many, by the turn that it was when they entered */
    uint64_t rings;     /* how many were sent */
    char apart[IVF_RINGER_PLACE_SIZE - 2 * sizeof(uint32_t) - sizeof(uint64_t)];
};

struct ivf_ringers {
    uint32_t turn;
    struct ivf_ringer_place places[IVF_RINGER_PLACES];
};

struct ivf_ringer {
    struct ivf_ringer_place *place;
    uint32_t turn;
};

/* Any thread: from here to the leave, what was found lasts. */
struct ivf_ringer ivf_ringers_enter(struct ivf_ringers *ringers);
void ivf_ringers_leave(struct ivf_ringer ringer, uint32_t rings);

/* Until all have left who may have found what nobody finds any more.  As long as a ring takes, unless its thread is not let
 * run. */
void ivf_ringers_wait(struct ivf_ringers *ringers);

/* How many rings they sent. */
uint64_t ivf_ringers_sent(const struct ivf_ringers *ringers);

#endif
