/* SPDX-License-Identifier: BSD-3-Clause */
/* What only a server asks of the kernel: its socket, who connects there, messages by the dozen. */
#include "raw.h"
#include "support.h"

#include "fdio.h"
#include "server-io.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

/* The socket ------------------------------------------------------------------------------------------------------ */

START_TEST(a_stale_socket_is_replaced_a_live_one_is_not)
{
    int live = raw_listen(test_path("live"), 0);
    int listener;
    struct stat status;

    close_fd(raw_listen(test_path("stale"), 1));
    listener = ivf_io_listen(test_path("stale"), 0600, 0);
    ck_assert_int_ge(listener, 0);
    ck_assert(get_nonblock(listener));
    ck_assert_int_eq(fcntl(listener, F_GETFD), FD_CLOEXEC);
    close_fd(listener);
    ck_assert_int_eq(ivf_io_listen(test_path("live"), 0600, 0), -EADDRINUSE);
    ck_assert_int_eq(stat(test_path("live"), &status), 0);
    close_fd(live);
    ck_assert_int_eq(ivf_io_listen(test_path("no/such/folder"), 0600, 0), -ENOENT);
}
END_TEST

START_TEST(the_file_has_the_permissions_whatever_the_umask)
{
    static const mode_t masks[] = {0, 0077, 0777};
    struct stat status;

    for (int i = 0; i < 3; i++) {
        mode_t before = umask(masks[i]);
        int listener = ivf_io_listen(test_path("s"), 0640, 0);

        umask(before);
        ck_assert_int_ge(listener, 0);
        ck_assert_int_eq(stat(test_path("s"), &status), 0);
        ck_assert_uint_eq(status.st_mode & 07777, 0640);
        close_fd(listener);
    }
}
END_TEST

/* As nobody, for root may give a file to any group. */
static int without_the_group(void *argument)
{
    (void)argument;
    if (setresgid(65534, 65534, 65534) < 0 || setgroups(0, NULL) < 0 || setresuid(65534, 65534, 65534) < 0) {
        return 2;
    }
    return ivf_io_listen(test_path("s"), 0660, 65533) == -EPERM && access(test_path("s"), F_OK) < 0 ? 0 : 1;
}

START_TEST(the_file_has_the_group_or_nothing_is_left)
{
    char *above = g_path_get_dirname(test_folder());
    struct stat status;
    int listener;

    if (geteuid() != 0) {
        ck_assert_int_eq(ivf_io_listen(test_path("s"), 0660, 65533), -EPERM);
        ck_assert_int_eq(stat(test_path("s"), &status), -1);
    } else {
        ck_assert_int_eq(chmod(above, 0755), 0);
        ck_assert_int_eq(chmod(test_folder(), 0777), 0);
        ck_assert_int_eq(join_child(run_child(without_the_group, NULL)), 0);
        listener = ivf_io_listen(test_path("s"), 0660, 65533);
        ck_assert_int_ge(listener, 0);
        ck_assert_int_eq(stat(test_path("s"), &status), 0);
        ck_assert_uint_eq(status.st_gid, 65533);
        close_fd(listener);
    }
    g_free(above);
}
END_TEST

/* Several processes find the same stale socket at the same moment: one of them has it in the end. */
#define RACERS 8

static int start[2];
static int stop[2];
static int report[2];

static int race(void *argument)
{
    char byte;
    int fd;

    (void)argument;
    if (read(start[0], &byte, 1) != 1) {
        return 1;
    }
    fd = ivf_io_listen(test_path("s"), 0600, 0);
    byte = fd >= 0 ? 'L' : fd == -EADDRINUSE ? 'U' : '?';
    if (write(report[1], &byte, 1) != 1) {
        return 1;
    }
    return fd >= 0 && read(stop[0], &byte, 1) != 1; /* it stays until all have tried */
}

static void run_race(void)
{
    char results[RACERS + 1] = "";
    int children[RACERS];
    int winners = 0;

    for (int i = 0; i < RACERS; i++) {
        children[i] = run_child(race, NULL);
    }
    ck_assert_int_eq(write(start[1], "12345678", RACERS), RACERS);
    for (int i = 0; i < RACERS; i++) {
        wait_readable(report[0]);
        ck_assert_int_eq(read(report[0], &results[i], 1), 1);
        winners += results[i] == 'L';
    }
    ck_assert_int_eq(write(stop[1], "12345678", RACERS), RACERS);
    for (int i = 0; i < RACERS; i++) {
        ck_assert_int_eq(join_child(children[i]), 0);
    }
    ck_assert_msg(winners == 1 && !strchr(results, '?'), "%s", results);
}

START_TEST(of_many_that_start_at_once_one_listens)
{
    for (int round = 0; round < 20; round++) {
        close_fd(raw_listen(test_path("s"), 1));
        make_pipe(start);
        make_pipe(stop);
        make_pipe(report);
        run_race();
        for (int end = 0; end < 2; end++) {
            close_fd(start[end]);
            close_fd(stop[end]);
            close_fd(report[end]);
        }
        ck_assert_int_eq(unlink(test_path("s")), 0);
    }
}
END_TEST

