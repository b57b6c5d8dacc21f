/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets, messages with descriptors, waiting. */
#include "raw.h"
#include "support.h"

#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <libivflat/ivflat.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint8_t eight[8] = {1, 2, 3, 4, 5, 6, 7, 8};
static struct ivf_received received;
static uint8_t bytes[8];

static void close_received(void)
{
    for (uint32_t i = 0; i < received.fd_count; i++) {
        close_fd(received.fds[i]);
    }
}

/* Sockets --------------------------------------------------------------------------------------------------------- */

START_TEST(a_path_has_1_to_107_bytes)
{
    char path[200];

    memset(path, 'x', sizeof(path));
    path[107] = '\0';
    ck_assert_int_eq(ivf_fd_check_path(path), 0);
    ck_assert_int_eq(ivf_fd_check_path("s"), 0);
    ck_assert_int_eq(ivf_fd_check_path(NULL), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivf_fd_check_path(""), IVFLAT_ERR_INVALID);
    path[107] = 'x';
    path[108] = '\0';
    ck_assert_int_eq(ivf_fd_check_path(path), IVFLAT_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "107"));
}
END_TEST

/* All 107 bytes are used: no shorter name is taken for it. */
START_TEST(a_path_of_107_bytes_works)
{
    char path[200];
    int listener, client;

    ck_assert_int_lt(snprintf(path, sizeof(path), "%s/", test_folder()), 107);
    memset(path + strlen(path), 'x', 107 - strlen(path));
    path[107] = '\0';
    listener = raw_listen(path, 1);
    ck_assert_int_ge(listener, 0);
    ck_assert_int_eq(access(path, F_OK), 0);
    client = ivf_fd_connect(path);
    ck_assert_int_ge(client, 0);
    close_fd(client);
    close_fd(listener);
}
END_TEST

START_TEST(what_is_a_connected_socket)
{
    int ends[2];
    int listener = raw_listen(test_path("s"), 1);
    int event = make_eventfd();

    make_socketpair(ends);
    ck_assert_int_eq(ivf_fd_check_socket(ends[0]), 0);
    ck_assert_int_eq(ivf_fd_check_socket(listener), -ENOTCONN);
    ck_assert_int_eq(ivf_fd_check_socket(event), -ENOTSOCK);
    ck_assert_int_eq(ivf_fd_check_socket(-1), -EBADF);
    close_fd(ends[0]);
    close_fd(ends[1]);
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    ck_assert_int_eq(ivf_fd_check_socket(ends[0]), -EPROTOTYPE);
    close_fd(ends[0]);
    close_fd(ends[1]);
    close_fd(listener);
    close_fd(event);
}
END_TEST

START_TEST(P23_a_full_queue_answers_EAGAIN)
{
    int listener = raw_listen(test_path("s"), 0);
    int first = ivf_fd_connect(test_path("s"));
    int server;

    ck_assert_int_ge(first, 0);
    ck_assert_int_eq(ivf_fd_connect(test_path("s")), -EAGAIN);
    ck_assert_int_eq(ivf_fd_connect(test_path("s")), -EAGAIN);
    server = raw_accept(listener);
    close_fd(first);
    first = ivf_fd_connect(test_path("s"));
    ck_assert_int_ge(first, 0);
    ck_assert(get_nonblock(first));
    close_fd(first);
    close_fd(server);
    close_fd(listener);
}
END_TEST

START_TEST(connecting_to_nobody)
{
    ck_assert_int_eq(ivf_fd_connect(test_path("nobody")), -ENOENT);
    close_fd(raw_listen(test_path("stale"), 1));
    ck_assert_int_eq(ivf_fd_connect(test_path("stale")), -ECONNREFUSED);
}
END_TEST

START_TEST(a_stale_socket_is_removed_a_live_one_is_not)
{
    int live = raw_listen(test_path("live"), 0);
    struct stat status;

    ck_assert_int_eq(ivf_fd_remove_stale(test_path("nothing")), 0);
    close_fd(raw_listen(test_path("stale"), 1));
    ck_assert_int_eq(ivf_fd_remove_stale(test_path("stale")), 0);
    ck_assert_int_eq(stat(test_path("stale"), &status), -1);
    ck_assert_int_eq(ivf_fd_remove_stale(test_path("live")), -EADDRINUSE);
    ck_assert_msg(!is_readable(live), "who listens there saw a client come");
    ck_assert_int_eq(stat(test_path("live"), &status), 0);
    close_fd(live);
    live = open(test_path("file"), O_CREAT | O_RDWR, 0600);
    ck_assert_int_eq(ivf_fd_remove_stale(test_path("file")), -EEXIST);
    ck_assert_int_eq(stat(test_path("file"), &status), 0);
    close_fd(live);
}
END_TEST

START_TEST(accepting)
{
    int listener = raw_listen(test_path("s"), 1);
    int client, server;

    set_nonblock(listener, true);
    ck_assert_int_eq(ivf_fd_accept(listener), -EAGAIN);
    client = ivf_fd_connect(test_path("s"));
    server = ivf_fd_accept(listener);
    ck_assert_int_ge(server, 0);
    ck_assert(get_nonblock(server));
    close_fd(client);
    close_fd(server);
    close_fd(listener);
}
END_TEST

