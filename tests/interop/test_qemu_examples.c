/* SPDX-License-Identifier: BSD-3-Clause */
/* QEMU's example server with our device, and QEMU's example client at our server.  No distribution has them, so they
 * are named by the environment, IVSHMEM_SERVER and IVSHMEM_CLIENT, and else not tested. */
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "peer.h"
#include "process.h"
#include "qemu.h"
#include "rings.h"
#include "server.h"
#include "support.h"

#define SKIPPED 77

#define VECTORS     3u
#define VECTORS_ARG "3"
#define MIB         0x100000u

/* QEMU's server ------------------------------------------------------------------------------------------------------ */

START_TEST(our_devices_join_qemus_server_and_ring_each_other)
{
    struct peer *one;
    struct peer *two;

    example_server_start(VECTORS_ARG, "1M");
    one = peer_start(socket_path());
    two = peer_start(socket_path());
    ck_assert_uint_eq(peer_id(one), 0);
    ck_assert_uint_eq(peer_id(two), 1);
    peer_rings_peer(one, two, VECTORS);
    peer_rings_peer(two, one, VECTORS);
}
END_TEST

START_TEST(our_devices_share_the_memory_of_qemus_server)
{
    struct peer *one;
    struct peer *two;

    example_server_start("1", "1M");
    one = peer_start(socket_path());
    two = peer_start(socket_path());
    ck_assert_uint_eq(ivflat_device_memory_size(one->device), MIB);
    strcpy((char *)peer_memory(one) + MIB - 16, "at the end");
    ck_assert_str_eq((const char *)peer_memory(two) + MIB - 16, "at the end");
}
END_TEST

START_TEST(our_device_hears_who_leaves_qemus_server)
{
    struct peer *stays;
    struct peer *leaves;

    example_server_start(VECTORS_ARG, "1M");
    stays = peer_start(socket_path());
    leaves = peer_start(socket_path());
    peer_wait_vectors(stays, 1, VECTORS);
    peer_end(leaves);
    peer_wait_vectors(stays, 1, 0);
}
END_TEST

START_TEST(our_devices_join_qemus_server_without_vectors)
{
    struct peer *one;
    struct peer *two;

    example_server_start("0", "1M");
    one = peer_start(socket_path());
    two = peer_start(socket_path());
    peer_ring(one, peer_id(two), 0);
    ck_assert_uint_eq(peer_heard(two), 0);
    strcpy((char *)peer_memory(one), "memory");
    ck_assert_str_eq((const char *)peer_memory(two), "memory");
}
END_TEST

START_TEST(our_devices_go_on_when_qemus_server_was_killed)
{
    struct process *server = example_server_start(VECTORS_ARG, "1M");
    struct peer *one = peer_start(socket_path());
    struct peer *two = peer_start(socket_path());

    peer_rings_peer(one, two, VECTORS);
    peer_rings_peer(two, one, VECTORS);
    process_end(server, SIGKILL);
    peer_wait_down(one);
    peer_wait_down(two);
    peer_rings_peer(one, two, VECTORS);
    peer_rings_peer(two, one, VECTORS);
}
END_TEST

START_TEST(qemu_and_our_device_ring_each_other_through_qemus_server)
{
    struct peer *peer;
    struct qemu *qemu;

    example_server_start(VECTORS_ARG, "1M");
    peer = peer_start(socket_path());
    qemu = qemu_start(socket_path(), VECTORS, "");
    peer_rings_qemu(peer, qemu, VECTORS);
    qemu_rings_peer(qemu, peer, VECTORS);
    qemu_end(qemu, SIGTERM);
    peer_wait_vectors(peer, 1, 0);
}
END_TEST

/* QEMU's client ------------------------------------------------------------------------------------------------------ */

static const char *example_client(void)
{
    return g_getenv("IVSHMEM_CLIENT");
}

/* stdbuf: else it keeps what it says until it is asked something. */
static struct process *join_client(void)
{
    const char *argv[] = {"stdbuf", "-oL", example_client(), "-v", "-S", socket_path(), NULL};
    struct process *client = process_start(argv, -1);

    process_expect(client, "listen on server socket");
    return client;
}

/* Vectors come one by one, in order. */
static void expect_vectors(struct process *client, uint32_t id)
{
    char *last = g_strdup_printf("new vector %u \\(fd=[0-9]+\\) for peer id %u\n", VECTORS - 1, id);

    process_expect(client, last);
    g_free(last);
}

static void expect_rung(struct process *client, uint32_t id, uint32_t vector)
{
    char *line = g_strdup_printf("receive notification from peer_id=%u vector=%u\n", id, vector);

    process_expect(client, line);
    g_free(line);
}

