/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The demonstration, the same for the firmware and for the host's program: each of DEMO_PEERS machines sends each of
 * the others DEMO_MESSAGES messages and then a report, and checks what it gets.  Plain C11, no library.
 *
 * The ring from A to B lies at place A * DEMO_PEERS + B of the shared memory.
 */
#ifndef DEMO_H
#define DEMO_H

#include <stdint.h>

#include "ivflat-ring.h"

#define DEMO_PEERS    3u
#define DEMO_MESSAGES 1000u
#define DEMO_SLOTS    16u
#define DEMO_BYTES    (DEMO_PEERS * DEMO_PEERS * IVFLAT_RING_BYTES(DEMO_SLOTS)) /* of shared memory */

/* What a doorbell means.  A board with one interrupt line cannot tell them apart, and need not: it looks at all. */
enum { DEMO_VECTOR_MAIL = 0, DEMO_VECTOR_ROOM = 1, DEMO_VECTORS = 2 };

struct demo_channel {
    struct ivflat_ring out, in;
    uint32_t sent, received; /* messages, without the report */
    uint32_t bad;            /* of those received: damaged, out of order, or not what they should be */
    uint32_t report_sent, report_received;
    uint32_t report_bad; /* what the other says that it got bad, of all */
};

struct demo {
    uint32_t id;
    uint32_t spoil;               /* 1: send one message that is not what it should be */
    volatile uint32_t interrupts; /* counted by who has the demo, for its last line */
    uint32_t said_total;
    uint32_t broken; /* a ring's index cannot be: it was said, and nothing goes on */
    void (*doorbell)(uint32_t peer, uint32_t vector);
    void (*say)(const char *line);
    struct demo_channel with[DEMO_PEERS];
};

/* 0, or -1 when there is no place for this id. */
int32_t demo_open(struct demo *demo, void *memory);

/* Sends and gets all that can be now; to be called when rung, at first, and now and then until demo_done() or broken. */
void demo_step(struct demo *demo);

/* Rings everybody who has not read all: a doorbell to a machine that was not there yet is gone. */
void demo_remind(struct demo *demo);

/* 1: all was sent and read, and all was received. */
int32_t demo_done(const struct demo *demo);

struct demo_total {
    uint32_t sent, received, bad, report_bad;
};
struct demo_total demo_total(const struct demo *demo);

#endif
