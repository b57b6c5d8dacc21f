/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel lacks for a while: nobody is lost for it, and the server does not run in circles meanwhile. */
#include "served.h"

#include "server-io.h"
#include "server-state.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct served served;

/* Nothing is due, and nothing will be in less time than a try, of which one may fall into ours: in circles it would not
 * run. */
static bool is_quiet(void)
{
    bool quiet = false;

    for (int i = 0; i < 20 && !quiet; i++) {
        served_run(&served);
        quiet = ivflat_server_wait(served.server, 20) == 0;
    }
    return quiet;
}

static void expect_quiet(void)
{
    ck_assert(is_quiet());
}

/* Waits for the server's timer, once. */
static void wait_for_retry(void)
{
    ck_assert_int_eq(ivflat_server_wait(served.server, PATIENCE_MS), 1);
    served_run(&served);
}

START_TEST(who_cannot_be_accepted_waits)
{
    struct guest first;
    struct guest second;

    served_begin(&served, NULL);
    guest_join(&first, &served);
    guest_skip(&first);
    guest_connect(&second, served.path);
    fill_fds(0);
    expect_quiet();
    ck_assert_ptr_nonnull(strstr(served.logged->str, "warning: cannot accept a client now, it has to wait: "
                                                     "Too many open files; there are 1 clients"));
    wait_for_retry(); /* in vain, and without another line */
    ck_assert_ptr_null(strstr(strchr(served.logged->str, '\n') + 1, "accept"));
    ck_assert_uint_eq(ivflat_server_clients(served.server), 1);
    fill_fds_undo();
    wait_for_retry();
    guest_expect(&first, "1 eventfd");
    guest_expect(&second, "0; 1; -1 memory 4194304; 0 eventfd; 1 eventfd");
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(it_is_said_once_a_second_at_most)
{
    gint64 before = g_get_monotonic_time();
    char **lines;

    served_begin(&served, NULL);
    for (int i = 0; i < 5; i++) {
        struct guest guest;

        guest_connect(&guest, served.path);
        fill_fds(0);
        served_run(&served);
        fill_fds_undo();
        wait_for_retry();
        ck_assert_uint_eq(guest_skip(&guest), 4); /* it came in */
        guest_leave(&guest, &served);
    }
    lines = g_strsplit(served.logged->str, "\n", -1);
    ck_assert_uint_ge(g_strv_length(lines), 2);
    ck_assert_int_le(g_strv_length(lines) - 1, 1 + (g_get_monotonic_time() - before) / G_TIME_SPAN_SECOND);
    g_strfreev(lines);
}
END_TEST

START_TEST(who_waits_comes_in_when_another_leaves)
{
    struct guest first;
    struct guest second;

    served_begin(&served, NULL);
    guest_join(&first, &served);
    guest_skip(&first);
    guest_connect(&second, served.path);
    fill_fds(0);
    expect_quiet();
    guest_leave(&first, &served); /* its socket, its eventfd, and our own end */
    ck_assert_uint_eq(ivflat_server_clients(served.server), 1);
    fill_fds_undo();
    guest_expect(&second, "0; 1; -1 memory 4194304; 1 eventfd");
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(without_eventfds_a_client_is_refused)
{
    struct guest first;
    struct guest second;

    served_begin(&served, &(ivflat_server_config){.vectors = 4});
    guest_join(&first, &served);
    guest_skip(&first);
    guest_connect(&second, served.path);
    fill_fds(3); /* its socket and two of four eventfds */
    expect_quiet();
    ck_assert_ptr_nonnull(strstr(served.logged->str, "): Too many open files; there are 1 clients"));
    fill_fds_undo();
    guest_expect(&second, "end");
    guest_expect(&first, "");
    served_expect(&served, "0 joined; refused: Too many open files");
    guest_leave(&second, NULL);
    wait_for_retry();
    guest_join(&second, &served);
    guest_expect(&second, "0; 1; -1 memory 4194304; 0 eventfd; 0 eventfd; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd; "
                          "1 eventfd; 1 eventfd");
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

/* A user without privileges may have no more descriptors under way, over all sockets, than a process may have open
 * (ETOOMANYREFS).  In a child, for there is no way back from another user.  Answers the line that went wrong, or 0. */
#define LIMIT   400 /* descriptors, open or under way */
#define STUCK   40  /* clients: two sockets would take all of them */
#define ROUNDS  30
#define VECTORS 2

#define WANT(condition)                                                                                                \
    if (!(condition)) {                                                                                                \
        return __LINE__ & 127;                                                                                         \
    }

/* One that nobody else is, other runs of this test included: what is under way is counted over all of a user. */
static void become_a_user(void)
{
    const uid_t user = 100000 + (uid_t)getpid();
    struct rlimit limit = {LIMIT, LIMIT};
    char *above = g_path_get_dirname(test_folder());

    ck_assert_int_eq(chmod(above, 0755) + chmod(test_folder(), 0777), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(setresuid(user, user, user), 0);
    served_begin(&served, &(ivflat_server_config){.vectors = VECTORS});
    g_free(above);
}

/* The next message is @number; it may have to be waited for. */
static bool comes(struct guest *guest, int64_t number)
{
    int64_t came;

    while (!guest_take(guest, &came)) {
        if (ivflat_server_wait(served.server, PATIENCE_MS) != 1) {
            return false;
        }
        served_run(&served);
    }
    return came == number;
}

/* As much as it takes, or the kernel allows. */
static void fill_socket(int ends[2], int event)
{
    make_socketpair(ends);
    while (ivf_io_send(ends[0], &(struct ivf_message){1, event}, 1) == 1) {
    }
}

static int stuck_clients(void *argument)
{
    static struct guest stuck[STUCK];
    struct guest quick;
    int64_t last;

    (void)argument;
    become_a_user();
    for (int i = 0; i < STUCK; i++) {
        guest_join(&stuck[i], &served);
    }
    WANT(ivflat_server_clients(served.server) == STUCK);
    for (last = STUCK; last < STUCK + ROUNDS; last++) { /* those that come and read, miss nothing and wait for nobody */
        guest_join(&quick, &served);
        WANT(comes(&quick, 0) && comes(&quick, last) && comes(&quick, -1));
        for (int64_t id = 0; id < STUCK; id++) {
            WANT(comes(&quick, id) && comes(&quick, id));
        }
        WANT(comes(&quick, last) && comes(&quick, last));
        guest_leave(&quick, &served);
    }
    WANT(is_quiet()); /* though much waits */
    WANT(served.logged->len == 0);
    for (int64_t id = 0; id < STUCK + ROUNDS; id++) { /* and one of the stuck has lost nothing */
        WANT(id > 0 || (comes(&stuck[0], 0) && comes(&stuck[0], 0) && comes(&stuck[0], -1)));
        for (int vector = 0; vector < VECTORS; vector++) {
            WANT(comes(&stuck[0], id));
            close_fd(guest_fd(&stuck[0], stuck[0].fds->len - 1)); /* there is not room for all */
            g_array_set_size(stuck[0].fds, stuck[0].fds->len - 1);
        }
        WANT(id < STUCK || comes(&stuck[0], id)); /* it left */
    }
    return 0;
}

/* Somebody else of the same user has them all under way. */
static int all_under_way(void *argument)
{
    struct guest guest;
    int ends[2][2];
    int event = make_eventfd();

    (void)argument;
    become_a_user();
    fill_socket(ends[0], event);
    fill_socket(ends[1], event);
    WANT(ivf_io_send(ends[1][0], &(struct ivf_message){1, event}, 1) == -ETOOMANYREFS); /* the limit is real */
    guest_join(&guest, &served);
    WANT(comes(&guest, 0) && comes(&guest, 0)); /* these have no descriptor */
    WANT(is_quiet());
    WANT(strstr(served.logged->str, "too many descriptors are under way"));
    close_fd(ends[0][1]);
    close_fd(ends[1][1]);
    WANT(comes(&guest, -1) && comes(&guest, 0) && comes(&guest, 0));
    return 0;
}

static void run_as_a_user(int (*function)(void *argument), const char *name)
{
    int child;

    if (geteuid() != 0) {
        printf("%s: skipped, only root can be another user\n", name);
        return;
    }
    child = run_child(function, NULL);
    ck_assert_int_eq(join_child(child), 0);
}

START_TEST(clients_that_do_not_read_stop_nobody)
{
    run_as_a_user(stuck_clients, "clients_that_do_not_read_stop_nobody");
}
END_TEST

START_TEST(too_many_descriptors_under_way)
{
    run_as_a_user(all_under_way, "too_many_descriptors_under_way");
}
END_TEST

/* valgrind takes a connection for which there is no descriptor, and closes it: then there is nobody left to wait. */
static bool in_valgrind(void)
{
    const char *preload = g_getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}

/* What we count as room, the kernel has to count likewise, whatever its default is; or a socket is for ever writable for
 * it, and full for us.  Those of a process before this one too. */
START_TEST(a_socket_has_the_room_that_we_count_on)
{
    struct guest guest;
    socklen_t length = sizeof(int);
    int bytes;

    served_begin(&served, NULL);
    guest_join(&guest, &served);
    ck_assert_int_eq(
        getsockopt(((struct ivf_client *)served.server->all.head->data)->sock, SOL_SOCKET, SO_SNDBUF, &bytes, &length),
        0);
    ck_assert_int_eq(bytes, 277 * 768);
    guest_leave(&guest, NULL);
}
END_TEST

/* Some do not read, and what may be under way is scarce: who reads is sent all at once all the same, and who does not a
 * few messages. */
START_TEST(who_reads_does_not_wait_for_those_who_do_not)
{
    struct guest silent[4];
    struct guest guest;

    served_begin(&served, &(ivflat_server_config){.vectors = 50});
    served.server->flow.most = 2000; /* as with few descriptors */
    for (int i = 0; i < 4; i++) {
        guest_join(&silent[i], &served);
    }
    ck_assert(served.server->flow.tight);
    ck_assert_uint_lt(served.server->flow.under_way, 1000);
    for (int i = 0; i < 3; i++) {
        guest_join(&guest, &served);
        ck_assert_uint_ge(guest_skip(&guest), 20); /* of 253, without asking again */
        served_run(&served);
        guest_leave(&guest, &served);
        ck_assert_uint_lt(served.server->flow.under_way, 1000);
    }
    for (int i = 0; i < 4; i++) {
        guest_leave(&silent[i], &served);
    }
    ck_assert_uint_eq(served.server->flow.under_way, 0);
}
END_TEST

/* What lay unread in the socket of one who left is under way no more; or, one leave after the other, all others would have
 * to make do with a few messages for ever. */
START_TEST(who_leaves_frees_what_was_under_way_to_it)
{
    struct guest guest;

    served_begin(&served, &(ivflat_server_config){.vectors = 8});
    served.server->flow.most = 100; /* as with few descriptors */
    for (int i = 0; i < 20; i++) {
        guest_join(&guest, &served);
        ck_assert_uint_gt(served.server->flow.under_way, 0);
        guest_leave(&guest, &served);
        ck_assert_uint_eq(served.server->flow.under_way, 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server-retry");
    TCase *tcase = suite_case(suite, "descriptors");

    if (in_valgrind()) {
        printf("server-retry: skipped, under valgrind a client that cannot be accepted is lost\n");
        srunner_free(srunner_create(suite));
        return 77;
    }

    tcase_add_test(tcase, who_cannot_be_accepted_waits);
    tcase_add_test(tcase, it_is_said_once_a_second_at_most);
    tcase_add_test(tcase, who_waits_comes_in_when_another_leaves);
    tcase_add_test(tcase, without_eventfds_a_client_is_refused);
    tcase_add_test(tcase, clients_that_do_not_read_stop_nobody);
    tcase_add_test(tcase, too_many_descriptors_under_way);
    tcase_add_test(tcase, a_socket_has_the_room_that_we_count_on);
    tcase_add_test(tcase, who_reads_does_not_wait_for_those_who_do_not);
    tcase_add_test(tcase, who_leaves_frees_what_was_under_way_to_it);
    return suite_run(suite);
}
