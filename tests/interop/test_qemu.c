/* SPDX-License-Identifier: BSD-3-Clause */
/* Stock QEMU, which we did not write, at our server and with our device. */
#include <glib.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "peer.h"
#include "process.h"
#include "qemu.h"
#include "rings.h"
#include "server.h"
#include "setting.h"
#include "support.h"

/* Both ways that QEMU has of ringing. */
static const char *const properties[] = {"ioeventfd=on", "ioeventfd=off"};

/* Joining ---------------------------------------------------------------------------------------------------------- */

START_TEST(qemu_joins_our_server)
{
    struct qemu *qemu;

    start_server();
    qemu = join_qemu();
    ck_assert_uint_eq(qemu_id(qemu), 0);
    ck_assert_uint_eq(qemu->memory_size, MIB);
}
END_TEST

START_TEST(each_qemu_gets_the_next_id)
{
    start_server();
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(qemu_id(join_qemu()), i);
    }
}
END_TEST

/* QEMU's device takes powers of two alone, and ends when it gets anything else. */
START_TEST(memory_that_is_no_power_of_two_is_rounded_up_so_that_qemu_takes_it)
{
    struct qemu *qemu;

    server_start("1", "3M");
    qemu = qemu_start(socket_path(), 1, "");
    ck_assert_uint_eq(qemu->memory_size, 4 * MIB);
    ck_assert_uint_eq(ivflat_device_memory_size(peer_start(socket_path())->device), 4 * MIB);
}
END_TEST

/* Ringing ---------------------------------------------------------------------------------------------------------- */

START_TEST(our_device_rings_qemu_on_each_vector)
{
    struct qemu *qemu;

    start_server();
    qemu = join_qemu();
    peer_rings_qemu(peer_start(socket_path()), qemu, VECTORS);
}
END_TEST

START_TEST(qemu_rings_our_device_on_each_vector)
{
    struct peer *peer;

    start_server();
    peer = peer_start(socket_path());
    qemu_rings_peer(qemu_start(socket_path(), VECTORS, properties[_i]), peer, VECTORS);
    for (uint32_t i = 0; i < VECTORS; i++) {
        ck_assert_uint_eq(peer->rung[i], 1);
    }
}
END_TEST

START_TEST(rings_of_qemu_that_wait_are_counted_and_none_is_lost)
{
    struct qemu *qemu;
    struct peer *peer;

    start_server();
    peer = peer_start(socket_path());
    qemu = qemu_start(socket_path(), VECTORS, properties[_i]);
    qemu_meets_peer(qemu, peer, VECTORS);
    for (uint32_t i = 0; i < 300; i++) {
        qemu_ring(qemu, peer_id(peer), i % 3);
    }
    ck_assert_uint_eq(peer_heard(peer), bit(0) | bit(1) | bit(2));
    for (uint32_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(peer->rung[i], 100);
    }
}
END_TEST

START_TEST(a_vector_or_a_peer_that_is_not_there_is_ignored_by_both)
{
    struct qemu *qemu;
    struct peer *peer;

    start_server();
    qemu = join_qemu();
    peer = peer_start(socket_path());
    qemu_meets_peer(qemu, peer, VECTORS);
    peer_wait_vectors(peer, qemu_id(qemu), VECTORS);
    qemu_ring(qemu, peer_id(peer), VECTORS);
    qemu_ring(qemu, 17, 0);
    qemu_ring(qemu, 65535, 0);
    ck_assert_uint_eq(peer_heard(peer), 0);
    peer_ring(peer, qemu_id(qemu), VECTORS);
    peer_ring(peer, 17, 0);
    peer_ring(peer, 65535, 65535);
    ck_assert_uint_eq(qemu_heard(qemu), 0);
}
END_TEST

START_TEST(each_may_ring_itself)
{
    struct qemu *qemu;
    struct peer *peer;

    start_server();
    qemu = join_qemu();
    peer = peer_start(socket_path());
    qemu_meets_peer(qemu, peer, VECTORS);
    qemu_ring(qemu, qemu_id(qemu), 2);
    ck_assert_uint_eq(qemu_wait_heard(qemu), bit(2));
    peer_wait_vectors(peer, peer_id(peer), VECTORS);
    peer_ring(peer, peer_id(peer), 1);
    ck_assert_uint_eq(peer_heard(peer), bit(1));
}
END_TEST

START_TEST(two_qemus_ring_each_other_through_our_server)
{
    struct qemu *one;
    struct qemu *two;

    start_server();
    one = qemu_start(socket_path(), VECTORS, properties[_i]);
    two = qemu_start(socket_path(), VECTORS, properties[_i]);
    qemu_rings_qemu(one, two, VECTORS);
    qemu_rings_qemu(two, one, VECTORS);
}
END_TEST

