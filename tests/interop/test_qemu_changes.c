/* SPDX-License-Identifier: BSD-3-Clause */
/* Stock QEMU with our server and our device: who joins when, who leaves how, and vectors that differ in number. */
#include <signal.h>

#include "peer.h"
#include "process.h"
#include "qemu.h"
#include "rings.h"
#include "server.h"
#include "setting.h"
#include "support.h"

/* Coming and going ------------------------------------------------------------------------------------------------- */

START_TEST(qemu_that_joined_before_us_and_we_ring_each_other)
{
    struct qemu *qemu;
    struct peer *peer;

    start_server();
    qemu = join_qemu();
    peer = peer_start(socket_path());
    ck_assert_uint_eq(peer_id(peer), 1);
    peer_rings_qemu(peer, qemu, VECTORS);
    qemu_rings_peer(qemu, peer, VECTORS);
}
END_TEST

START_TEST(qemu_that_joins_after_us_and_we_ring_each_other)
{
    struct qemu *qemu;
    struct peer *peer;

    start_server();
    peer = peer_start(socket_path());
    qemu = join_qemu();
    ck_assert_uint_eq(qemu_id(qemu), 1);
    peer_rings_qemu(peer, qemu, VECTORS);
    qemu_rings_peer(qemu, peer, VECTORS);
}
END_TEST

static const int ends[] = {SIGTERM, SIGKILL};

START_TEST(our_device_hears_that_qemu_quit_or_was_killed)
{
    struct qemu *leaves;
    struct qemu *stays;
    struct peer *peer;

    start_server();
    peer = peer_start(socket_path());
    leaves = join_qemu();
    stays = join_qemu();
    peer_wait_vectors(peer, 1, VECTORS);
    qemu_end(leaves, ends[_i]);
    peer_wait_vectors(peer, 1, 0);
    peer_ring(peer, 1, 0);
    ck_assert_uint_eq(ivflat_device_link(peer->device), IVFLAT_LINK_READY);
    peer_rings_qemu(peer, stays, VECTORS);
}
END_TEST

START_TEST(qemu_that_comes_back_is_a_new_peer)
{
    struct qemu *again;
    struct peer *peer;

    start_server();
    peer = peer_start(socket_path());
    qemu_end(join_qemu(), SIGKILL);
    peer_wait_vectors(peer, 1, 0);
    again = join_qemu();
    ck_assert_uint_eq(qemu_id(again), 2);
    peer_rings_qemu(peer, again, VECTORS);
    qemu_rings_peer(again, peer, VECTORS);
    ck_assert_uint_eq(ivflat_device_peer_vectors(peer->device, 1), 0);
}
END_TEST

/* Some of these leaves come while QEMU reads of later joins. */
START_TEST(qemu_goes_on_when_our_devices_come_and_go)
{
    struct qemu *qemu;
    struct peer *peer;

    start_server();
    qemu = join_qemu();
    for (uint32_t i = 0; i < 20; i++) {
        peer_end(peer_start(socket_path()));
        qemu_ring(qemu, 1 + i, 0);
    }
    peer = peer_start(socket_path());
    ck_assert_uint_eq(peer_id(peer), 21);
    peer_rings_qemu(peer, qemu, VECTORS);
    qemu_rings_peer(qemu, peer, VECTORS);
}
END_TEST

/* 32 * 17 messages, far more than a socket takes: the server has to keep them, and to serve the others meanwhile. */
START_TEST(qemu_that_was_stopped_hears_of_all_that_happened_meanwhile)
{
    struct qemu *qemu;
    struct peer *peer;

    server_start("16", "1M");
    qemu = qemu_start(socket_path(), 16, "");
    ck_assert_int_eq(kill(process_pid(qemu->process), SIGSTOP), 0);
    for (uint32_t i = 0; i < 32; i++) {
        peer_end(peer_start(socket_path()));
    }
    peer = peer_start(socket_path());
    ck_assert_int_eq(kill(process_pid(qemu->process), SIGCONT), 0);
    ck_assert_uint_eq(peer_id(peer), 33);
    peer_rings_qemu(peer, qemu, 16);
    qemu_rings_peer(qemu, peer, 16);
}
END_TEST

