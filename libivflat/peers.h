/* SPDX-License-Identifier: BSD-3-Clause */
/* The peers: id -> vectors, in the same few instructions for one peer and for 65,535.  Owns the descriptors it holds.
 *
 * Memory: a table of one pointer an id, of which the kernel gives the pages that are in use (512 ids each), and for
 * each peer 8 bytes and 4 a vector.
 *
 * One thread at a time changes it; any thread may find a vector meanwhile, between ivf_ringers_enter() and _leave(). */
#ifndef IVF_PEERS_H
#define IVF_PEERS_H

#include "ringers.h"

#include <stdbool.h>
#include <stdint.h>

#define IVF_PEERS_MAX_FD ((1 << 28) - 1) /* what ivf_vector's 28 bits hold; the highest says "closed" */

struct ivf_vector {
    unsigned fd : 28;   /* IVF_PEERS_MAX_FD: closed, the number stays taken */
    unsigned kind : 2;  /* enum ivf_notify_kind (notify.h) */
    unsigned bound : 1; /* doorbell_added() took it */
    unsigned taken : 1; /* vector_added() took it (own vectors) */
};

struct ivf_peer {
    uint32_t id;
    uint32_t count;
    struct ivf_vector vectors[];
};

struct ivf_peers {
    struct ivf_peer **by_id; /* 65,536, NULL: not there */
    uint32_t count;
    struct ivf_ringers *ringers; /* who may look just now */
};

/* False: out of memory.  @ringers: lent until ivf_peers_fini(). */
bool ivf_peers_init(struct ivf_peers *peers, struct ivf_ringers *ringers);

/* From now on all others find @now's peers in @peers. */
void ivf_peers_exchange(struct ivf_peers *peers, const struct ivf_peers *now);

/* Closes all and frees. */
void ivf_peers_fini(struct ivf_peers *peers);

/* Gives the peer @id one vector more, and makes the peer with its first.  @fd is given, also when this fails: out of
 * memory, or a number over IVF_PEERS_MAX_FD.  Pointers to the peer are no longer good. */
struct ivf_vector *ivf_peers_add(struct ivf_peers *peers, uint32_t id, int fd, uint32_t kind);

/* Takes the peer out of the table: from now on nobody finds it.  It is the caller's, for ivf_peers_free(); or NULL. */
struct ivf_peer *ivf_peers_take(struct ivf_peers *peers, uint32_t id);

/* Closes its descriptors, when nobody rings them any more.  NULL is fine. */
void ivf_peers_free(struct ivf_peers *peers, struct ivf_peer *peer);

/* Closes one vector likewise; its number stays taken. */
void ivf_peers_close(struct ivf_peers *peers, struct ivf_vector *vector);

/* What the vector is from now on. */
void ivf_vector_set(struct ivf_vector *vector, struct ivf_vector now);

/* Any thread: the vector as it is now; kind 0 where there is none.  @number: 0..65535. */
struct ivf_vector ivf_peers_find(const struct ivf_peers *peers, uint32_t id, uint32_t number);

/* The next id above @after (-1 to begin) that is there, or -1. */
int32_t ivf_peers_next(const struct ivf_peers *peers, int32_t after);

/* @id is one: 0..65535. */
static inline struct ivf_peer *ivf_peers_get(const struct ivf_peers *peers, uint32_t id)
{
    return peers->by_id[id];
}

static inline bool ivf_vector_open(const struct ivf_vector *vector)
{
    return vector->fd != IVF_PEERS_MAX_FD;
}

#endif
