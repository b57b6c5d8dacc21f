/* SPDX-License-Identifier: BSD-3-Clause */
/* A server that goes on where another one ended: handed over, or killed at any moment. */
#include "restarted.h"

#include "server-map.h"
#include "server-save.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

START_TEST(nobody_notices)
{
    struct guest first;
    struct guest second;
    struct guest third;

    restarted_begin(2);
    guest_join(&first, &restarted.served);
    guest_join(&second, &restarted.served);
    restarted_again();
    ck_assert_str_eq(restarted.served.logged->str, "");
    ck_assert_uint_eq(ivflat_server_clients(restarted.served.server), 2);
    guest_join(&third, &restarted.served);
    guest_expect(&first, "0; 0; -1 memory 4194304; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd; 2 eventfd; 2 eventfd");
    guest_expect(&second, "0; 1; -1 memory 4194304; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd; 2 eventfd; 2 eventfd");
    guest_expect(&third, "0; 2; -1 memory 4194304; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd; 2 eventfd; 2 eventfd");
    for (uint32_t i = 1; i <= 4; i++) { /* they are the same ones */
        add_count(guest_fd(&third, i), i);
        ck_assert_uint_eq(take_count(guest_fd(&first, i)), i);
    }
    ck_assert_int_eq(pwrite(guest_fd(&third, 0), "x", 1, 7), 1);
    {
        char byte = 0;

        ck_assert_int_eq(pread(guest_fd(&first, 0), &byte, 1, 7), 1);
        ck_assert_int_eq(byte, 'x');
    }
    guest_leave(&second, &restarted.served);
    guest_expect(&first, "1");
    ck_assert_uint_eq(ivflat_server_counter(restarted.served.server, IVFLAT_SERVER_COUNT_JOINED), 3);
    ck_assert_uint_eq(ivflat_server_counter(restarted.served.server, IVFLAT_SERVER_COUNT_RESTARTS), 1);
    guest_leave(&first, NULL);
    guest_leave(&third, NULL);
}
END_TEST

/* Who they are, and what they cost, is known as before. */
START_TEST(a_client_is_who_it_was)
{
    ivflat_server_client before = {.struct_size = sizeof(before)};
    ivflat_server_client after = {.struct_size = sizeof(after)};
    struct guest guest;

    restarted_begin(1);
    guest_join(&guest, &restarted.served);
    ck_assert_int_eq(send(guest.sock, "abc", 3, 0), 3);
    served_run(&restarted.served);
    ck_assert_int_eq(ivflat_server_next_client(restarted.served.server, -1, &before), 0);
    guest_leave(&guest, NULL); /* while nobody is there: it is not found out yet */
    guest_connect(&guest, restarted.served.path);
    restarted_again();
    ck_assert_int_eq(ivflat_server_next_client(restarted.served.server, -1, &after), 0);
    ck_assert_uint_eq(before.received, 3);
    before.age_ms = after.age_ms = 0;
    before.received = after.received = 0; /* means nothing, and is not kept up for every byte */
    ck_assert_mem_eq(&before, &after, sizeof(before));
    served_run(&restarted.served);
    served_expect(&restarted.served,
                  "0 joined; 1 joined; 0 left: it closed the connection"); /* who connected meanwhile is in */
    guest_expect(&guest, "0; 1; -1 memory 4194304; 0 eventfd; 1 eventfd; 0");
    guest_leave(&guest, NULL);
}
END_TEST

/* In the middle of a greeting, and of a long queue: the rest comes, and nothing twice. */
START_TEST(what_waited_goes_on_waiting)
{
    struct guest slow;
    uint32_t count;

    restarted_begin(300);
    guest_join(&slow, &restarted.served);
    ck_assert_uint_gt(
        restarted.served.server->running.length + ivf_client_waiting(restarted.served.server->all.head->data), 0);
    if (_i) { /* written down in the middle of what is told, or before it */
        restarted.served.server->keeper.changed = true;
        ck_assert_int_eq(ivflat_server_dispatch(restarted.served.server), 0);
    }
    restarted_again();
    served_run(&restarted.served);
    for (count = 0;;) {
        uint32_t more = guest_skip(&slow);

        if (more == 0) {
            break;
        }
        count += more;
        served_run(&restarted.served);
    }
    ck_assert_uint_eq(count, 3 + 300);
    guest_leave(&slow, NULL);
}
END_TEST

