/* SPDX-License-Identifier: BSD-3-Clause */
#include "vectors.h"

#include "error.h"
#include "guest.h"
#include "hooks.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>

static bool is_own(const ivflat_device *dev, uint32_t id)
{
    return (int64_t)id == dev->id;
}

static uint32_t doorbell_of(uint32_t id, uint32_t number)
{
    return id << 16 | number;
}

/* P8: more than we take, or than a doorbell can name. */
static bool is_surplus(const ivflat_device *dev, uint32_t id)
{
    const struct ivf_peer *peer = ivf_peers_get(&dev->peers, id);

    return peer && peer->count >= dev->config.max_vectors;
}

static void refuse(ivflat_device *dev, uint32_t id, uint32_t number, int fd)
{
    ivf_fd_close_foreign(fd);
    dev->counters[IVFLAT_COUNT_VECTORS_REFUSED]++;
    ivf_trace(dev, IVFLAT_TRACE_VECTOR_REFUSED, id, number, 0);
}

static void mark(struct ivf_vector *vector, bool bound, bool taken)
{
    struct ivf_vector now = *vector;

    now.bound = bound;
    now.taken = taken;
    ivf_vector_set(vector, now);
}

/* A vector that is of no use: its number stays taken, so that the others keep theirs. */
static void give_up(ivflat_device *dev, uint32_t id, uint32_t number, struct ivf_vector *vector, const char *why)
{
    int fd = (int)vector->fd;
    bool bound = vector->bound, taken = vector->taken;

    mark(vector, false, false);
    if (bound) {
        ivf_tell_doorbell_removed(dev, doorbell_of(id, number), fd);
    }
    if (taken) {
        ivf_tell_vector_removed(dev, number, fd);
    }
    ivf_peers_close(&dev->peers, vector);
    dev->counters[IVFLAT_COUNT_VECTORS_REFUSED]++;
    ivf_trace(dev, IVFLAT_TRACE_VECTOR_REFUSED, id, number, 0);
    if (!dev->unusable_told) { /* one line a greeting, the counter has the rest: a server could send them without end */
        dev->unusable_told = true;
        ivf_log(dev, IVFLAT_LOG_WARNING, "vector %" PRIu32 " of %s %" PRIu32 " is closed: %s", number,
                is_own(dev, id) ? "our own id" : "peer", id, why);
    }
}

/* Somebody has to wait on our own: the embedder, or our epoll.  (P16, P21: what was rung before is reported then.) */
static bool wait_on(ivflat_device *dev, uint32_t number, struct ivf_vector *vector)
{
    int fd = (int)vector->fd;

    if (!dev->config.revision0 && ivf_ask_vector(dev, number, fd) == 1) {
        mark(vector, vector->bound, true);
        return true;
    }
    return ivf_fd_watch(dev->epoll, fd, IVF_TAG_VECTOR + (uint64_t)number) == 0;
}

static void announce(ivflat_device *dev, uint32_t id, uint32_t number, struct ivf_vector *vector)
{
    int fd = (int)vector->fd;

    ivf_trace(dev, IVFLAT_TRACE_VECTOR_ADDED, id, number, (uint64_t)fd);
    if (is_own(dev, id) && !wait_on(dev, number, vector)) {
        give_up(dev, id, number, vector, "the kernel cannot wait on it");
        return;
    }
    if (ivf_ask_doorbell(dev, doorbell_of(id, number), fd) == 1) {
        mark(vector, true, vector->taken);
    }
}

int32_t ivf_vectors_add(ivflat_device *dev, uint32_t id, int fd)
{
    enum ivf_notify_kind kind;
    struct ivf_vector *vector;
    uint32_t number;

    if (dev->config.no_interrupts) {
        ivf_fd_close_foreign(fd);
        return 0;
    }
    if (is_surplus(dev, id)) {
        refuse(dev, id, ivf_peers_get(&dev->peers, id)->count, fd);
        return 0;
    }
    kind = ivf_notify_classify(&dev->notifier, fd);
    vector = ivf_peers_add(&dev->peers, id, fd, kind);
    if (!vector) {
        return ivf_fail(IVFLAT_ERR_NOMEM, "no memory for a vector of peer %" PRIu32, id);
    }
    number = ivf_peers_get(&dev->peers, id)->count - 1;
    if (kind == IVF_NOTIFY_UNUSABLE) {
        give_up(dev, id, number, vector, "its descriptor is neither an eventfd nor a pipe");
    } else {
        announce(dev, id, number, vector);
    }
    if (!is_own(dev, id)) {
        ivf_tell_peer(dev, id, number + 1);
    }
    return 0;
}

