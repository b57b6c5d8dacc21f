/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's life, what it sends to whom, and what may be asked of it. */
#include "raw.h"
#include "served.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct served served;

/* What it says to whom -------------------------------------------------------------------------------------------- */

START_TEST(seen_in_the_wild_the_first_client)
{
    struct guest first;

    served_begin(&served, &(ivflat_server_config){.vectors = 2});
    guest_join(&first, &served);
    guest_expect(&first, "0; 0; -1 memory 4194304; 0 eventfd; 0 eventfd");
    guest_leave(&first, NULL);
}
END_TEST

START_TEST(seen_in_the_wild_the_second_client)
{
    struct guest first;
    struct guest second;

    served_begin(&served, &(ivflat_server_config){.vectors = 2, .memory_size = 65536});
    guest_join(&first, &served);
    guest_expect(&first, "0; 0; -1 memory 65536; 0 eventfd; 0 eventfd");
    guest_join(&second, &served);
    guest_expect(&second, "0; 1; -1 memory 65536; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd");
    guest_expect(&first, "1 eventfd; 1 eventfd");
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(P9_without_vectors_only_leaves_are_told)
{
    struct guest first;
    struct guest second;

    served_begin(&served, &(ivflat_server_config){.no_interrupts = 1});
    guest_join(&first, &served);
    guest_join(&second, &served);
    guest_expect(&first, "0; 0; -1 memory 4194304");
    guest_expect(&second, "0; 1; -1 memory 4194304");
    guest_leave(&second, &served);
    guest_expect(&first, "1");
    guest_leave(&first, NULL);
}
END_TEST

START_TEST(P1_eight_bytes_little_endian)
{
    static const uint8_t greeting[5][8] = {
        {0}, {0}, {255, 255, 255, 255, 255, 255, 255, 255}, {0}, {0},
    };
    static const uint8_t other[8] = {1};
    struct guest first;
    struct guest second;
    uint8_t bytes[8];

    served_begin(&served, &(ivflat_server_config){.vectors = 2});
    guest_join(&first, &served);
    for (int i = 0; i < 5; i++) {
        ck_assert_int_eq(recv(first.sock, bytes, 8, MSG_DONTWAIT), 8);
        ck_assert_mem_eq(bytes, greeting[i], 8);
    }
    guest_join(&second, &served);
    ck_assert_int_eq(recv(first.sock, bytes, 8, MSG_DONTWAIT), 8);
    ck_assert_mem_eq(bytes, other, 8);
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(the_default_is_one_vector)
{
    struct guest guest;

    served_begin(&served, NULL);
    guest_join(&guest, &served);
    guest_expect(&guest, "0; 0; -1 memory 4194304; 0 eventfd");
    guest_leave(&guest, NULL);
}
END_TEST

START_TEST(as_many_vectors_as_asked_for)
{
    struct guest guest;

    served_begin(&served, &(ivflat_server_config){.vectors = 70});
    guest_join(&guest, &served);
    ck_assert_uint_eq(guest_skip(&guest), 3 + 70);
    guest_leave(&guest, NULL);
}
END_TEST

/* fds: memory, 0's vectors 0 and 1, 1's vectors 0 and 1, for each the same. */
START_TEST(P6_all_get_the_same_vectors_in_order)
{
    struct guest first;
    struct guest second;

    served_begin(&served, &(ivflat_server_config){.vectors = 2});
    guest_join(&first, &served);
    guest_join(&second, &served);
    guest_expect(&first, "0; 0; -1 memory 4194304; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd");
    guest_expect(&second, "0; 1; -1 memory 4194304; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd");
    for (uint32_t i = 1; i <= 4; i++) {
        ck_assert(get_nonblock(guest_fd(&first, i)));
        ck_assert_uint_eq(take_count(guest_fd(&first, i)), 0);
        add_count(guest_fd(&first, i), i);
    }
    for (uint32_t i = 1; i <= 4; i++) {
        ck_assert_uint_eq(take_count(guest_fd(&second, i)), i);
    }
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(the_memory_is_one_and_nobody_can_resize_it)
{
    struct guest first;
    struct guest second;
    char text[6] = "";

    served_begin(&served, &(ivflat_server_config){.memory_size = 8192});
    guest_join(&first, &served);
    guest_join(&second, &served);
    ck_assert_uint_ge(guest_skip(&first), 4);
    guest_expect(&second, "0; 1; -1 memory 8192; 0 eventfd; 1 eventfd");
    ck_assert_int_eq(pwrite(guest_fd(&second, 0), "hello", 5, 4096), 5);
    ck_assert_int_eq(pread(ivflat_server_memory_fd(served.server), text, 5, 4096), 5);
    ck_assert_str_eq(text, "hello");
    ck_assert_int_eq(fcntl(guest_fd(&second, 0), F_GET_SEALS) & ~0x20 /* F_SEAL_EXEC */,
                     F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    ck_assert_int_eq(ftruncate(guest_fd(&second, 0), 0), -1);
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(P10_the_others_hear_of_a_leave)
{
    struct guest guests[3];

    served_begin(&served, &(ivflat_server_config){.vectors = 1});
    for (int i = 0; i < 3; i++) {
        guest_join(&guests[i], &served);
    }
    guest_expect(&guests[0], "0; 0; -1 memory 4194304; 0 eventfd; 1 eventfd; 2 eventfd");
    guest_expect(&guests[2], "0; 2; -1 memory 4194304; 0 eventfd; 1 eventfd; 2 eventfd");
    guest_leave(&guests[1], &served);
    guest_expect(&guests[0], "1");
    guest_expect(&guests[2], "1");
    served_expect(&served, "0 joined; 1 joined; 2 joined; 1 left: it closed the connection");
    guest_leave(&guests[0], NULL);
    guest_leave(&guests[2], NULL);
}
END_TEST

START_TEST(P11_a_freed_id_does_not_come_back_at_once)
{
    struct guest first;
    struct guest second;
    struct guest third;

    served_begin(&served, &(ivflat_server_config){.no_interrupts = 1});
    guest_join(&first, &served);
    guest_join(&second, &served);
    guest_leave(&second, &served);
    guest_join(&third, &served);
    guest_expect(&third, "0; 2; -1 memory 4194304");
    guest_leave(&first, NULL);
    guest_leave(&third, NULL);
}
END_TEST

/* As often as there are ids, over real sockets, while 0 stays: behind 65,535 comes 1. */
START_TEST(P11_a_freed_id_comes_back_when_65535_is_past)
{
    struct guest stays;
    struct guest passes;
    int64_t number;

    served_begin(&served, &(ivflat_server_config){.no_interrupts = 1});
    guest_join(&stays, &served);
    for (int64_t id = 1; id <= 65535 + 1; id++) {
        guest_join(&passes, &served);
        ck_assert(guest_take(&passes, &number));
        ck_assert(guest_take(&passes, &number));
        ck_assert_int_eq(number, id <= 65535 ? id : 1);
        guest_leave(&passes, &served);
        guest_skip(&stays);
        g_string_truncate(served.said, 0);
    }
    guest_leave(&stays, NULL);
}
END_TEST

START_TEST(P20_bytes_from_a_client_mean_nothing)
{
    struct guest first;
    struct guest second;
    static const uint8_t leave[8] = {1}; /* what QEMU's server takes for one, and any other byte too */

    served_begin(&served, NULL);
    guest_join(&first, &served);
    guest_join(&second, &served);
    guest_skip(&first);
    guest_skip(&second);
    ck_assert_int_eq(send(second.sock, leave, 8, 0), 8);
    served_run(&served);
    guest_expect(&first, "");
    guest_expect(&second, "");
    ck_assert_uint_eq(ivflat_server_clients(served.server), 2);
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(P20_who_sends_too_much_is_dropped)
{
    struct guest first;
    struct guest second;
    uint8_t bytes[4096] = {0};

    served_begin(&served, NULL);
    guest_join(&first, &served);
    guest_join(&second, &served);
    guest_skip(&first);
    guest_skip(&second);
    served_take(&served);
    ck_assert_int_eq(send(second.sock, bytes, 4096, 0), 4096);
    served_run(&served);
    guest_expect(&first, "");
    ck_assert_int_eq(send(second.sock, bytes, 1, 0), 1);
    served_run(&served);
    guest_expect(&first, "1");
    guest_expect(&second, "end");
    served_expect(&served, "1 left: it sent more than 4096 bytes, and a client has nothing to say");
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(P20_descriptors_from_a_client_are_closed)
{
    struct guest guest;
    uint32_t before;
    int fds[2] = {make_eventfd(), make_eventfd()};

    served_begin(&served, NULL);
    served_take_descriptors(&served);
    guest_join(&guest, &served);
    guest_skip(&guest);
    before = count_fds();
    raw_send(guest.sock, (const uint8_t *)"x", 1, fds, 2);
    served_run(&served);
    ck_assert_uint_eq(count_fds(), before);
    close_fd(fds[0]);
    close_fd(fds[1]);
    guest_leave(&guest, NULL);
}
END_TEST

START_TEST(P20_where_the_kernel_can_it_refuses_descriptors)
{
    int fd = make_eventfd();
    struct guest guest;
    int passes = 0;
    socklen_t length = sizeof(passes);

    served_begin(&served, NULL);
    guest_connect(&guest, served.path);
    if (getsockopt(guest.sock, SOL_SOCKET, 83 /* SO_PASSRIGHTS */, &passes, &length) < 0) {
        printf("P20_where_the_kernel_can: skipped, this one cannot\n");
    } else {
        ck_assert_int_eq(guest_send_fd(&guest, fd), -EPERM);
        served_run(&served);
        ck_assert_int_eq(guest_send_fd(&guest, fd), -EPERM);
        ck_assert_uint_eq(guest_skip(&guest), 4);
    }
    guest_leave(&guest, NULL);
    close_fd(fd);
}
END_TEST

START_TEST(P22_a_server_that_ends_says_no_leaves)
{
    struct guest first;
    struct guest second;

    served_begin(&served, NULL);
    guest_join(&first, &served);
    guest_join(&second, &served);
    guest_skip(&first);
    guest_skip(&second);
    served_end(&served);
    guest_expect(&first, "end");
    guest_expect(&second, "end");
    ck_assert(!g_file_test(test_path("server"), G_FILE_TEST_EXISTS));
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(half_a_connection_is_a_leave)
{
    struct guest first;
    struct guest second;

    served_begin(&served, NULL);
    guest_join(&first, &served);
    guest_join(&second, &served);
    guest_skip(&first);
    ck_assert_int_eq(shutdown(second.sock, SHUT_WR), 0);
    served_run(&served);
    guest_expect(&first, "1");
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

/* Asking ---------------------------------------------------------------------------------------------------------- */

START_TEST(asking)
{
    struct guest guest;

    served_begin(&served, &(ivflat_server_config){.memory_size = 12345});
    ck_assert_uint_eq(ivflat_server_clients(served.server), 0);
    ck_assert_uint_eq(ivflat_server_memory_size(served.server), 12345);
    ck_assert_int_eq(ivflat_server_wait(served.server, 0), 0);
    guest_join(&guest, &served);
    ck_assert_uint_eq(ivflat_server_clients(served.server), 1);
    guest_leave(&guest, &served);
    ck_assert_uint_eq(ivflat_server_clients(served.server), 0);
}
END_TEST

START_TEST(no_server_is_no_crash)
{
    ivflat_server_free(NULL);
    ivflat_server_wake(NULL);
    ck_assert_int_eq(ivflat_server_dispatch(NULL), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_wait(NULL, 0), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_get_fd(NULL), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_memory_fd(NULL), IVFLAT_ERR_INVALID);
    ck_assert_uint_eq(ivflat_server_clients(NULL), 0);
    ck_assert_uint_eq(ivflat_server_memory_size(NULL), 0);
}
END_TEST

START_TEST(wake_ends_each_wait_until_the_next_dispatch)
{
    served_begin(&served, NULL);
    ck_assert_int_eq(ivflat_server_wait(served.server, 0), 0);
    ivflat_server_wake(served.server);
    ck_assert_int_eq(ivflat_server_wait(served.server, -1), 1);
    ck_assert(is_readable(ivflat_server_get_fd(served.server)));
    ck_assert_int_eq(ivflat_server_dispatch(served.server), 0);
    ck_assert_int_eq(ivflat_server_wait(served.server, 1), 0);
}
END_TEST

static void call_from_inside(struct served *inside)
{
    ck_assert_uint_eq(ivflat_server_memory_size(inside->server), 4194304);
    ck_assert_int_eq(ivflat_server_dispatch(inside->server), IVFLAT_ERR_BUSY);
    ivflat_server_wake(inside->server);
    ivflat_server_free(inside->server);
    g_string_append_printf(inside->said, " of %u", ivflat_server_clients(inside->server));
}

START_TEST(calls_from_a_hook_are_answered_or_refused)
{
    struct guest first;
    struct guest second;

    served_begin(&served, NULL);
    served.inside = call_from_inside;
    guest_join(&first, &served);
    guest_join(&second, &served);
    guest_leave(&second, &served);
    served_expect(&served, "0 joined of 1; 1 joined of 2; 1 left: it closed the connection of 1");
    ck_assert_ptr_nonnull(strstr(served.logged->str, "error: ivflat_server_free() was called from inside a hook"));
    guest_leave(&first, NULL);
}
END_TEST

START_TEST(hooks_are_not_needed)
{
    ivflat_server_config config = {.struct_size = sizeof(config), .socket_path = test_path("server")};
    struct guest guest;
    struct served bare = {.path = config.socket_path};

    ck_assert_int_eq(ivflat_server_new(&bare.server, &config, NULL), 0);
    guest_join(&guest, &bare);
    guest_expect(&guest, "0; 0; -1 memory 4194304; 0 eventfd");
    guest_leave(&guest, &bare);
    ivflat_server_free(bare.server);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server");
    TCase *tcase = suite_case(suite, "messages");

    tcase_add_test(tcase, seen_in_the_wild_the_first_client);
    tcase_add_test(tcase, seen_in_the_wild_the_second_client);
    tcase_add_test(tcase, P9_without_vectors_only_leaves_are_told);
    tcase_add_test(tcase, P1_eight_bytes_little_endian);
    tcase_add_test(tcase, the_default_is_one_vector);
    tcase_add_test(tcase, as_many_vectors_as_asked_for);
    tcase_add_test(tcase, P6_all_get_the_same_vectors_in_order);
    tcase_add_test(tcase, the_memory_is_one_and_nobody_can_resize_it);
    tcase_add_test(tcase, P10_the_others_hear_of_a_leave);
    tcase_add_test(tcase, P11_a_freed_id_does_not_come_back_at_once);
    tcase_add_test(tcase, P20_bytes_from_a_client_mean_nothing);
    tcase_add_test(tcase, P20_who_sends_too_much_is_dropped);
    tcase_add_test(tcase, P20_descriptors_from_a_client_are_closed);
    tcase_add_test(tcase, P20_where_the_kernel_can_it_refuses_descriptors);
    tcase_add_test(tcase, P22_a_server_that_ends_says_no_leaves);
    tcase_add_test(tcase, half_a_connection_is_a_leave);

    tcase = suite_case(suite, "all ids");
    tcase_set_timeout(tcase, 900); /* 65,536 clients, under valgrind on a slow machine too */
    tcase_add_test(tcase, P11_a_freed_id_comes_back_when_65535_is_past);

    tcase = suite_case(suite, "asking");
    tcase_add_test(tcase, asking);
    tcase_add_test(tcase, no_server_is_no_crash);
    tcase_add_test(tcase, wake_ends_each_wait_until_the_next_dispatch);
    tcase_add_test(tcase, calls_from_a_hook_are_answered_or_refused);
    tcase_add_test(tcase, hooks_are_not_needed);
    return suite_run(suite);
}
