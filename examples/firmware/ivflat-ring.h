/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A ring of messages in shared memory, for one writer and one reader, each on a machine of its own: this one file, C11,
 * no library, the same for firmware and for programs on the host.
 *
 * Two indices run freely from 0 and wrap at 2^32.  `head` is stored by the writer alone, `tail` by the reader alone:
 * plain aligned words, because LDREX/STREX and other atomic read-modify-writes mean nothing between two emulators.
 * Each side takes the index that it owns from the memory when it opens the ring, keeps it in its private struct, and
 * after opening believes nobody about it.  The other's is checked, and what a message says of itself is read once, so
 * that a hostile other side costs wrong or lost messages, never an access out of bounds.
 *
 *     byte 0    head              what the writer has written
 *     byte 64   tail              what the reader has read (a cache line of its own)
 *     byte 128  slot 0, slot 1 ... of 64 bytes: length, check, 56 bytes
 *
 * Fresh memory, all zeros, is an empty ring.  Both machines must be little-endian.  A ring does not ring: after a put or
 * a get tell the other side by a doorbell.
 */
#ifndef IVFLAT_RING_H
#define IVFLAT_RING_H

#include <stdatomic.h>
#include <stdint.h>

#define IVFLAT_RING_MAX          56u                    /* bytes of the longest message */
#define IVFLAT_RING_WORDS        14u                    /* the same in words */
#define IVFLAT_RING_BYTES(slots) (128u + 64u * (slots)) /* of shared memory, aligned to 4 at least */

enum {
    IVFLAT_RING_DONE = 1,       /* one message was put, or got */
    IVFLAT_RING_WAIT = 0,       /* the ring is full (put), or empty (get) */
    IVFLAT_RING_INVALID = -1,   /* the caller's: a message that is too long, slots that are no power of two */
    IVFLAT_RING_DAMAGED = -2,   /* get: one message was dropped, for length or check is wrong; go on with the next */
    IVFLAT_RING_IMPOSSIBLE = -3 /* the other side's index cannot be: do not talk to it, or open the ring again */
};

typedef _Atomic uint32_t ivflat_ring_word;

/* One side's view; private to it. */
struct ivflat_ring {
    ivflat_ring_word *head;
    ivflat_ring_word *tail;
    ivflat_ring_word *slot;
    uint32_t slots;
    uint32_t mine; /* writer: head, reader: tail */
};

static inline int32_t ivflat_ring_open(struct ivflat_ring *ring, void *memory, uint32_t slots)
{
    if (slots == 0 || (slots & (slots - 1)) != 0 || slots > 1u << 24)
        return IVFLAT_RING_INVALID;
    ring->head = (ivflat_ring_word *)memory;
    ring->tail = ring->head + 16;
    ring->slot = ring->head + 32;
    ring->slots = slots;
    return IVFLAT_RING_DONE;
}

/* Goes on where the last writer (reader) in this memory left off, so that a machine may be reset at any time. */
static inline int32_t ivflat_ring_open_writer(struct ivflat_ring *ring, void *memory, uint32_t slots)
{
    int32_t error = ivflat_ring_open(ring, memory, slots);

    if (error > 0)
        ring->mine = atomic_load_explicit(ring->head, memory_order_relaxed);
    return error;
}

static inline int32_t ivflat_ring_open_reader(struct ivflat_ring *ring, void *memory, uint32_t slots)
{
    int32_t error = ivflat_ring_open(ring, memory, slots);

    if (error > 0)
        ring->mine = atomic_load_explicit(ring->tail, memory_order_relaxed);
    return error;
}

/* Against damage and mix-ups (`index` is in it, so an old message in an old slot is not taken for a new one), not
 * against malice.  Each step can be undone, so any one wrong word is found. */