/* The process was killed between trying and knowing. */
START_TEST(who_may_have_got_a_message_or_not_is_closed)
{
    struct guest first;
    struct guest second;

    restarted_begin(1);
    guest_join(&first, &restarted.served);
    guest_join(&second, &restarted.served);
    ivf_map_tries(&restarted.served.server->keeper.map, 1, 6);
    restarted_again();
    served_run(&restarted.served);
    guest_expect(&second, "0; 1; -1 memory 4194304; 0 eventfd; 1 eventfd; end");
    guest_expect(&first, "0; 0; -1 memory 4194304; 0 eventfd; 1 eventfd; 1");
    ck_assert_uint_eq(restarted.served.reason, IVFLAT_LEFT_UNSURE);
    ck_assert_ptr_nonnull(strstr(restarted.served.said->str, "1 left: the server was killed while it sent to it"));
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(whose_socket_is_not_kept_has_left)
{
    struct guest first;
    struct guest second;
    char *name;

    restarted_begin(1);
    guest_join(&first, &restarted.served);
    guest_join(&second, &restarted.served);
    name = ivf_save_name(((struct ivf_client *)restarted.served.server->all.tail->data)->key);
    restarted_kill();
    ck_assert(g_hash_table_remove(restarted.store, name));
    restarted_restart();
    served_run(&restarted.served);
    guest_expect(&first, "0; 0; -1 memory 4194304; 0 eventfd; 1 eventfd; 1");
    guest_expect(&second, "0; 1; -1 memory 4194304; 0 eventfd; 1 eventfd; end");
    ck_assert_uint_eq(restarted.served.reason, IVFLAT_LEFT_UNSURE);
    ck_assert_ptr_nonnull(strstr(restarted.served.said->str, "1 left: its connection was not kept"));
    ck_assert_uint_eq(ivflat_server_counter(restarted.served.server, IVFLAT_SERVER_COUNT_LEFT), 1);
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
    g_free(name);
}
END_TEST

START_TEST(nothing_is_kept_for_ever)
{
    struct guest guest;
    uint32_t empty;

    restarted_begin(3);
    empty = g_hash_table_size(restarted.store); /* state, memory, listener */
    ck_assert_uint_eq(empty, 3);
    for (int i = 0; i < 10; i++) {
        guest_join(&guest, &restarted.served);
        ck_assert_uint_eq(g_hash_table_size(restarted.store), empty + 4);
        restarted_again();
        guest_leave(&guest, &restarted.served);
        ck_assert_uint_eq(g_hash_table_size(restarted.store), empty);
    }
}
END_TEST

START_TEST(a_server_that_ends_leaves_nothing_to_go_on_with)
{
    struct guest guest;

    restarted_begin(2);
    guest_join(&guest, &restarted.served);
    served_end(&restarted.served);
    ck_assert_uint_eq(g_hash_table_size(restarted.store), 0);
    guest_skip(&guest);
    guest_expect(&guest, "end");
    guest_leave(&guest, NULL);
}
END_TEST

/* Whoever keeps copies may be late to let go of them. */
START_TEST(who_is_dropped_hears_of_it_whoever_keeps_a_copy)
{
    static const uint8_t bytes[5000];
    struct guest guest;
    struct guest other;
    int copy;

    restarted_begin(1);
    guest_join(&guest, &restarted.served);
    copy = dup_fd(((struct ivf_client *)restarted.served.server->all.head->data)->sock);
    ck_assert_int_eq(send(guest.sock, bytes, sizeof(bytes), 0), sizeof(bytes));
    served_run(&restarted.served);
    guest_expect(&guest, "0; 0; -1 memory 4194304; 0 eventfd; end");
    close_fd(copy);
    guest_leave(&guest, NULL);
    guest_join(&other, &restarted.served);
    copy = dup_fd(((struct ivf_client *)restarted.served.server->all.head->data)->sock);
    served_end(&restarted.served);
    guest_expect(&other, "0; 1; -1 memory 4194304; 1 eventfd; end");
    close_fd(copy);
    guest_leave(&other, NULL);
}
END_TEST

/* Dropped, and not told yet: it is not somebody who is there. */
START_TEST(who_is_to_go_does_not_come_back)
{
    struct guest first;
    struct guest second;
    int32_t list;

    restarted_begin(1);
    guest_join(&first, &restarted.served);
    guest_join(&second, &restarted.served);
    ck_assert_int_eq(ivflat_server_drop(restarted.served.server, 0), 0);
    served_take(&restarted.served);
    ck_assert_int_eq(ivflat_server_hand_over(restarted.served.server, &list), 0);
    served_expect(&restarted.served, "0 left: the program that runs the server wanted it gone");
    close_fd(list);
    restarted_again();
    ck_assert_uint_eq(ivflat_server_clients(restarted.served.server), 1);
    ck_assert_uint_eq(ivflat_server_counter(restarted.served.server, IVFLAT_SERVER_COUNT_LEFT), 1);
    served_run(&restarted.served);
    guest_expect(&first, "0; 0; -1 memory 4194304; 0 eventfd; 1 eventfd; end");
    guest_expect(&second, "0; 1; -1 memory 4194304; 0 eventfd; 1 eventfd; 0");
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(a_client_is_as_old_as_it_was)
{
    ivflat_server_client client = {.struct_size = sizeof(client)};
    struct guest guest;

    restarted_begin(1);
    guest_join(&guest, &restarted.served);
    ((struct ivf_client *)restarted.served.server->all.head->data)->since -= 100000;
    restarted.served.server->keeper.changed = true;
    ivflat_server_dispatch(restarted.served.server);
    restarted_again();
    ck_assert_int_eq(ivflat_server_next_client(restarted.served.server, -1, &client), 0);
    ck_assert_uint_ge(client.age_ms, 100000);
    guest_leave(&guest, NULL);
}
END_TEST

/* They came through an execve(): the next program is not to have them unasked. */
START_TEST(what_was_handed_over_is_ours_alone)
{
    struct ivf_client *client;
    struct guest guest;

    restarted_begin(1);
    guest_join(&guest, &restarted.served);
    restarted_again();
    client = restarted.served.server->all.head->data;
    ck_assert_int_eq(fcntl(client->sock, F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fcntl(client->announcement->fds[0], F_GETFD), FD_CLOEXEC);
    ck_assert_int_eq(fcntl(ivflat_server_memory_fd(restarted.served.server), F_GETFD), FD_CLOEXEC);
    guest_leave(&guest, NULL);
}
END_TEST

START_TEST(what_nobody_knows_any_more_is_let_go)
{
    restarted_begin(1);
    g_hash_table_insert(restarted.store, g_strdup("+zz"), GINT_TO_POINTER(make_eventfd()));
    restarted_again();
    ck_assert(!g_hash_table_contains(restarted.store, "+zz"));
}
END_TEST

/* Ids, seats, and who is kept there. */
START_TEST(ids_and_seats_go_on)
{
    const ivflat_server_seat seat = {.struct_size = sizeof(seat), .id = 9, .socket_path = test_path("nine"), .keep = 1};
    struct guest stays;
    struct guest guest;

    restarted_begin(1);
    ck_assert_int_eq(ivflat_server_add_seat(restarted.served.server, &seat), 0);
    guest_join(&guest, &restarted.served); /* 0 */
    guest_leave(&guest, &restarted.served);
    guest_join(&stays, &restarted.served); /* 1 */
    guest_connect(&guest, test_path("nine"));
    served_run(&restarted.served);
    guest_leave(&guest, &restarted.served);
    restarted_again();
    ck_assert_int_eq(ivflat_server_add_seat(restarted.served.server, &seat), 0); /* it is there already */
    ck_assert_int_eq(ivflat_server_add_seat(restarted.served.server, &seat), IVFLAT_ERR_INVALID);
    guest_connect(&guest, test_path("nine"));
    served_run(&restarted.served);
    guest_expect(&guest, "0; 9; -1 memory 4194304; 1 eventfd; 9 eventfd");
    guest_expect(&stays, "0; 1; -1 memory 4194304; 1 eventfd; 9 eventfd");
    add_count(guest_fd(&stays, 2), 5);
    ck_assert_uint_eq(take_count(guest_fd(&guest, 2)), 5);
    guest_leave(&guest, &restarted.served);
    guest_join(&guest, &restarted.served);
    guest_expect(&guest, "0; 2; -1 memory 4194304; 1 eventfd; 9 eventfd; 2 eventfd");
    guest_leave(&guest, NULL);
    guest_leave(&stays, NULL);
    served_end(&restarted.served);
    ck_assert(!g_file_test(test_path("nine"), G_FILE_TEST_EXISTS));
    ck_assert(!g_file_test(test_path("server"), G_FILE_TEST_EXISTS));
}
END_TEST

/* In place of the process ----------------------------------------------------------------------------------------- */

static int next_process(void *argument)
{
    ivflat_server_config next = {
        .struct_size = sizeof(next), .vectors = 1, .socket_path = test_path("server"), .handed_fd = *(int *)argument};
    ivflat_server *server;

    if (ivflat_server_new(&server, &next, NULL) < 0) {
        return 1;
    }
    while (ivflat_server_clients(server) < 3) {
        if (ivflat_server_wait(server, PATIENCE_MS) != 1 || ivflat_server_dispatch(server) < 0) {
            return 2;
        }
    }
    while (ivflat_server_wait(server, 0) == 1) {
        if (ivflat_server_dispatch(server) < 0) {
            return 3;
        }
    }
    _exit(0);
}

START_TEST(handed_over_without_having_kept_anything)
{
    struct guest guests[3];
    int32_t list;
    int child;

    served_begin(&restarted.served, &(ivflat_server_config){.vectors = 1});
    guest_join(&guests[0], &restarted.served);
    guest_join(&guests[1], &restarted.served);
    ck_assert_int_eq(ivflat_server_hand_over(restarted.served.server, &list), 0);
    guest_connect(&guests[2], restarted.served.path);
    child = run_child(next_process, &list);
    ck_assert_int_eq(join_child(child), 0);
    guest_expect(&guests[0], "0; 0; -1 memory 4194304; 0 eventfd; 1 eventfd; 2 eventfd");
    guest_expect(&guests[1], "0; 1; -1 memory 4194304; 0 eventfd; 1 eventfd; 2 eventfd");
    guest_expect(&guests[2], "0; 2; -1 memory 4194304; 0 eventfd; 1 eventfd; 2 eventfd; end"); /* it ended */
    close_fd(list);
    for (int i = 0; i < 3; i++) {
        guest_leave(&guests[i], NULL);
    }
}
END_TEST

/* No program took them: those that are started later for something else are not to have them. */
START_TEST(what_was_not_taken_is_ours_alone_again)
{
    struct guest guest;
    int before[64];
    int32_t list;

    served_begin(&restarted.served, NULL);
    guest_join(&guest, &restarted.served);
    for (int fd = 0; fd < 64; fd++) {
        before[fd] = fcntl(fd, F_GETFD);
    }
    ck_assert_int_eq(ivflat_server_hand_over(restarted.served.server, &list), 0);
    ck_assert_int_eq(fcntl(ivflat_server_memory_fd(restarted.served.server), F_GETFD), 0);
    close_fd(list);
    ck_assert_int_eq(ivflat_server_dispatch(restarted.served.server), 0);
    for (int fd = 0; fd < 64; fd++) {
        ck_assert_int_eq(fcntl(fd, F_GETFD), before[fd] < 0 && is_open(fd) ? FD_CLOEXEC : before[fd]);
    }
    guest_expect(&guest, "0; 0; -1 memory 4194304; 0 eventfd");
    guest_leave(&guest, NULL);
}
END_TEST

START_TEST(wrong_calls)
{
    int32_t fd;

    served_begin(&restarted.served, NULL);
    ck_assert_int_eq(ivflat_server_hand_over(NULL, &fd), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_hand_over(restarted.served.server, NULL), IVFLAT_ERR_INVALID);
    served_refused(&(ivflat_server_config){.handed_fd = -1}, IVFLAT_ERR_INVALID, "handed_fd is -1");
    served_refused(&(ivflat_server_config){.keep_state = 2}, IVFLAT_ERR_INVALID, "keep_state is 2");
    fill_fds(0);
    ck_assert_int_eq(ivflat_server_hand_over(restarted.served.server, &fd), IVFLAT_ERR_SYSTEM);
    ck_assert_int_eq(fd, -1);
    fill_fds_undo();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server-restart");
    TCase *tcase = suite_case(suite, "killed");

    tcase_add_test(tcase, nobody_notices);
    tcase_add_test(tcase, a_client_is_who_it_was);
    tcase_add_loop_test(tcase, what_waited_goes_on_waiting, 0, 2);
    tcase_add_test(tcase, who_may_have_got_a_message_or_not_is_closed);
    tcase_add_test(tcase, whose_socket_is_not_kept_has_left);
    tcase_add_test(tcase, nothing_is_kept_for_ever);
    tcase_add_test(tcase, a_server_that_ends_leaves_nothing_to_go_on_with);
    tcase_add_test(tcase, who_is_dropped_hears_of_it_whoever_keeps_a_copy);
    tcase_add_test(tcase, who_is_to_go_does_not_come_back);
    tcase_add_test(tcase, a_client_is_as_old_as_it_was);
    tcase_add_test(tcase, what_was_handed_over_is_ours_alone);
    tcase_add_test(tcase, what_nobody_knows_any_more_is_let_go);
    tcase_add_test(tcase, ids_and_seats_go_on);

    tcase = suite_case(suite, "handed over");
    tcase_add_test(tcase, handed_over_without_having_kept_anything);
    tcase_add_test(tcase, what_was_not_taken_is_ours_alone_again);
    tcase_add_test(tcase, wrong_calls);
    return suite_run(suite);
}
