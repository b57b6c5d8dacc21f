/* SPDX-License-Identifier: BSD-3-Clause */
/* Where clients connect, who is let in, and what the program hears of them. */
#include "raw.h"
#include "served.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct served served;

/* The socket ------------------------------------------------------------------------------------------------------ */

static mode_t mode_of(const char *path)
{
    struct stat status;

    ck_assert_int_eq(stat(path, &status), 0);
    return status.st_mode & 07777;
}

START_TEST(nobody_else_may_join_unless_it_is_said)
{
    served_begin(&served, NULL);
    ck_assert_uint_eq(mode_of(served.path), 0600);
    served_end(&served);
    served_begin(&served, &(ivflat_server_config){.socket_mode = 0666});
    ck_assert_uint_eq(mode_of(served.path), 0666);
}
END_TEST

START_TEST(a_given_listener_is_taken_and_its_file_stays)
{
    struct guest early;
    struct guest guest;
    int listener = raw_listen(test_path("given"), 5);

    guest_connect(&early, test_path("given")); /* whoever came before the server */
    served_begin(&served, &(ivflat_server_config){.listen_fd = listener});
    served_run(&served);
    guest_expect(&early, "0; 0; -1 memory 4194304; 0 eventfd");
    served.path = test_path("given");
    guest_join(&guest, &served);
    guest_expect(&guest, "0; 1; -1 memory 4194304; 0 eventfd; 1 eventfd");
    served_end(&served);
    ck_assert(!is_open(listener));
    ck_assert(g_file_test(test_path("given"), G_FILE_TEST_EXISTS));
    guest_leave(&early, NULL);
    guest_leave(&guest, NULL);
}
END_TEST

START_TEST(a_given_descriptor_that_is_no_listener_is_closed)
{
    int fd = make_eventfd();

    served_refused(&(ivflat_server_config){.listen_fd = fd}, IVFLAT_ERR_SYSTEM, "no UNIX stream socket that listens");
    ck_assert(!is_open(fd));
    fd = raw_listen(test_path("given"), 5);
    served_refused(&(ivflat_server_config){.listen_fd = fd, .vectors = 65537}, IVFLAT_ERR_INVALID, "vectors");
    ck_assert(!is_open(fd));
    fd = raw_listen(test_path("given2"), 5);
    served_refused(&(ivflat_server_config){.listen_fd = fd, .socket_path = test_path("s")}, IVFLAT_ERR_INVALID,
                   "both set");
    ck_assert(!is_open(fd));
}
END_TEST

START_TEST(fields_that_cannot_be)
{
    served_refused(&(ivflat_server_config){.socket_mode = 01000}, IVFLAT_ERR_INVALID, "socket_mode is 1000");
    served_refused(&(ivflat_server_config){.listen_fd = -1}, IVFLAT_ERR_INVALID, "listen_fd is -1");
    served_refused(&(ivflat_server_config){.max_clients = 65537}, IVFLAT_ERR_INVALID, "max_clients is 65537");
    served_refused(&(ivflat_server_config){.ids = 2}, IVFLAT_ERR_INVALID, "ids is 2");
}
END_TEST

/* Limits ---------------------------------------------------------------------------------------------------------- */

START_TEST(no_more_clients_than_may_be_there)
{
    struct guest guests[3];

    served_begin(&served, &(ivflat_server_config){.max_clients = 2, .no_interrupts = 1});
    for (int i = 0; i < 3; i++) {
        guest_join(&guests[i], &served);
    }
    guest_expect(&guests[0], "0; 0; -1 memory 4194304");
    guest_expect(&guests[1], "0; 1; -1 memory 4194304");
    guest_expect(&guests[2], "end");
    served_expect(&served, "0 joined; 1 joined; refused: no more than 2 clients may be there");
    ck_assert_uint_eq(served.reason, IVFLAT_REFUSED_CLIENTS);
    guest_leave(&guests[2], NULL);
    guest_leave(&guests[0], &served);
    guest_join(&guests[0], &served); /* there is room again */
    guest_expect(&guests[0], "0; 2; -1 memory 4194304");
    guest_expect(&guests[1], "0");
    guest_leave(&guests[0], NULL);
    guest_leave(&guests[1], NULL);
}
END_TEST