static void client_rings(struct process *client, uint32_t id, uint32_t vector)
{
    char *command = g_strdup_printf("int %u %u\n", id, vector);

    process_type(client, command);
    g_free(command);
}

START_TEST(qemus_client_joins_our_server_and_hears_each_vector)
{
    struct process *client;
    struct peer *peer;

    server_start(VECTORS_ARG, "1M");
    client = join_client();
    process_expect(client, "our_id=0\n");
    peer = peer_start(socket_path());
    peer_wait_vectors(peer, 0, VECTORS);
    for (uint32_t i = 0; i < VECTORS; i++) {
        peer_ring(peer, 0, i);
        expect_rung(client, 0, i);
    }
}
END_TEST

START_TEST(qemus_client_rings_our_device)
{
    struct process *client;
    struct peer *peer;

    server_start(VECTORS_ARG, "1M");
    client = join_client();
    peer = peer_start(socket_path());
    expect_vectors(client, 1);
    for (uint32_t i = 0; i < VECTORS; i++) {
        client_rings(client, 1, i);
        ck_assert_uint_eq(peer_wait_heard(peer, PATIENCE_MS), bit(i));
    }
}
END_TEST

START_TEST(qemus_client_hears_that_our_device_left_and_the_other_way_round)
{
    struct process *client;
    struct peer *peer;

    server_start(VECTORS_ARG, "1M");
    client = join_client();
    peer_end(peer_start(socket_path()));
    process_expect(client, "delete peer id = 1\n");
    peer = peer_start(socket_path());
    process_expect(client, "new peer id = 2\n");
    peer_wait_vectors(peer, 0, VECTORS);
    process_end(client, SIGKILL);
    peer_wait_vectors(peer, 0, 0);
}
END_TEST

START_TEST(two_of_qemus_clients_ring_each_other_through_our_server)
{
    struct process *one;
    struct process *two;

    server_start(VECTORS_ARG, "1M");
    one = join_client();
    two = join_client();
    expect_vectors(one, 1);
    expect_vectors(two, 0);
    for (uint32_t i = 0; i < VECTORS; i++) {
        client_rings(one, 1, i);
        expect_rung(two, 1, i);
        client_rings(two, 0, i);
        expect_rung(one, 0, i);
    }
}
END_TEST

START_TEST(qemus_client_rings_qemu_through_our_server)
{
    struct process *client;
    struct qemu *qemu;

    server_start(VECTORS_ARG, "1M");
    client = join_client();
    qemu = qemu_start(socket_path(), VECTORS, "");
    expect_vectors(client, 1);
    for (uint32_t i = 0; i < VECTORS; i++) {
        client_rings(client, 1, i);
        ck_assert_uint_eq(qemu_wait_heard(qemu), bit(i));
    }
}
END_TEST

/* -------------------------------------------------------------------------------------------------------------------- */

static void add_server(Suite *suite)
{
    TCase *tcase = suite_case(suite, "QEMU's server");

    tcase_add_test(tcase, our_devices_join_qemus_server_and_ring_each_other);
    tcase_add_test(tcase, our_devices_share_the_memory_of_qemus_server);
    tcase_add_test(tcase, our_device_hears_who_leaves_qemus_server);
    tcase_add_test(tcase, our_devices_join_qemus_server_without_vectors);
    tcase_add_test(tcase, our_devices_go_on_when_qemus_server_was_killed);
    if (!qemu_missing()) {
        tcase_add_test(tcase, qemu_and_our_device_ring_each_other_through_qemus_server);
    }
}

static void add_client(Suite *suite)
{
    TCase *tcase = suite_case(suite, "QEMU's client");

    tcase_add_test(tcase, qemus_client_joins_our_server_and_hears_each_vector);
    tcase_add_test(tcase, qemus_client_rings_our_device);
    tcase_add_test(tcase, qemus_client_hears_that_our_device_left_and_the_other_way_round);
    tcase_add_test(tcase, two_of_qemus_clients_ring_each_other_through_our_server);
    if (!qemu_missing()) {
        tcase_add_test(tcase, qemus_client_rings_qemu_through_our_server);
    }
}

int main(void)
{
    Suite *suite;

    if (!example_server() && !example_client()) {
        printf("skipped: neither IVSHMEM_SERVER nor IVSHMEM_CLIENT names QEMU's example server or client\n");
        return SKIPPED;
    }
    suite = suite_create("QEMU's examples");
    if (example_server()) {
        add_server(suite);
    }
    if (example_client()) {
        add_client(suite);
    }
    return suite_run(suite);
}