START_TEST(a_folder_that_somebody_keeps_locked_is_told)
{
    int folder = open(test_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    ck_assert_int_eq(flock(folder, LOCK_EX), 0);
    ck_assert_int_eq(ivf_io_listen(test_path("s"), 0600, 0), -EDEADLK);
    close_fd(folder);
}
END_TEST

START_TEST(what_is_a_listener)
{
    int listener = raw_listen(test_path("s"), 1);
    int ends[2], event = make_eventfd();
    int bound = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int passes = 0;
    socklen_t length = sizeof(passes);

    set_nonblock(listener, false);
    ck_assert_int_eq(ivf_io_check_listener(listener), 0);
    ck_assert(get_nonblock(listener));
    if (getsockopt(listener, SOL_SOCKET, 83 /* SO_PASSRIGHTS */, &passes, &length) == 0) {
        ck_assert_int_eq(passes, 0);
    }
    make_socketpair(ends);
    ck_assert_int_eq(ivf_io_check_listener(ends[0]), -EPROTOTYPE);
    ck_assert_int_eq(ivf_io_check_listener(bound), -EPROTOTYPE);
    ck_assert_int_eq(ivf_io_check_listener(event), -ENOTSOCK);
    ck_assert_int_eq(ivf_io_check_listener(-1), -EBADF);
    if (tcp >= 0) {
        ck_assert_int_eq(listen(tcp, 1), 0);
        ck_assert_int_eq(ivf_io_check_listener(tcp), -EPROTOTYPE);
        close_fd(tcp);
    }
    close_fd(listener);
    close_fd(ends[0]);
    close_fd(ends[1]);
    close_fd(bound);
    close_fd(event);
}
END_TEST

START_TEST(who_is_at_the_other_end)
{
    struct ivf_identity identity;
    int ends[2];

    make_socketpair(ends);
    ivf_io_identify(ends[0], &identity);
    ck_assert_int_eq(identity.pid, getpid());
    ck_assert_uint_eq(identity.uid, geteuid());
    ck_assert_uint_eq(identity.gid, getegid());
    ivf_io_identify(-1, &identity);
    ck_assert_int_eq(identity.pid, 0);
    ck_assert_uint_eq(identity.uid, UINT32_MAX);
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

/* Messages -------------------------------------------------------------------------------------------------------- */

static struct ivf_received received;
static uint8_t bytes[64];

START_TEST(P2_each_message_is_sent_by_itself)
{
    int event = make_eventfd();
    const struct ivf_message messages[3] = {{.number = 0x0201, .fd = -1}, {.number = -1, .fd = event}, {7, -1}};
    int ends[2];

    make_socketpair(ends);
    ck_assert_int_eq(ivf_io_send(ends[0], messages, 3), 3);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 8, &received), 8);
    ck_assert_mem_eq(bytes, "\1\2\0\0\0\0\0\0", 8);
    ck_assert_uint_eq(received.fd_count, 0);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 8, &received), 8);
    ck_assert_mem_eq(bytes, "\377\377\377\377\377\377\377\377", 8);
    ck_assert_uint_eq(received.fd_count, 1);
    add_count(received.fds[0], 4);
    ck_assert_uint_eq(take_count(event), 4);
    close_fd(received.fds[0]);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 8, &received), 8);
    ck_assert_uint_eq(received.fd_count, 0);
    close_fd(event);
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

/* Nobody there: an error, and no SIGPIPE. */
START_TEST(sending_to_nobody)
{
    const struct ivf_message message = {7, -1};
    int ends[2];

    make_socketpair(ends);
    close_fd(ends[1]);
    ck_assert_int_eq(ivf_io_send(ends[0], &message, 1), -EPIPE);
    close_fd(ends[0]);
    ck_assert_int_eq(ivf_io_send(-1, &message, 1), -EBADF);
}
END_TEST

/* What the kernel takes unread is what was asked for, and told; then as many as fit. */
START_TEST(only_so_many_lie_unread)
{
    static const uint32_t rooms[] = {8, 16, 64};
    struct ivf_message messages[IVF_IO_MOST];
    int ends[2], sent, sum = 0;

    for (uint32_t i = 0; i < IVF_IO_MOST; i++) {
        messages[i] = (struct ivf_message){(int32_t)i, -1};
    }
    make_socketpair(ends);
    ivf_io_set_room(ends[0], rooms[_i]);
    while ((sent = ivf_io_send(ends[0], messages, IVF_IO_MOST)) > 0) {
        sum += sent;
    }
    ck_assert_int_eq(sent, -EAGAIN);
    ck_assert_uint_eq((uint32_t)sum, rooms[_i]);
    ck_assert_uint_eq(ivf_io_unread(ends[0]), rooms[_i]);
    ck_assert_int_eq(ivf_fd_receive(ends[1], bytes, 8, &received), 8);
    ck_assert_uint_eq(ivf_io_unread(ends[0]), rooms[_i] - 1);
    ck_assert_int_eq(ivf_io_send(ends[0], messages, IVF_IO_MOST), 1);
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server-io");
    TCase *tcase = suite_case(suite, "sockets");

    tcase_add_test(tcase, a_stale_socket_is_replaced_a_live_one_is_not);
    tcase_add_test(tcase, the_file_has_the_permissions_whatever_the_umask);
    tcase_add_test(tcase, the_file_has_the_group_or_nothing_is_left);
    tcase_add_test(tcase, of_many_that_start_at_once_one_listens);
    tcase_add_test(tcase, a_folder_that_somebody_keeps_locked_is_told);
    tcase_add_test(tcase, what_is_a_listener);
    tcase_add_test(tcase, who_is_at_the_other_end);

    tcase = suite_case(suite, "messages");
    tcase_add_test(tcase, P2_each_message_is_sent_by_itself);
    tcase_add_test(tcase, sending_to_nobody);
    tcase_add_loop_test(tcase, only_so_many_lie_unread, 0, 3);
    return suite_run(suite);
}