START_TEST(no_more_of_one_user_than_may_be_there)
{
    struct guest guests[2];

    served_begin(&served, &(ivflat_server_config){.max_per_uid = 1});
    guest_join(&guests[0], &served);
    guest_join(&guests[1], &served);
    guest_expect(&guests[1], "end");
    ck_assert_uint_eq(served.reason, IVFLAT_REFUSED_PER_UID);
    guest_leave(&guests[1], NULL);
    guest_leave(&guests[0], &served);
    guest_join(&guests[0], &served);
    guest_expect(&guests[0], "0; 1; -1 memory 4194304; 1 eventfd");
    guest_leave(&guests[0], NULL);
}
END_TEST

/* Another user has a count of its own. */
static int join_as_another(void *argument)
{
    struct guest guest;
    bool greeted;
    char byte;

    (void)argument;
    if (setresuid(65534, 65534, 65534) < 0) {
        return 1;
    }
    guest_connect(&guest, served.path);
    greeted = recv(guest.sock, &byte, 1, 0) == 1; /* and not the end */
    guest_leave(&guest, NULL);
    return !greeted;
}

START_TEST(users_are_counted_apart)
{
    struct guest guest;
    char *above = g_path_get_dirname(test_folder());
    int child;

    if (geteuid() != 0) {
        printf("users_are_counted_apart: skipped, only root can be another user\n");
        g_free(above);
        return;
    }
    served_begin(&served, &(ivflat_server_config){.max_per_uid = 1, .socket_mode = 0666});
    ck_assert_int_eq(chmod(above, 0755) + chmod(test_folder(), 0755), 0);
    guest_join(&guest, &served);
    child = run_child(join_as_another, NULL);
    while (ivflat_server_counter(served.server, IVFLAT_SERVER_COUNT_LEFT) == 0) { /* it came, and went */
        ck_assert_int_eq(ivflat_server_wait(served.server, PATIENCE_MS), 1);
        ck_assert_int_eq(ivflat_server_dispatch(served.server), 0);
    }
    ck_assert_int_eq(join_child(child), 0);
    guest_leave(&guest, NULL);
    g_free(above);
}
END_TEST

START_TEST(only_those_that_are_allowed_may_join)
{
    const uint32_t nobody[] = {geteuid() + 1, getegid() + 1};
    const uint32_t us[] = {12345, geteuid()};
    const uint32_t our_group = getegid();
    struct guest guest;

    served_begin(&served, &(ivflat_server_config){
                              .allow_uids = nobody, .allow_uid_count = 2, .allow_gids = nobody, .allow_gid_count = 2});
    guest_join(&guest, &served);
    guest_expect(&guest, "end");
    ck_assert_uint_eq(served.reason, IVFLAT_REFUSED_USER);
    guest_leave(&guest, NULL);
    served_end(&served);
    served_begin(&served, &(ivflat_server_config){.allow_uids = us, .allow_uid_count = 2});
    guest_join(&guest, &served);
    served_expect(&served, "0 joined");
    guest_leave(&guest, NULL);
    served_end(&served);
    served_begin(&served,
                 &(ivflat_server_config){
                     .allow_uids = nobody, .allow_uid_count = 1, .allow_gids = &our_group, .allow_gid_count = 1});
    guest_join(&guest, &served);
    served_expect(&served, "0 joined");
    guest_leave(&guest, NULL);
}
END_TEST

static int32_t refuse_odd(const ivflat_server_client *client)
{
    ck_assert_int_eq(client->pid, getpid());
    ck_assert_uint_eq(client->uid, geteuid());
    ck_assert_uint_eq(client->gid, getegid());
    return client->id == 1;
}

START_TEST(the_program_may_refuse)
{
    struct guest guests[2];

    served_begin(&served, NULL);
    served.refuse = refuse_odd;
    guest_join(&guests[0], &served);
    guest_join(&guests[1], &served);
    guest_expect(&guests[0], "0; 0; -1 memory 4194304; 0 eventfd");
    guest_expect(&guests[1], "end");
    ck_assert_uint_eq(served.reason, IVFLAT_REFUSED_HOOK);
    served_expect(&served, "0 joined; refused: the program that runs the server does not want it");
    guest_leave(&guests[1], NULL);
    served.refuse = NULL;
    guest_join(&guests[1], &served); /* the id was not used up */
    guest_expect(&guests[1], "0; 1; -1 memory 4194304; 0 eventfd; 1 eventfd");
    guest_leave(&guests[0], NULL);
    guest_leave(&guests[1], NULL);
}
END_TEST

