/* SPDX-License-Identifier: BSD-3-Clause */
#include "peer.h"

#include <glib.h>

#include "support.h"

#define RETRY_MS 20

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    struct peer *peer = user;

    ck_assert_uint_lt(vector, PEER_VECTORS);
    peer->rung[vector] += count;
    peer->heard |= UINT64_C(1) << vector;
}

static void on_link_changed(void *user, uint32_t link, int32_t error)
{
    struct peer *peer = user;

    (void)error;
    peer->link = link;
}

static int64_t now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

/* Serves what comes first before @deadline_ms.  False: nothing came. */
static bool serve(struct peer *peer, int64_t deadline_ms)
{
    int64_t rest = deadline_ms - now_ms();

    if (ivflat_device_wait(peer->device, rest > 0 ? (int32_t)rest : 0) != 1) {
        return false;
    }
    ivflat_device_dispatch(peer->device);
    return true;
}

static void wait_link(struct peer *peer, uint32_t link)
{
    int64_t deadline = now_ms() + PATIENCE_MS;

    while (peer->link != link) {
        ck_assert_msg(serve(peer, deadline), "the link is %u, and not %u: %s", peer->link, link, ivflat_last_error());
    }
}

static void peer_free(void *argument)
{
    struct peer *peer = argument;

    peer_end(peer);
    g_free(peer);
}

struct peer *peer_start(const char *socket)
{
    struct peer *peer = g_new0(struct peer, 1);
    ivflat_config config = {.struct_size = sizeof(config), .reconnect_ms = RETRY_MS};
    ivflat_hooks hooks = {
        .struct_size = sizeof(hooks), .user = peer, .interrupt = on_interrupt, .link_changed = on_link_changed};

    ck_assert_msg(ivflat_device_new(&peer->device, &config, &hooks) == 0, "%s", ivflat_last_error());
    at_test_end(peer_free, peer);
    ck_assert_msg(ivflat_device_connect(peer->device, socket) == 0, "%s", ivflat_last_error());
    wait_link(peer, IVFLAT_LINK_READY);
    return peer;
}

void peer_end(struct peer *peer)
{
    ivflat_device_free(peer->device);
    peer->device = NULL;
}

uint32_t peer_id(const struct peer *peer)
{
    return ivflat_device_read(peer->device, IVFLAT_REG_IVPOSITION, 4);
}

void peer_ring(const struct peer *peer, uint32_t id, uint32_t vector)
{
    ivflat_device_write(peer->device, IVFLAT_REG_DOORBELL, 4, (uint64_t)id << 16 | vector);
}

static uint64_t take_heard(struct peer *peer)
{
    uint64_t heard = peer->heard;

    peer->heard = 0;
    return heard;
}

uint64_t peer_heard(struct peer *peer)
{
    int64_t now = now_ms();

    while (serve(peer, now)) {
    }
    return take_heard(peer);
}

uint64_t peer_wait_heard(struct peer *peer, int32_t timeout_ms)
{
    int64_t deadline = now_ms() + timeout_ms;

    while (peer->heard == 0 && serve(peer, deadline)) {
    }
    return take_heard(peer);
}

void peer_wait_vectors(struct peer *peer, uint32_t id, uint32_t vectors)
{
    int64_t deadline = now_ms() + PATIENCE_MS;

    while (ivflat_device_peer_vectors(peer->device, id) != vectors) {
        ck_assert_msg(serve(peer, deadline), "peer %u has %u vectors, and not %u", id,
                      ivflat_device_peer_vectors(peer->device, id), vectors);
    }
}

void peer_wait_down(struct peer *peer)
{
    wait_link(peer, IVFLAT_LINK_DOWN);
}

unsigned char *peer_memory(const struct peer *peer)
{
    return ivflat_device_memory(peer->device);
}
