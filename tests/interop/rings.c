/* SPDX-License-Identifier: BSD-3-Clause */
#include "rings.h"

#include <glib.h>

#include "peer.h"
#include "qemu.h"
#include "support.h"

/* How long one ring may take to be heard before it is rung again. */
#define AGAIN_MS 5

static int64_t deadline_us(void)
{
    return g_get_monotonic_time() + PATIENCE_MS * G_TIME_SPAN_MILLISECOND;
}

void qemu_meets_peer(const struct qemu *qemu, struct peer *peer, uint32_t vectors)
{
    int64_t deadline = deadline_us();
    uint64_t heard = 0;

    while (heard == 0 && g_get_monotonic_time() < deadline) {
        qemu_ring(qemu, peer_id(peer), vectors - 1);
        heard = peer_wait_heard(peer, AGAIN_MS);
    }
    ck_assert_uint_eq(heard, bit(vectors - 1));
    ck_assert_uint_eq(peer->rung[vectors - 1], 1);
    peer->rung[vectors - 1] = 0;
}

void qemu_meets_qemu(const struct qemu *from, const struct qemu *to, uint32_t vectors)
{
    int64_t deadline = deadline_us();
    uint64_t heard = 0;

    while (heard == 0 && g_get_monotonic_time() < deadline) {
        qemu_ring(from, qemu_id(to), vectors - 1);
        heard = qemu_heard(to);
    }
    ck_assert_uint_eq(heard, bit(vectors - 1));
}

void qemu_rings_peer(const struct qemu *qemu, struct peer *peer, uint32_t vectors)
{
    qemu_meets_peer(qemu, peer, vectors);
    for (uint32_t i = 0; i < vectors; i++) {
        qemu_ring(qemu, peer_id(peer), i);
        ck_assert_uint_eq(peer_heard(peer), bit(i));
    }
}

void peer_rings_qemu(struct peer *peer, const struct qemu *qemu, uint32_t vectors)
{
    peer_wait_vectors(peer, qemu_id(qemu), vectors);
    for (uint32_t i = 0; i < vectors; i++) {
        peer_ring(peer, qemu_id(qemu), i);
        ck_assert_uint_eq(qemu_wait_heard(qemu), bit(i));
    }
    ck_assert_uint_eq(qemu_heard(qemu), 0);
}

void peer_rings_peer(struct peer *from, struct peer *to, uint32_t vectors)
{
    peer_wait_vectors(from, peer_id(to), vectors);
    peer_wait_vectors(to, peer_id(to), vectors);
    for (uint32_t i = 0; i < vectors; i++) {
        peer_ring(from, peer_id(to), i);
        ck_assert_uint_eq(peer_heard(to), bit(i));
    }
}

void qemu_rings_qemu(const struct qemu *from, const struct qemu *to, uint32_t vectors)
{
    qemu_meets_qemu(from, to, vectors);
    for (uint32_t i = 0; i < vectors; i++) {
        qemu_ring(from, qemu_id(to), i);
        ck_assert_uint_eq(qemu_wait_heard(to), bit(i));
    }
    ck_assert_uint_eq(qemu_heard(to), 0);
}