/* Who is refused again and again fills no log; who it was is in the line. */
START_TEST(refusals_are_one_line_a_second)
{
    gint64 before = g_get_monotonic_time();
    char *who = g_strdup_printf("warning: refused a client (process %d, user %u, group %u): no more than 1 clients",
                                (int)getpid(), (unsigned)geteuid(), (unsigned)getegid());
    struct guest guest;
    char **lines;

    served_begin(&served, &(ivflat_server_config){.max_clients = 1});
    guest_join(&guest, &served);
    for (int i = 0; i < 100; i++) {
        struct guest next;

        guest_join(&next, &served);
        guest_leave(&next, NULL);
    }
    ck_assert_uint_eq(ivflat_server_counter(served.server, IVFLAT_SERVER_COUNT_REFUSED), 100);
    ck_assert_ptr_nonnull(strstr(served.logged->str, who));
    lines = g_strsplit(served.logged->str, "\n", -1);
    ck_assert_int_le(g_strv_length(lines) - 1, 1 + (g_get_monotonic_time() - before) / G_TIME_SPAN_SECOND);
    guest_leave(&guest, NULL);
    g_strfreev(lines);
    g_free(who);
}
END_TEST

START_TEST(the_lowest_id_where_asked_for)
{
    struct guest guests[3];

    served_begin(&served, &(ivflat_server_config){.ids = IVFLAT_IDS_LOWEST});
    for (int i = 0; i < 3; i++) {
        guest_join(&guests[i], &served);
    }
    guest_skip(&guests[0]);
    guest_leave(&guests[1], &served);
    guest_join(&guests[1], &served);
    guest_expect(&guests[1], "0; 1; -1 memory 4194304; 0 eventfd; 2 eventfd; 1 eventfd");
    guest_expect(&guests[0], "1; 1 eventfd");
    for (int i = 0; i < 3; i++) {
        guest_leave(&guests[i], NULL);
    }
}
END_TEST

/* Asking ---------------------------------------------------------------------------------------------------------- */

START_TEST(clients_are_listed_with_what_they_cost)
{
    ivflat_server_client client = {.struct_size = sizeof(client)};
    struct guest guests[2];

    served_begin(&served, &(ivflat_server_config){.vectors = 2});
    ck_assert_int_eq(ivflat_server_next_client(served.server, -1, &client), -1);
    guest_join(&guests[0], &served);
    guest_join(&guests[1], &served);
    ck_assert_int_eq(send(guests[1].sock, "abc", 3, 0), 3);
    served_run(&served);
    ck_assert_int_eq(ivflat_server_next_client(served.server, -1, &client), 0);
    ck_assert_uint_eq(client.sent, 3 + 2 + 2);
    ck_assert_int_eq(ivflat_server_next_client(served.server, 0, &client), 1);
    ck_assert_uint_eq(client.id, 1);
    ck_assert_int_eq(client.pid, getpid());
    ck_assert_uint_eq(client.uid, geteuid());
    ck_assert_uint_eq(client.gid, getegid());
    ck_assert_uint_eq(client.vectors, 2);
    ck_assert_uint_eq(client.sent, 3 + 4);
    ck_assert_uint_eq(client.waiting, 0);
    ck_assert_uint_eq(client.received, 3);
    ck_assert_uint_lt(client.age_ms, PATIENCE_MS);
    ck_assert_int_eq(ivflat_server_next_client(served.server, 1, NULL), -1);
    ck_assert_int_eq(ivflat_server_next_client(served.server, 65535, &client), -1);
    guest_leave(&guests[0], NULL);
    guest_leave(&guests[1], NULL);
}
END_TEST

/* A struct of another release. */
START_TEST(a_client_is_filled_in_as_far_as_it_goes)
{
    struct {
        ivflat_server_client client;
        uint64_t more;
    } longer = {.client = {.struct_size = sizeof(longer)}, .more = 77};
    struct guest guest;

    served_begin(&served, NULL);
    guest_join(&guest, &served);
    ck_assert_int_eq(ivflat_server_next_client(served.server, -1, &longer.client), 0);
    ck_assert_uint_eq(longer.client.struct_size, sizeof(longer));
    ck_assert_uint_eq(longer.client.sent, 4);
    ck_assert_uint_eq(longer.more, 0);
    longer.client.struct_size = sizeof(longer.client) - 8;
    ck_assert_int_eq(ivflat_server_next_client(served.server, -1, &longer.client), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_next_client(served.server, -2, NULL), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_next_client(NULL, -1, NULL), IVFLAT_ERR_INVALID);
    guest_leave(&guest, NULL);
}
END_TEST

static uint64_t counted(uint32_t which)
{
    return ivflat_server_counter(served.server, which);
}

