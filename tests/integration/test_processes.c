/* SPDX-License-Identifier: BSD-3-Clause */
/* A server, a device here and devices in other processes: what they tell each other, and what outlives the server. */
#include "program.h"

#include <glib.h>
#include <libivflat/ivflat.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#define VECTORS 4u
#define LAST    3u /* who is rung there, leaves */

/* A device that comes back to its server. */
struct peer {
    ivflat_device *dev;
    uint64_t rung[VECTORS];
    uint32_t downs;
    void (*on_rung)(struct peer *peer, uint32_t vector);
    bool leaves;
};

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    struct peer *peer = user;

    peer->rung[vector] += count;
    if (peer->on_rung) {
        peer->on_rung(peer, vector);
    }
}

static void on_link(void *user, uint32_t link, int32_t error)
{
    struct peer *peer = user;

    (void)error;
    peer->downs += link == IVFLAT_LINK_DOWN;
}

static bool join(struct peer *peer)
{
    ivflat_config config = {.struct_size = sizeof(config), .memory_size = 65536, .reconnect_ms = 10};
    ivflat_hooks hooks = {
        .struct_size = sizeof(hooks), .user = peer, .interrupt = on_interrupt, .link_changed = on_link};

    return ivflat_device_new(&peer->dev, &config, &hooks) == 0 && ivflat_device_connect(peer->dev, test_path("s")) == 0;
}

/* Dispatches until it is so. */
#define UNTIL(peer, condition)                                                                                         \
    while (!(condition)) {                                                                                             \
        ck_assert_msg(ivflat_device_wait((peer)->dev, PATIENCE_MS) == 1, "%s did not come", #condition);               \
        ivflat_device_dispatch((peer)->dev);                                                                           \
    }

static void ring(const struct peer *peer, uint32_t id, uint32_t vector)
{
    ivflat_device_write(peer->dev, IVFLAT_REG_DOORBELL, 4, id << 16 | vector);
}

/* The one that is there beside @peer, all its vectors known; -1: nobody. */
static int32_t other_of(const struct peer *peer)
{
    int32_t id = ivflat_device_next_peer(peer->dev, -1);

    if (id == ivflat_device_id(peer->dev)) {
        id = ivflat_device_next_peer(peer->dev, id);
    }
    return id >= 0 && ivflat_device_peer_vectors(peer->dev, (uint32_t)id) == VECTORS ? id : -1;
}

/* In another process: rings back what it is rung, and leaves when it is rung the last. */
static void echo(struct peer *peer, uint32_t vector)
{
    peer->leaves = vector == LAST;
    ring(peer, (uint32_t)other_of(peer), vector);
}

static int live(void *argument)
{
    struct peer peer = {.on_rung = echo};

    (void)argument;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (!join(&peer)) {
        return EXIT_FAILURE;
    }
    while (!peer.leaves) {
        if (ivflat_device_wait(peer.dev, PATIENCE_MS) != 1) {
            return EXIT_FAILURE;
        }
        ivflat_device_dispatch(peer.dev);
    }
    ivflat_device_free(peer.dev);
    return EXIT_SUCCESS;
}

/* Rings until the echo comes: the other may not know us yet, and then it has nobody to ring back. */
static void expect_echo(struct peer *peer, uint32_t vector)
{
    uint64_t before = peer->rung[vector];

    UNTIL(peer, other_of(peer) >= 0);
    for (int tries = 0; peer->rung[vector] == before; tries++) {
        ck_assert_int_lt(tries, PATIENCE_MS / 50);
        ring(peer, (uint32_t)other_of(peer), vector);
        if (ivflat_device_wait(peer->dev, 50) == 1) {
            ivflat_device_dispatch(peer->dev);
        }
    }
}

static void free_peer(void *argument)
{
    struct peer *peer = argument;

    ivflat_device_free(peer->dev);
}

START_TEST(what_outlives_the_server_and_what_comes_back_with_it)
{
    struct process *server = server_begin("4");
    static struct peer peer;
    unsigned char *memory;
    int child;

    peer = (struct peer){0};
    ck_assert(join(&peer));
    at_test_end(free_peer, &peer);
    child = run_child(live, NULL);
    expect_echo(&peer, 2); /* so it has its vectors 0 to 2: we heard of them first (P21) */
    memory = ivflat_device_memory(peer.dev);
    memory[100] = 7;

    process_end(server, SIGKILL);
    UNTIL(&peer, peer.downs > 0);
    expect_echo(&peer, 1); /* P17: those who know each other go on */
    ck_assert_int_eq(memory[100], 7);

    server = server_begin("4"); /* P18: others' ids, descriptors and memory, at the same address */
    UNTIL(&peer, ivflat_device_link(peer.dev) == IVFLAT_LINK_READY);
    ck_assert_ptr_eq(ivflat_device_memory(peer.dev), memory);
    ck_assert_int_eq(memory[100], 0);
    process_expect(server, "client 1 joined");
    expect_echo(&peer, 0);

    expect_echo(&peer, LAST);
    ck_assert_int_eq(join_child(child), 0);
    UNTIL(&peer, other_of(&peer) < 0);
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(a_device_here_and_a_person_there)
{
    static struct peer peer;
    struct process *client;
    unsigned char *memory;

    peer = (struct peer){0};
    server_begin("4");
    ck_assert(join(&peer));
    at_test_end(free_peer, &peer);
    UNTIL(&peer, ivflat_device_peer_vectors(peer.dev, 0) == VECTORS);
    memory = ivflat_device_memory(peer.dev);
    client = client_begin("1");
    UNTIL(&peer, ivflat_device_peer_vectors(peer.dev, 1) == VECTORS);

    client_does(client, "write 8 over there", "wrote 10 bytes");
    client_does(client, "ring 0 2", "rang peer 0, vector 2\n");
    UNTIL(&peer, peer.rung[2] == 1);
    ck_assert_mem_eq(memory + 8, "over there", 10);

    memcpy(memory + 8, "over here!", 10);
    ring(&peer, 1, 3);
    process_expect(client, "interrupt on vector 3, 1 time\n");
    client_does(client, "read 8 10", "read 8: \"over here!\"\n");

    process_end(client, SIGKILL); /* whichever way it goes, the server tells */
    UNTIL(&peer, ivflat_device_peer_vectors(peer.dev, 1) == 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("processes");
    TCase *tcase = suite_case(suite, "processes");

    tcase_add_test(tcase, a_device_here_and_a_person_there);
    tcase_add_test(tcase, what_outlives_the_server_and_what_comes_back_with_it);
    return suite_run(suite);
}