static inline uint32_t ivflat_ring_check(uint32_t index, uint32_t length, const uint32_t *words)
{
    uint32_t check = (0x811c9dc5u ^ index) * 0x01000193u + length;

    for (uint32_t i = 0; i < (length + 3) / 4; i++) {
        check = (check ^ words[i]) * 0x01000193u;
        check ^= check >> 15;
    }
    return check;
}

static inline ivflat_ring_word *ivflat_ring_slot(const struct ivflat_ring *ring)
{
    return ring->slot + 16 * (ring->mine & (ring->slots - 1));
}

/* Writer: how many messages the reader has not read yet; more than `slots` when its index is impossible.  The acquire
 * keeps our stores into a slot behind the load that says it is free. */
static inline uint32_t ivflat_ring_unread(const struct ivflat_ring *ring)
{
    return ring->mine - atomic_load_explicit(ring->tail, memory_order_acquire);
}

/* Reader: how many messages wait for us; more than `slots` when the writer's index is impossible.  The acquire keeps
 * our loads from a slot behind the load that says it is filled. */
static inline uint32_t ivflat_ring_waiting(const struct ivflat_ring *ring)
{
    return atomic_load_explicit(ring->head, memory_order_acquire) - ring->mine;
}

/* Writer: puts `length` bytes, at most IVFLAT_RING_MAX. */
static inline int32_t ivflat_ring_put(struct ivflat_ring *ring, const void *data, uint32_t length)
{
    uint32_t words[IVFLAT_RING_WORDS] = {0};
    uint32_t unread = ivflat_ring_unread(ring);
    ivflat_ring_word *slot = ivflat_ring_slot(ring);

    if (length > IVFLAT_RING_MAX)
        return IVFLAT_RING_INVALID;
    if (unread >= ring->slots)
        return unread == ring->slots ? IVFLAT_RING_WAIT : IVFLAT_RING_IMPOSSIBLE;
    for (uint32_t i = 0; i < length; i++)
        ((uint8_t *)words)[i] = ((const uint8_t *)data)[i];
    atomic_store_explicit(&slot[0], length, memory_order_relaxed);
    atomic_store_explicit(&slot[1], ivflat_ring_check(ring->mine, length, words), memory_order_relaxed);
    for (uint32_t i = 0; i < (length + 3) / 4; i++)
        atomic_store_explicit(&slot[2 + i], words[i], memory_order_relaxed);
    /* The release keeps the index behind the message. */
    atomic_store_explicit(ring->head, ++ring->mine, memory_order_release);
    return IVFLAT_RING_DONE;
}

/* Reader: gets a message into `data`, which has room for IVFLAT_RING_MAX bytes, and says how long it is. */
static inline int32_t ivflat_ring_get(struct ivflat_ring *ring, void *data, uint32_t *length)
{
    uint32_t words[IVFLAT_RING_WORDS], bytes, check, good;
    uint32_t waiting = ivflat_ring_waiting(ring);
    ivflat_ring_word *slot = ivflat_ring_slot(ring);

    if (waiting == 0 || waiting > ring->slots)
        return waiting == 0 ? IVFLAT_RING_WAIT : IVFLAT_RING_IMPOSSIBLE;
    bytes = atomic_load_explicit(&slot[0], memory_order_relaxed);
    check = atomic_load_explicit(&slot[1], memory_order_relaxed);
    for (uint32_t i = 0; i < IVFLAT_RING_WORDS; i++)
        words[i] = atomic_load_explicit(&slot[2 + i], memory_order_relaxed);
    good = bytes <= IVFLAT_RING_MAX && check == ivflat_ring_check(ring->mine, bytes, words);
    /* The release keeps the index behind our loads: the slot is the writer's again. */
    atomic_store_explicit(ring->tail, ++ring->mine, memory_order_release);
    if (!good)
        return IVFLAT_RING_DAMAGED;
    *length = bytes;
    for (uint32_t i = 0; i < bytes; i++)
        ((uint8_t *)data)[i] = ((const uint8_t *)words)[i];
    return IVFLAT_RING_DONE;
}
#endif
