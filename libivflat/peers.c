/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers.h"

#include "fdio.h"

#include <libivflat/ivflat.h>

#include <stdlib.h>

/* Vectors are allocated in fours: the waste is at most 12 bytes, and no more than every fourth moves the peer. */
#define STEP 4u

bool ivf_peers_init(struct ivf_peers *peers)
{
    peers->by_id = calloc(IVFLAT_MAX_PEERS, sizeof(peers->by_id[0]));
    peers->count = 0;
    return peers->by_id != NULL;
}

void ivf_peers_fini(struct ivf_peers *peers)
{
    int32_t id = -1;

    if (!peers->by_id) {
        return;
    }
    while ((id = ivf_peers_next(peers, id)) >= 0) {
        ivf_peer_free(ivf_peers_take(peers, (uint32_t)id));
    }
    free(peers->by_id);
    peers->by_id = NULL;
}

/* The peer with room for one vector more; NULL: out of memory, and nothing changed. */
static struct ivf_peer *with_room(struct ivf_peers *peers, uint32_t id)
{
    struct ivf_peer *peer = peers->by_id[id];
    uint32_t count = peer ? peer->count : 0;

    if (count % STEP == 0) {
        peer = realloc(peer, sizeof(*peer) + (count + STEP) * sizeof(peer->vectors[0]));
        if (!peer) {
            return NULL;
        }
        peers->by_id[id] = peer;
    }
    if (count == 0) {
        peer->id = id;
        peer->count = 0;
        peers->count++;
    }
    return peer;
}

struct ivf_vector *ivf_peers_add(struct ivf_peers *peers, uint32_t id, int fd, uint32_t kind)
{
    struct ivf_peer *peer = fd < IVF_PEERS_MAX_FD ? with_room(peers, id) : NULL;
    struct ivf_vector *vector;

    if (!peer) {
        ivf_fd_close_foreign(fd);
        return NULL;
    }
    vector = &peer->vectors[peer->count++];
    *vector = (struct ivf_vector){.fd = (unsigned)fd & IVF_PEERS_MAX_FD, .kind = kind & 3};
    return vector;
}

struct ivf_peer *ivf_peers_take(struct ivf_peers *peers, uint32_t id)
{
    struct ivf_peer *peer = ivf_peers_get(peers, id);

    if (peer) {
        peers->by_id[id] = NULL;
        peers->count--;
    }
    return peer;
}

void ivf_peer_free(struct ivf_peer *peer)
{
    if (!peer) {
        return;
    }
    for (uint32_t i = 0; i < peer->count; i++) {
        ivf_vector_close(&peer->vectors[i]);
    }
    free(peer);
}

void ivf_vector_close(struct ivf_vector *vector)
{
    if (ivf_vector_open(vector)) {
        ivf_fd_close_foreign((int)vector->fd);
        vector->fd = IVF_PEERS_MAX_FD;
    }
}

int32_t ivf_peers_next(const struct ivf_peers *peers, int32_t after)
{
    int64_t id = after < 0 ? 0 : (int64_t)after + 1;

    if (peers->count == 0) {
        return -1;
    }
    while (id < IVFLAT_MAX_PEERS && !peers->by_id[id]) {
        id++;
    }
    return id < IVFLAT_MAX_PEERS ? (int32_t)id : -1;
}