START_TEST(counters_count)
{
    struct guest guests[2];

    served_begin(&served, &(ivflat_server_config){.vectors = 2, .max_clients = 2});
    guest_join(&guests[0], &served);
    guest_join(&guests[1], &served);
    ck_assert_uint_eq(counted(IVFLAT_SERVER_COUNT_MESSAGES), 5 + 7 + 2);
    guest_leave(&guests[1], &served);
    ck_assert_int_eq(ivflat_server_drop(served.server, 0), 0);
    served_run(&served);
    ck_assert_uint_eq(counted(IVFLAT_SERVER_COUNT_JOINED), 2);
    ck_assert_uint_eq(counted(IVFLAT_SERVER_COUNT_LEFT), 2);
    ck_assert_uint_eq(counted(IVFLAT_SERVER_COUNT_DROPPED), 1);
    ck_assert_uint_eq(counted(IVFLAT_SERVER_COUNT_REFUSED), 0);
    ck_assert_uint_eq(counted(1000), 0);
    ck_assert_uint_eq(ivflat_server_counter(NULL, 0), 0);
    guest_leave(&guests[0], NULL);
}
END_TEST

START_TEST(the_program_may_drop_one)
{
    struct guest guests[2];

    served_begin(&served, NULL);
    guest_join(&guests[0], &served);
    guest_join(&guests[1], &served);
    guest_skip(&guests[0]);
    guest_skip(&guests[1]);
    ck_assert_int_eq(ivflat_server_drop(served.server, 2), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_drop(served.server, 65536), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_drop(NULL, 0), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_drop(served.server, 1), 0);
    ck_assert_int_eq(ivflat_server_drop(served.server, 1), 0); /* it is still to go */
    ck_assert_int_eq(ivflat_server_wait(served.server, 0), 1);
    served_run(&served);
    guest_expect(&guests[1], "end");
    guest_expect(&guests[0], "1");
    ck_assert_uint_eq(served.reason, IVFLAT_LEFT_DROPPED);
    guest_leave(&guests[0], NULL);
    guest_leave(&guests[1], NULL);
}
END_TEST

/* From inside a hook, oneself and another. */
static void drop_all(struct served *inside)
{
    ivflat_server_drop(inside->server, 0);
    ivflat_server_drop(inside->server, 1);
}

START_TEST(a_hook_may_drop)
{
    struct guest guests[2];

    served_begin(&served, NULL);
    guest_join(&guests[0], &served);
    served.inside = drop_all;
    guest_join(&guests[1], &served);
    served.inside = NULL;
    ck_assert_uint_eq(ivflat_server_clients(served.server), 0);
    guest_expect(&guests[1], "end");
    guest_leave(&guests[0], NULL);
    guest_leave(&guests[1], NULL);
}
END_TEST

START_TEST(reasons_are_told_as_numbers_too)
{
    uint8_t bytes[4097] = {0};
    struct guest guest;

    served_begin(&served, NULL);
    guest_join(&guest, &served);
    guest_leave(&guest, &served);
    ck_assert_uint_eq(served.reason, IVFLAT_LEFT_CLOSED);
    guest_join(&guest, &served);
    ck_assert_int_eq(send(guest.sock, bytes, 4097, 0), 4097);
    served_run(&served);
    ck_assert_uint_eq(served.reason, IVFLAT_LEFT_LOUD);
    guest_leave(&guest, NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server-door");
    TCase *tcase = suite_case(suite, "socket");

    tcase_add_test(tcase, nobody_else_may_join_unless_it_is_said);
    tcase_add_test(tcase, a_given_listener_is_taken_and_its_file_stays);
    tcase_add_test(tcase, a_given_descriptor_that_is_no_listener_is_closed);
    tcase_add_test(tcase, fields_that_cannot_be);

    tcase = suite_case(suite, "limits");
    tcase_add_test(tcase, no_more_clients_than_may_be_there);
    tcase_add_test(tcase, no_more_of_one_user_than_may_be_there);
    tcase_add_test(tcase, users_are_counted_apart);
    tcase_add_test(tcase, only_those_that_are_allowed_may_join);
    tcase_add_test(tcase, the_program_may_refuse);
    tcase_add_test(tcase, refusals_are_one_line_a_second);
    tcase_add_test(tcase, the_lowest_id_where_asked_for);

    tcase = suite_case(suite, "asking");
    tcase_add_test(tcase, clients_are_listed_with_what_they_cost);
    tcase_add_test(tcase, a_client_is_filled_in_as_far_as_it_goes);
    tcase_add_test(tcase, counters_count);
    tcase_add_test(tcase, the_program_may_drop_one);
    tcase_add_test(tcase, a_hook_may_drop);
    tcase_add_test(tcase, reasons_are_told_as_numbers_too);
    return suite_run(suite);
}