START_TEST(a_ring_reaches_whom_it_names_and_nobody_else)
{
    struct qemu *qemus[2];
    struct peer *peers[2];

    start_server();
    for (uint32_t i = 0; i < 2; i++) {
        qemus[i] = join_qemu();
        peers[i] = peer_start(socket_path());
    }
    qemu_meets_peer(qemus[0], peers[1], VECTORS);
    peer_wait_vectors(peers[0], peer_id(peers[1]), VECTORS);
    qemu_ring(qemus[0], peer_id(peers[1]), 1);
    ck_assert_uint_eq(peer_heard(peers[1]), bit(1));
    peer_ring(peers[0], qemu_id(qemus[1]), 2);
    ck_assert_uint_eq(qemu_wait_heard(qemus[1]), bit(2));
    peer_ring(peers[0], peer_id(peers[1]), 3);
    ck_assert_uint_eq(peer_heard(peers[1]), bit(3));
    for (uint32_t i = 0; i < 2; i++) {
        ck_assert_uint_eq(qemu_heard(qemus[i]), 0);
        ck_assert_uint_eq(peer_heard(peers[i]), 0);
    }
}
END_TEST

/* Memory ----------------------------------------------------------------------------------------------------------- */

START_TEST(our_device_sees_what_qemu_wrote_to_the_memory)
{
    const char text[] = "from the guest in QEMU";
    struct peer *peer;
    struct qemu *qemu;

    start_server();
    qemu = join_qemu();
    peer = peer_start(socket_path());
    ck_assert_uint_eq(ivflat_device_memory_size(peer->device), MIB);
    qemu_write(qemu, 0, text, sizeof(text));
    qemu_write(qemu, MIB - sizeof(text), text, sizeof(text));
    ck_assert_mem_eq(peer_memory(peer), text, sizeof(text));
    ck_assert_mem_eq(peer_memory(peer) + MIB - sizeof(text), text, sizeof(text));
}
END_TEST

/* The doorbell comes after the text: who has heard it has to see it. */
START_TEST(qemu_sees_what_our_device_wrote_to_the_memory_before_it_rang)
{
    const char text[] = "from the guest of our device";
    char seen[sizeof(text)];
    struct peer *peer;
    struct qemu *qemu;

    start_server();
    qemu = join_qemu();
    peer = peer_start(socket_path());
    peer_wait_vectors(peer, qemu_id(qemu), VECTORS);
    memcpy(peer_memory(peer) + MIB - sizeof(text), text, sizeof(text));
    peer_ring(peer, qemu_id(qemu), 0);
    ck_assert_uint_eq(qemu_wait_heard(qemu), bit(0));
    qemu_read(qemu, MIB - sizeof(text), seen, sizeof(seen));
    ck_assert_str_eq(seen, text);
}
END_TEST

/* Besides memory that nobody can resize, which the server makes when it is not asked for anything else. */
START_TEST(qemu_and_our_device_share_memory_of_every_kind)
{
    char *name = g_strdup_printf("ivflat-test-%d", getpid());
    const char *const options[][2] = {{"-m", test_folder()}, {"-M", name}};
    struct process *server = server_start_with("1", "1M", options[_i][0], options[_i][1]);
    struct qemu *qemu = qemu_start(socket_path(), 1, "");
    struct peer *peer = peer_start(socket_path());

    qemu_write(qemu, MIB - 8, "memory", 7);
    ck_assert_str_eq((const char *)peer_memory(peer) + MIB - 8, "memory");
    ck_assert_int_eq(process_end(server, SIGTERM), 0);
    g_free(name);
}
END_TEST

START_TEST(two_qemus_share_the_memory)
{
    const char text[] = "from one QEMU to the other";
    char seen[sizeof(text)];
    struct qemu *one;
    struct qemu *two;

    start_server();
    one = join_qemu();
    two = join_qemu();
    qemu_write(one, 4096, text, sizeof(text));
    qemu_read(two, 4096, seen, sizeof(seen));
    ck_assert_str_eq(seen, text);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------------ */

static Suite *suite(void)
{
    Suite *suite = suite_create("qemu");
    TCase *joining = suite_case(suite, "joining");
    TCase *ringing = suite_case(suite, "ringing");
    TCase *memory = suite_case(suite, "memory");

    tcase_add_test(joining, qemu_joins_our_server);
    tcase_add_test(joining, each_qemu_gets_the_next_id);
    tcase_add_test(joining, memory_that_is_no_power_of_two_is_rounded_up_so_that_qemu_takes_it);
    tcase_add_test(ringing, our_device_rings_qemu_on_each_vector);
    tcase_add_loop_test(ringing, qemu_rings_our_device_on_each_vector, 0, 2);
    tcase_add_loop_test(ringing, rings_of_qemu_that_wait_are_counted_and_none_is_lost, 0, 2);
    tcase_add_test(ringing, a_vector_or_a_peer_that_is_not_there_is_ignored_by_both);
    tcase_add_test(ringing, a_ring_reaches_whom_it_names_and_nobody_else);
    tcase_add_test(ringing, each_may_ring_itself);
    tcase_add_loop_test(ringing, two_qemus_ring_each_other_through_our_server, 0, 2);
    tcase_add_test(memory, our_device_sees_what_qemu_wrote_to_the_memory);
    tcase_add_test(memory, qemu_sees_what_our_device_wrote_to_the_memory_before_it_rang);
    tcase_add_loop_test(memory, qemu_and_our_device_share_memory_of_every_kind, 0, 2);
    tcase_add_test(memory, two_qemus_share_the_memory);
    return suite;
}

int main(void)
{
    return run_with_qemu(suite);
}
