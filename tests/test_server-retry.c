/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel lacks for a while: nobody is lost for it, and the server does not run in circles meanwhile. */
#include "served.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct served served;

/* Nothing is due, and nothing will be in less time than a try. */
static void expect_quiet(void)
{
    served_run(&served);
    ck_assert_int_eq(ivflat_server_wait(served.server, 20), 0);
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
    ck_assert_ptr_nonnull(strstr(served.logged->str, "warning: refused a client: Too many open files"));
    fill_fds_undo();
    guest_expect(&second, "end");
    guest_expect(&first, "");
    served_expect(&served, "0 joined");
    guest_leave(&second, NULL);
    wait_for_retry();
    guest_join(&second, &served);
    guest_expect(&second, "0; 1; -1 memory 4194304; 0 eventfd; 0 eventfd; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd; "
                          "1 eventfd; 1 eventfd");
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

/* A user other than root may have no more descriptors in flight, over all sockets, than it may have open: who does not
 * read holds up what would go to the others (ETOOMANYREFS) until it reads. */
#define LIMIT 128 /* descriptors, open or in flight */
#define USER  65533

static void become_a_user(void)
{
    struct rlimit limit = {LIMIT, LIMIT};
    char *above = g_path_get_dirname(test_folder());

    ck_assert_int_eq(chmod(above, 0755) + chmod(test_folder(), 0755) + chmod(served.path, 0777), 0);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_int_eq(setresuid(USER, USER, USER), 0);
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

/* In a child, for there is no way back from another user.  Answers the line that went wrong, or 0. */
#define WANT(condition)                                                                                                \
    if (!(condition)) {                                                                                                \
        return __LINE__ & 127;                                                                                         \
    }

static int too_many_in_flight(void *argument)
{
    struct guest stuck;
    struct guest guest;
    int64_t last = 0;
    uint32_t read = 0;

    (void)argument;
    become_a_user();
    guest_join(&stuck, &served);
    while (read ==
           10 * last) { /* each newcomer is 10 more in the stuck one's socket; it gets its own until it is full */
        guest_join(&guest, &served);
        last++;
        WANT(last < 2 * LIMIT / 10);
        read += guest_skip(&guest) == 3 + 20 ? 10 : 0;
        if (read == 10 * last) {
            guest_leave(&guest, &served);
        }
    }
    WANT(ivflat_server_clients(served.server) == 2);
    WANT(ivflat_server_wait(served.server, 20) == 0); /* quiet, though much waits */
    WANT(comes(&stuck, 0) && comes(&stuck, 0) && comes(&stuck, -1));
    for (int64_t id = 0; id <= last; id++) {
        for (int vector = 0; vector < 10; vector++) {
            WANT(comes(&stuck, id));
            close_fd(guest_fd(&stuck, stuck.fds->len - 1)); /* there is not room for all */
            g_array_set_size(stuck.fds, stuck.fds->len - 1);
        }
        WANT(id == 0 || id == last || comes(&stuck, id)); /* it left */
    }
    WANT(ivflat_server_clients(served.server) == 2);
    WANT(comes(&guest, last)); /* its own last vectors, or more */
    return 0;
}

START_TEST(too_many_descriptors_in_flight)
{
    int child;

    if (geteuid() != 0) {
        printf("too_many_descriptors_in_flight: skipped, only root can be another user\n");
        return;
    }
    served_begin(&served, &(ivflat_server_config){.vectors = 10});
    child = run_child(too_many_in_flight, NULL);
    ck_assert_int_eq(join_child(child), 0);
}
END_TEST

/* valgrind takes a connection for which there is no descriptor, and closes it: then there is nobody left to wait. */
static bool in_valgrind(void)
{
    const char *preload = g_getenv("LD_PRELOAD");

    return preload && strstr(preload, "vgpreload");
}

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
    tcase_add_test(tcase, too_many_descriptors_in_flight);
    return suite_run(suite);
}
