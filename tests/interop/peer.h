/* SPDX-License-Identifier: BSD-3-Clause */
/* Our device as an emulator embeds it: the public header and nothing else of the library's. */
#ifndef PEER_H
#define PEER_H

#include <stdint.h>

#include <libivflat/ivflat.h>

#define PEER_VECTORS 64u

struct peer {
    ivflat_device *device;
    uint64_t rung[PEER_VECTORS]; /* how often each vector was rung, in all */
    uint64_t heard;              /* the vectors that were rung since peer_heard() */
    uint32_t link;
};

/* Joins the server at @socket, tried again until somebody listens there; READY when this returns.  Gone at the test's
 * end. */
struct peer *peer_start(const char *socket);

/* Leaves, and is no more. */
void peer_end(struct peer *peer);

uint32_t peer_id(const struct peer *peer); /* as its guest reads IVPOSITION */

/* Its guest writes the doorbell. */
void peer_ring(const struct peer *peer, uint32_t id, uint32_t vector);

/* Which vectors were rung since this was last asked, bit V for vector V; the second waits for one, or until
 * @timeout_ms are up. */
uint64_t peer_heard(struct peer *peer);
uint64_t peer_wait_heard(struct peer *peer, int32_t timeout_ms);

/* Waits until the peer @id has @vectors vectors; 0: until it has left. */
void peer_wait_vectors(struct peer *peer, uint32_t id, uint32_t vectors);

/* Waits until the server is gone. */
void peer_wait_down(struct peer *peer);

/* The shared memory. */
unsigned char *peer_memory(const struct peer *peer);

#endif