/* Messages -------------------------------------------------------------------------------------------------------- */

START_TEST(P1_a_message_with_a_descriptor)
{
    int ends[2];
    int event = make_eventfd();

    make_socketpair(ends);
    raw_send(ends[0], eight, 8, &event, 1);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 8, &received), 8);
    ck_assert_mem_eq(bytes, eight, 8);
    ck_assert_uint_eq(received.fd_count, 1);
    ck_assert(!received.lost);
    ck_assert_int_eq(fcntl(received.fds[0], F_GETFD), FD_CLOEXEC);
    add_count(received.fds[0], 4);
    ck_assert_uint_eq(take_count(event), 4);
    close_received();
    raw_send(ends[0], eight, 8, NULL, 0);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 8, &received), 8);
    ck_assert_uint_eq(received.fd_count, 0);
    close_fd(event);
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

START_TEST(P2_no_more_than_asked_for)
{
    int ends[2];

    make_socketpair(ends);
    raw_send(ends[0], eight, 8, NULL, 0);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 3, &received), 3);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes + 3, 5, &received), 5);
    ck_assert_mem_eq(bytes, eight, 8);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 8, &received), -EAGAIN); /* it does not block, flag or no flag */
    close_fd(ends[0]);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 8, &received), 0);
    close_fd(ends[1]);
}
END_TEST

START_TEST(P13_every_descriptor_comes_out)
{
    int ends[2], fds[RAW_FDS_MAX];

    make_socketpair(ends);
    for (int i = 0; i < RAW_FDS_MAX; i++) {
        fds[i] = make_eventfd();
    }
    raw_send(ends[0], eight, 8, fds, RAW_FDS_MAX);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 8, &received), 8);
    ck_assert_uint_eq(received.fd_count, RAW_FDS_MAX);
    ck_assert(!received.lost);
    close_received();
    for (int i = 0; i < RAW_FDS_MAX; i++) {
        close_fd(fds[i]);
    }
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

/* The kernel's most: 253. */
START_TEST(P13_253_descriptors_at_once)
{
    int ends[2], fds[253];
    int event = make_eventfd();
    union {
        char space[CMSG_SPACE(253 * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec piece = {.iov_base = (void *)(uintptr_t)eight, .iov_len = 8};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control.space, .msg_controllen = sizeof(control.space)};

    make_socketpair(ends);
    for (int i = 0; i < 253; i++) {
        fds[i] = event;
    }
    control.align.cmsg_level = SOL_SOCKET;
    control.align.cmsg_type = SCM_RIGHTS;
    control.align.cmsg_len = CMSG_LEN(sizeof(fds));
    memcpy(CMSG_DATA(&control.align), fds, sizeof(fds));
    ck_assert_int_eq(sendmsg(ends[0], &message, 0), 8);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 8, &received), 8);
    ck_assert_uint_eq(received.fd_count, 253);
    ck_assert(!received.lost);
    close_received();
    close_fd(event);
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

/* The loop's number is how many of the two still fit our table. */
START_TEST(P14_a_full_table)
{
    int ends[2], fds[2];

    if (!can_lose_fds()) {
        return;
    }
    for (int i = 0; i < 2; i++) {
        fds[i] = make_eventfd();
    }
    make_socketpair(ends);
    raw_send(ends[0], eight, 8, fds, 2);
    fill_fds((uint32_t)_i);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 8, &received), 8);
    close_received();
    fill_fds_undo();
    ck_assert_int_eq(received.lost, _i < 2);
    ck_assert_uint_eq(received.fd_count, (uint32_t)_i);
    for (int i = 0; i < 2; i++) {
        close_fd(fds[i]);
        close_fd(ends[i]);
    }
}
END_TEST

START_TEST(receiving_from_nobody)
{
    ck_assert_int_eq(ivf_fd_receive(-1, bytes, 8, &received), -EBADF);
}
END_TEST

/* Waiting --------------------------------------------------------------------------------------------------------- */

START_TEST(ready_says_what_and_how)
{
    int epoll = ivf_fd_epoll();
    int event = make_eventfd();
    struct ivf_ready ready[2];
    int ends[2];

    make_socketpair(ends);
    ck_assert_int_eq(ivf_fd_watch(epoll, event, 7), 0);
    ck_assert_int_eq(ivf_fd_watch(epoll, ends[0], UINT64_MAX), 0);
    ck_assert_int_eq(ivf_fd_watch(epoll, ends[0], 1), -EEXIST);
    ck_assert_int_eq(ivf_fd_ready(epoll, ready, 2), 0);
    add_count(event, 1);
    ck_assert_int_eq(ivf_fd_ready(epoll, ready, 2), 1);
    ck_assert(ready[0].tag == 7 && ready[0].readable && !ready[0].writable);
    take_count(event);
    ck_assert_int_eq(ivf_fd_watch_writable(epoll, ends[0], 9, true), 0);
    ck_assert_int_eq(ivf_fd_ready(epoll, ready, 2), 1);
    ck_assert(ready[0].tag == 9 && !ready[0].readable && ready[0].writable);
    ck_assert_int_eq(ivf_fd_watch_writable(epoll, ends[0], 9, false), 0);
    ck_assert_int_eq(ivf_fd_ready(epoll, ready, 2), 0);
    close_fd(ends[1]);
    ck_assert_int_eq(ivf_fd_ready(epoll, ready, 2), 1);
    ck_assert(ready[0].readable);
    ivf_fd_unwatch(epoll, ends[0]);
    ck_assert_int_eq(ivf_fd_ready(epoll, ready, 2), 0);
    ck_assert_int_eq(ivf_fd_ready(-1, ready, 2), -EBADF);
    close_fd(ends[0]);
    close_fd(event);
    close_fd(epoll);
}
END_TEST

