/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * As many messages as can be, both ways at once, between two peers: each knows what it has to get.  The same for the
 * guest and for the host's program; plain C11, no library.
 *
 * Two rings lie at the memory's start: first what the lower id writes, then what the higher does.
 */
#ifndef STREAM_H
#define STREAM_H

#include <stdint.h>

#include "ivflat-ring.h"

enum { STREAM_SLOTS = 64 };

struct stream {
    uint32_t id, peer, count;
    struct ivflat_ring out, in;
    uint32_t sent, received, bad;
    uint32_t broken; /* an index cannot be */
};

void stream_open(struct stream *stream, void *memory);

/* Sends and gets all that can be now.  1: something was, so the peer has to be rung. */
uint32_t stream_step(struct stream *stream);

/* 1: all was sent and received, and the peer has read all, so it need not be rung again; or it is broken. */
uint32_t stream_done(const struct stream *stream);

#endif
