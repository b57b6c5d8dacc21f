/* SPDX-License-Identifier: BSD-3-Clause */
#include "peers.h"

#include "fdio.h"

#include <libivflat/ivflat.h>

#include <stdlib.h>
#include <string.h>

/* Vectors are allocated in fours: the waste is at most 12 bytes, and no more than every fourth moves the peer. */
#define STEP 4u

bool ivf_peers_init(struct ivf_peers *peers, struct ivf_ringers *ringers)
{
    peers->by_id = calloc(IVFLAT_MAX_PEERS, sizeof(peers->by_id[0]));
    peers->count = 0;
    peers->ringers = ringers;
    return peers->by_id != NULL;
}

void ivf_peers_fini(struct ivf_peers *peers)
{
    int32_t id = -1;

    if (!peers->by_id) {
        return;
    }
    while ((id = ivf_peers_next(peers, id)) >= 0) {
        ivf_peers_free(peers, ivf_peers_take(peers, (uint32_t)id));
    }
    ivf_ringers_wait(peers->ringers);
    free(peers->by_id);
    peers->by_id = NULL;
}

void ivf_peers_exchange(struct ivf_peers *peers, const struct ivf_peers *now)
{
    __atomic_store_n(&peers->by_id, now->by_id, __ATOMIC_SEQ_CST);
    peers->count = now->count;
}

/* NULL: nobody finds it any more. */
static void put(struct ivf_peers *peers, uint32_t id, struct ivf_peer *peer)
{
    __atomic_store_n(&peers->by_id[id], peer, __ATOMIC_SEQ_CST);
}

/* Larger, and somewhere else: who rings may be looking at what was.  NULL: out of memory. */
static struct ivf_peer *grown(uint32_t id, const struct ivf_peer *before)
{
    uint32_t count = before ? before->count : 0;
    struct ivf_peer *peer = malloc(sizeof(*peer) + (count + STEP) * sizeof(peer->vectors[0]));

    if (!peer) {
        return NULL;
    }
    *peer = (struct ivf_peer){.id = id, .count = count};
    if (before) {
        memcpy(peer->vectors, before->vectors, count * sizeof(peer->vectors[0]));
    }
    return peer;
}

/* The peer with room for one vector more; NULL: out of memory, and nothing changed. */
static struct ivf_peer *with_room(struct ivf_peers *peers, uint32_t id)
{
    struct ivf_peer *before = peers->by_id[id], *peer;

    if (before && before->count % STEP != 0) {
        return before;
    }
    peer = grown(id, before);
    if (!peer) {
        return NULL;
    }
    put(peers, id, peer);
    if (before) {
        ivf_ringers_wait(peers->ringers);
        free(before);
    } else {
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
    vector = &peer->vectors[peer->count];
    ivf_vector_set(vector, (struct ivf_vector){.fd = (unsigned)fd & IVF_PEERS_MAX_FD, .kind = kind & 3});
    __atomic_store_n(&peer->count, peer->count + 1, __ATOMIC_SEQ_CST);
    return vector;
}

struct ivf_peer *ivf_peers_take(struct ivf_peers *peers, uint32_t id)
{
    struct ivf_peer *peer = ivf_peers_get(peers, id);

    if (peer) {
        put(peers, id, NULL);
        peers->count--;
    }
    return peer;
}

static void close_vector(const struct ivf_vector *vector)
{
    if (ivf_vector_open(vector)) {
        ivf_fd_close_foreign((int)vector->fd);
    }
}

void ivf_peers_free(struct ivf_peers *peers, struct ivf_peer *peer)
{
    if (!peer) {
        return;
    }
    ivf_ringers_wait(peers->ringers);
    for (uint32_t i = 0; i < peer->count; i++) {
        close_vector(&peer->vectors[i]);
    }
    free(peer);
}

void ivf_peers_close(struct ivf_peers *peers, struct ivf_vector *vector)
{
    struct ivf_vector before = *vector;

    ivf_vector_set(vector, (struct ivf_vector){.fd = IVF_PEERS_MAX_FD});
    ivf_ringers_wait(peers->ringers);
    close_vector(&before);
}

void ivf_vector_set(struct ivf_vector *vector, struct ivf_vector now)
{
    __atomic_store(vector, &now, __ATOMIC_SEQ_CST);
}

struct ivf_vector ivf_peers_find(const struct ivf_peers *peers, uint32_t id, uint32_t number)
{
    struct ivf_peer **by_id = __atomic_load_n(&peers->by_id, __ATOMIC_SEQ_CST);
    const struct ivf_peer *peer = __atomic_load_n(&by_id[id], __ATOMIC_SEQ_CST);
    struct ivf_vector vector = {0};

    if (peer && number < __atomic_load_n(&peer->count, __ATOMIC_SEQ_CST)) {
        __atomic_load(&peer->vectors[number], &vector, __ATOMIC_SEQ_CST);
    }
    return vector;
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