START_TEST(no_more_than_there_is_room_for)
{
    int epoll = ivf_fd_epoll();
    struct ivf_ready ready[100];
    int fds[80];

    for (int i = 0; i < 80; i++) {
        fds[i] = make_eventfd();
        add_count(fds[i], 1);
        ck_assert_int_eq(ivf_fd_watch(epoll, fds[i], (uint64_t)i), 0);
    }
    ck_assert_int_eq(ivf_fd_ready(epoll, ready, 5), 5);
    ck_assert_int_le(ivf_fd_ready(epoll, ready, 100), 80);
    ck_assert_int_ge(ivf_fd_ready(epoll, ready, 100), 5);
    for (int i = 0; i < 80; i++) {
        close_fd(fds[i]);
    }
    close_fd(epoll);
}
END_TEST

START_TEST(an_event_is_set_and_taken_back)
{
    int event = ivf_fd_event();

    ck_assert_int_eq(ivf_fd_poll(event, 0), 0);
    ivf_fd_event_set(event);
    ivf_fd_event_set(event);
    ck_assert_int_eq(ivf_fd_poll(event, -1), 1);
    ivf_fd_event_clear(event);
    ck_assert_int_eq(ivf_fd_poll(event, 0), 0);
    ivf_fd_event_clear(event); /* not set: nothing */
    errno = 77;
    add_count(event, UINT64_MAX - 1);
    ivf_fd_event_set(event); /* full: it is set, and a signal handler's errno is as it was */
    ck_assert_int_eq(errno, 77);
    ck_assert_int_eq(ivf_fd_poll(event, 0), 1);
    close_fd(event);
}
END_TEST

START_TEST(a_timer_runs_at_its_time)
{
    int timer = ivf_fd_timer();
    int64_t start = ivf_fd_now();

    ck_assert_int_eq(ivf_fd_poll(timer, 0), 0);
    ivf_fd_timer_set(timer, start + 10);
    ck_assert_int_eq(ivf_fd_poll(timer, PATIENCE_MS), 1);
    ck_assert_int_ge(ivf_fd_now(), start + 10);
    ivf_fd_timer_set(timer, 0);
    ck_assert_int_eq(ivf_fd_poll(timer, 20), 0);
    ivf_fd_timer_set(timer, start); /* in the past: at once */
    ck_assert_int_eq(ivf_fd_poll(timer, PATIENCE_MS), 1);
    close_fd(timer);
}
END_TEST

START_TEST(closing)
{
    int fd = make_eventfd();

    errno = 77;
    ivf_fd_close(fd);
    ck_assert(!is_open(fd));
    errno = 77;
    ivf_fd_close(-1);
    ivf_fd_close(-3);
    ivf_fd_close(9999);
    ck_assert_int_eq(errno, 77);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("fdio");
    TCase *tcase = suite_case(suite, "sockets");

    tcase_add_test(tcase, a_path_has_1_to_107_bytes);
    tcase_add_test(tcase, a_path_of_107_bytes_works);
    tcase_add_test(tcase, what_is_a_connected_socket);
    tcase_add_test(tcase, P23_a_full_queue_answers_EAGAIN);
    tcase_add_test(tcase, connecting_to_nobody);
    tcase_add_test(tcase, a_stale_socket_is_removed_a_live_one_is_not);
    tcase_add_test(tcase, accepting);
    tcase = suite_case(suite, "messages");
    tcase_add_test(tcase, P1_a_message_with_a_descriptor);
    tcase_add_test(tcase, P2_no_more_than_asked_for);
    tcase_add_test(tcase, P13_every_descriptor_comes_out);
    tcase_add_test(tcase, P13_253_descriptors_at_once);
    tcase_add_loop_test(tcase, P14_a_full_table, 0, 3);
    tcase_add_test(tcase, receiving_from_nobody);
    tcase = suite_case(suite, "waiting");
    tcase_add_test(tcase, ready_says_what_and_how);
    tcase_add_test(tcase, no_more_than_there_is_room_for);
    tcase_add_test(tcase, an_event_is_set_and_taken_back);
    tcase_add_test(tcase, a_timer_runs_at_its_time);
    tcase_add_test(tcase, closing);
    return suite_run(suite);
}