START_TEST(all_go_on_when_our_server_is_gone)
{
    struct process *server = start_server();
    struct peer *peer = peer_start(socket_path());
    struct qemu *one = join_qemu();
    struct qemu *two = join_qemu();

    qemu_meets_peer(one, peer, VECTORS);
    qemu_meets_qemu(one, two, VECTORS);
    qemu_meets_qemu(two, one, VECTORS);
    peer_wait_vectors(peer, 1, VECTORS);
    peer_wait_vectors(peer, 2, VECTORS);
    ck_assert_int_eq(process_end(server, ends[_i]), ends[_i] == SIGTERM ? 0 : SIGKILL);
    peer_wait_down(peer);
    peer_rings_qemu(peer, two, VECTORS);
    qemu_rings_peer(one, peer, VECTORS);
    qemu_rings_qemu(one, two, VECTORS);
    qemu_rings_qemu(two, one, VECTORS);
}
END_TEST

/* Numbers of vectors that differ ----------------------------------------------------------------------------------- */

START_TEST(a_server_with_fewer_vectors_than_qemu)
{
    struct qemu *qemu;
    struct peer *peer;

    server_start("2", "1M");
    qemu = join_qemu();
    peer = peer_start(socket_path());
    peer_rings_qemu(peer, qemu, 2);
    qemu_rings_peer(qemu, peer, 2);
    peer_ring(peer, qemu_id(qemu), 2);
    qemu_ring(qemu, peer_id(peer), 2);
    ck_assert_uint_eq(qemu_heard(qemu), 0);
    ck_assert_uint_eq(peer_heard(peer), 0);
}
END_TEST

/* QEMU closes the surplus of its own vectors and of each peer's, and says so; the rest works. */
START_TEST(a_server_with_more_vectors_than_qemu)
{
    struct qemu *qemu;
    struct peer *peer;

    server_start("6", "1M");
    qemu = join_qemu();
    qemu->complaint = "Too many eventfd received, device has 4 vectors";
    peer = peer_start(socket_path());
    peer_wait_vectors(peer, qemu_id(qemu), 6);
    for (uint32_t i = 0; i < 6; i++) {
        peer_ring(peer, qemu_id(qemu), i);
        ck_assert_uint_eq(i < VECTORS ? qemu_wait_heard(qemu) : qemu_heard(qemu), i < VECTORS ? bit(i) : 0);
    }
    qemu_rings_peer(qemu, peer, VECTORS);
}
END_TEST

START_TEST(sixty_four_vectors)
{
    struct qemu *qemu;
    struct peer *peer;

    server_start("64", "1M");
    peer = peer_start(socket_path());
    qemu = qemu_start(socket_path(), 64, "");
    peer_rings_qemu(peer, qemu, 64);
    qemu_rings_peer(qemu, peer, 64);
}
END_TEST

/* Then nobody is told of joins, but of leaves, and the memory is all there is. */
START_TEST(a_server_without_vectors)
{
    struct qemu *qemu;
    struct peer *peer;

    server_start("0", "1M");
    qemu = qemu_start(socket_path(), 1, "");
    peer_end(peer_start(socket_path()));
    peer = peer_start(socket_path());
    qemu_write(qemu, 8, "memory", 7);
    ck_assert_str_eq((const char *)peer_memory(peer) + 8, "memory");
    peer_ring(peer, qemu_id(qemu), 0);
    qemu_ring(qemu, peer_id(peer), 0);
    ck_assert_uint_eq(qemu_heard(qemu), 0);
    ck_assert_uint_eq(peer_heard(peer), 0);
    qemu_end(qemu, SIGTERM);
}
END_TEST

/* ------------------------------------------------------------------------------------------------------------------ */

static Suite *suite(void)
{
    Suite *suite = suite_create("qemu, coming and going");
    TCase *going = suite_case(suite, "coming and going");
    TCase *numbers = suite_case(suite, "numbers of vectors");

    tcase_add_test(going, qemu_that_joined_before_us_and_we_ring_each_other);
    tcase_add_test(going, qemu_that_joins_after_us_and_we_ring_each_other);
    tcase_add_loop_test(going, our_device_hears_that_qemu_quit_or_was_killed, 0, 2);
    tcase_add_test(going, qemu_that_comes_back_is_a_new_peer);
    tcase_add_test(going, qemu_goes_on_when_our_devices_come_and_go);
    tcase_add_test(going, qemu_that_was_stopped_hears_of_all_that_happened_meanwhile);
    tcase_add_loop_test(going, all_go_on_when_our_server_is_gone, 0, 2);
    tcase_add_test(numbers, a_server_with_fewer_vectors_than_qemu);
    tcase_add_test(numbers, a_server_with_more_vectors_than_qemu);
    tcase_add_test(numbers, sixty_four_vectors);
    tcase_add_test(numbers, a_server_without_vectors);
    return suite;
}

int main(void)
{
    return run_with_qemu(suite);
}