/* Nobody finds @peer any more; now those who took a vector of it let go, while it is open.  @own: it was us. */
static void let_go(ivflat_device *dev, struct ivf_peer *peer, bool own)
{
    for (uint32_t number = 0; number < peer->count; number++) {
        struct ivf_vector *vector = &peer->vectors[number];
        int fd = (int)vector->fd;

        if (!ivf_vector_open(vector)) {
            continue;
        }
        if (vector->bound) {
            ivf_tell_doorbell_removed(dev, doorbell_of(peer->id, number), fd);
        }
        if (vector->taken) {
            ivf_tell_vector_removed(dev, number, fd);
        } else if (own) {
            ivf_fd_unwatch(dev->epoll, fd); /* before close: others hold the same open file (P16) */
        }
    }
}

static void forget(ivflat_device *dev, struct ivf_peers *peers, uint32_t id, bool own)
{
    struct ivf_peer *peer = ivf_peers_take(peers, id);

    ivf_trace(dev, IVFLAT_TRACE_PEER_LEFT, id, peer ? peer->count : 0, 0);
    if (!peer) {
        return;
    }
    let_go(dev, peer, own);
    ivf_peers_free(peers, peer);
    if (!own) {
        ivf_tell_peer(dev, id, 0);
    }
}

void ivf_vectors_leave(ivflat_device *dev, uint32_t id)
{
    forget(dev, &dev->peers, id, is_own(dev, id));
}

void ivf_vectors_forget_all(ivflat_device *dev, struct ivf_peers *peers, int32_t own)
{
    int32_t id = -1;

    while ((id = ivf_peers_next(peers, id)) >= 0) {
        forget(dev, peers, (uint32_t)id, id == own);
    }
}

static void interrupted(ivflat_device *dev, uint32_t number, uint64_t count)
{
    dev->counters[IVFLAT_COUNT_RINGS_RECEIVED] += count;
    ivf_trace(dev, IVFLAT_TRACE_INTERRUPT, number, count, 0);
    if (dev->config.revision0) {
        ivf_regs_interrupt(&dev->regs);
        ivf_guest_update_line(dev);
    } else {
        ivf_tell_interrupt(dev, number, count);
    }
}

static struct ivf_vector *own_vector(ivflat_device *dev, uint32_t number)
{
    struct ivf_peer *peer = dev->id < 0 ? NULL : ivf_peers_get(&dev->peers, (uint32_t)dev->id);

    return peer && number < peer->count && ivf_vector_open(&peer->vectors[number]) ? &peer->vectors[number] : NULL;
}

static void serve(ivflat_device *dev, uint32_t number, struct ivf_vector *vector)
{
    int64_t count = ivf_notify_drain((int)vector->fd, vector->kind);

    if (count > 0) {
        interrupted(dev, number, (uint64_t)count);
    } else if (count < 0) {
        if (!vector->taken) {
            ivf_fd_unwatch(dev->epoll, (int)vector->fd);
        }
        give_up(dev, (uint32_t)dev->id, number, vector,
                count == -EPIPE ? "nobody can ring it any more" : "it cannot be read");
    }
}

void ivf_vectors_serve(ivflat_device *dev, uint32_t number)
{
    struct ivf_vector *vector = own_vector(dev, number);

    if (vector && !vector->taken) { /* else it went away in this same dispatch */
        serve(dev, number, vector);
    }
}

bool ivf_vectors_serve_taken(ivflat_device *dev, uint32_t number)
{
    struct ivf_vector *vector = own_vector(dev, number);

    if (!vector || !vector->taken) {
        return false;
    }
    serve(dev, number, vector);
    return true;
}
