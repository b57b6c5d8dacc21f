/* SPDX-License-Identifier: BSD-3-Clause */
/* Slow readers, stuck ones, and those that come and go: none costs the others a message. */
#include "served.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

static struct served served;

/* A peer joins, is told of everybody, and leaves. */
static void come_and_go(void)
{
    struct guest guest;

    guest_join(&guest, &served);
    guest_leave(&guest, &served);
}

/* Reads all in turn with the server, as long as anything comes. */
static uint32_t read_on(struct guest *guest)
{
    uint32_t count = 0;
    uint32_t more;

    while ((more = guest_skip(guest)) > 0) {
        count += more;
        served_run(&served);
    }
    return count;
}

/* The next message is @number, with a descriptor or without. */
static void expect_one(struct guest *guest, int64_t number, bool with_fd)
{
    guint before = guest->fds->len;
    int64_t came;

    if (!guest_take(guest, &came)) {
        served_run(&served);
        ck_assert_msg(guest_take(guest, &came), "nothing came in place of %ld", (long)number);
    }
    ck_assert_int_eq(came, number);
    ck_assert_uint_eq(guest->fds->len - before, with_fd);
}

#define MANY 400 /* three messages each: far more than a socket takes unread (some 277) */

START_TEST(a_slow_reader_loses_nothing_and_costs_the_others_nothing)
{
    struct guest slow;
    struct guest quick;

    served_begin(&served, &(ivflat_server_config){.vectors = 2});
    guest_join(&slow, &served);
    guest_join(&quick, &served);
    guest_skip(&quick);
    for (int64_t id = 2; id < 2 + MANY; id++) {
        come_and_go();
        expect_one(&quick, id, true);
        expect_one(&quick, id, true);
        expect_one(&quick, id, false);
        guest_skip(&quick);
    }
    ck_assert_int_eq(ivflat_server_wait(served.server, 0), 0); /* nor does it keep the server busy */

    expect_one(&slow, 0, false);
    expect_one(&slow, 0, false);
    expect_one(&slow, -1, true);
    expect_one(&slow, 0, true);
    expect_one(&slow, 0, true);
    expect_one(&slow, 1, true);
    expect_one(&slow, 1, true);
    for (int64_t id = 2; id < 2 + MANY; id++) {
        expect_one(&slow, id, true);
        expect_one(&slow, id, true);
        expect_one(&slow, id, false);
    }
    guest_expect(&slow, "");
    guest_leave(&slow, NULL);
    guest_leave(&quick, NULL);
}
END_TEST

START_TEST(what_waits_is_let_go_with_its_client)
{
    struct guest slow;
    uint32_t before;

    served_begin(&served, &(ivflat_server_config){.vectors = 2});
    before = count_fds();
    guest_join(&slow, &served);
    for (int i = 0; i < MANY; i++) {
        come_and_go();
    }
    ck_assert_uint_gt(count_fds(), before + MANY); /* eventfds of those that are gone */
    guest_leave(&slow, &served);
    ck_assert_uint_eq(count_fds(), before);
}
END_TEST

/* More of a greeting than a socket takes, and another client joins meanwhile. */
START_TEST(a_greeting_is_one_consistent_list)
{
    struct guest full;
    struct guest late;
    struct guest last;

    served_begin(&served, &(ivflat_server_config){.vectors = 300});
    guest_join(&full, &served);
    guest_join(&late, &served);
    guest_join(&last, &served);
    expect_one(&late, 0, false);
    expect_one(&late, 1, false);
    expect_one(&late, -1, true);
    for (int64_t id = 0; id < 3; id++) {
        for (int i = 0; i < 300; i++) {
            expect_one(&late, id, true);
        }
    }
    guest_expect(&late, "");
    guest_leave(&full, NULL);
    guest_leave(&late, NULL);
    guest_leave(&last, NULL);
}
END_TEST

START_TEST(gone_in_the_middle_of_the_greeting)
{
    struct guest stays;
    uint32_t before;

    served_begin(&served, &(ivflat_server_config){.vectors = 500});
    guest_join(&stays, &served);
    ck_assert_uint_eq(read_on(&stays), 3 + 500);
    before = count_fds();
    come_and_go();
    for (int i = 0; i < 500; i++) {
        expect_one(&stays, 1, true);
    }
    expect_one(&stays, 1, false);
    guest_skip(&stays);
    ck_assert_uint_eq(count_fds(), before);
    served_expect(&served, "0 joined; 1 joined; 1 left: it closed the connection");
    guest_leave(&stays, NULL);
}
END_TEST

/* Connected and closed before the server looks. */
START_TEST(who_comes_and_goes_at_once_is_survived)
{
    struct guest stays;
    struct guest guest;

    served_begin(&served, NULL);
    guest_join(&stays, &served);
    guest_skip(&stays);
    for (int64_t round = 0; round < 100; round++) {
        for (int i = 0; i < 10; i++) {
            guest_connect(&guest, served.path);
            guest_leave(&guest, NULL);
        }
        served_run(&served);
        ck_assert_uint_eq(ivflat_server_clients(served.server), 1);
        guest_skip(&stays);
    }
    guest_join(&guest, &served);
    ck_assert_uint_eq(guest_skip(&guest), 5);
    guest_leave(&guest, NULL);
    guest_leave(&stays, NULL);
}
END_TEST

/* The bound ------------------------------------------------------------------------------------------------------- */

START_TEST(past_the_bound_a_client_is_dropped)
{
    struct guest stuck;
    struct guest quick;
    int rounds = 0;

    served_begin(&served, &(ivflat_server_config){.max_queue = 100});
    guest_join(&quick, &served);
    guest_join(&stuck, &served);
    read_on(&quick);
    served_take(&served);
    while (ivflat_server_clients(served.server) == 2) {
        come_and_go(); /* two messages */
        ck_assert_int_lt(++rounds, 1000);
        guest_skip(&quick);
    }
    ck_assert_ptr_nonnull(strstr(served.said->str, "1 left: more than 100 messages wait for it"));
    ck_assert_uint_eq(ivflat_server_clients(served.server), 1);
    /* It has what the socket took, in order, and then the end; more than the bound was never there. */
    guest_skip(&stuck);
    guest_expect(&stuck, "end");
    guest_leave(&stuck, NULL);
    guest_leave(&quick, NULL);
}
END_TEST

/* The same, counted in memory: a join of 2 vectors keeps more than 1,024 bytes. */
START_TEST(past_the_bound_of_memory_a_client_is_dropped)
{
    struct guest stuck;
    int rounds = 0;

    served_begin(&served, &(ivflat_server_config){.vectors = 2, .max_queue_bytes = 100 << 10});
    guest_join(&stuck, &served);
    for (; ivflat_server_clients(served.server) == 1; rounds++) {
        come_and_go();
        ck_assert_int_lt(rounds, 1000);
    }
    /* What the socket took, three messages a round, and a hundred more that a hundred kilobytes are too little for. */
    ck_assert_int_gt(rounds, 60);
    ck_assert_int_lt(rounds, 277 / 3 + 110);
    ck_assert_ptr_nonnull(strstr(served.said->str, "0 left: what waits for it takes more than 102400 bytes"));
    guest_leave(&stuck, NULL);
}
END_TEST

/* Without a bound of one's own there is one all the same. */
START_TEST(a_client_that_never_reads_does_not_stay_for_ever)
{
    struct rlimit limit;
    struct rlimit small;
    struct guest stuck;
    int rounds = 0;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    small = limit;
    small.rlim_cur = 1024;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &small), 0);
    served_begin(&served, NULL);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    guest_join(&stuck, &served);
    while (ivflat_server_clients(served.server) == 1) {
        come_and_go();
        ck_assert_int_lt(++rounds, 1000);
    }
    ck_assert_ptr_nonnull(strstr(served.said->str, "0 left: more than 512 messages wait for it"));
    guest_leave(&stuck, NULL);
}
END_TEST

START_TEST(a_message_less_than_the_bound_is_kept)
{
    struct guest stuck;
    uint32_t taken;

    served_begin(&served, &(ivflat_server_config){.no_interrupts = 1, .max_queue = 100});
    guest_join(&stuck, &served);
    for (taken = 0; !strstr(served.said->str, "0 left"); taken++) {
        come_and_go(); /* one message: a leave */
        ck_assert_uint_lt(taken, 5000);
    }
    /* The same again, up to one less. */
    g_string_truncate(served.said, 0);
    guest_leave(&stuck, &served);
    guest_join(&stuck, &served);
    for (uint32_t i = 0; i + 1 < taken; i++) {
        come_and_go();
    }
    ck_assert_uint_eq(ivflat_server_clients(served.server), 1);
    ck_assert_uint_eq(read_on(&stuck), 3 + taken - 1);
    guest_leave(&stuck, NULL);
}
END_TEST

START_TEST(the_greeting_does_not_count_for_the_bound)
{
    struct guest first;
    struct guest second;

    served_begin(&served, &(ivflat_server_config){.vectors = 1000, .max_queue = 1000});
    guest_join(&first, &served);
    ck_assert_uint_eq(read_on(&first), 3 + 1000);
    guest_join(&second, &served);
    ck_assert_uint_eq(ivflat_server_clients(served.server), 2);
    ck_assert_uint_eq(read_on(&second), 3 + 2000);
    ck_assert_uint_eq(read_on(&first), 1000);
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

/* What waits for us is no fault of theirs: the others read as soon as anything comes. */
static void dispatch_with(struct guest *readers, uint32_t count)
{
    while (ivflat_server_wait(served.server, 0) == 1) {
        ck_assert_int_eq(ivflat_server_dispatch(served.server), 0);
        for (uint32_t i = 0; i < count; i++) {
            guest_skip(&readers[i]);
        }
    }
    ck_assert_ptr_null(strstr(served.said->str, "messages wait"));
}

START_TEST(who_reads_is_kept_however_many_come_at_once)
{
    struct guest guests[20];

    served_begin(&served, &(ivflat_server_config){.vectors = 64, .max_queue = 128});
    for (int i = 0; i < 20; i++) {
        guest_connect(&guests[i], served.path);
    }
    dispatch_with(guests, 20);
    ck_assert_uint_eq(ivflat_server_clients(served.server), 20);
    for (int i = 0; i < 20; i++) {
        guest_leave(&guests[i], NULL);
    }
}
END_TEST

START_TEST(who_reads_is_kept_however_many_leave_at_once)
{
    struct guest guests[400]; /* a socket takes fewer messages unread */

    served_begin(&served, &(ivflat_server_config){.no_interrupts = 1, .max_queue = 4});
    for (int i = 0; i < 400; i++) {
        guest_join(&guests[i], &served);
    }
    for (int i = 200; i < 400; i++) {
        guest_leave(&guests[i], NULL);
    }
    dispatch_with(guests, 200);
    ck_assert_uint_eq(ivflat_server_clients(served.server), 200);
    for (int i = 0; i < 200; i++) {
        guest_leave(&guests[i], NULL);
    }
}
END_TEST

/* Its leave overflows the next one's queue, whose leave overflows the next one's ... */
START_TEST(one_drop_may_lead_to_another)
{
    struct guest stuck[5];
    int rounds = 0;

    served_begin(&served, &(ivflat_server_config){.max_queue = 10});
    for (int i = 0; i < 5; i++) {
        guest_join(&stuck[i], &served);
    }
    while (ivflat_server_clients(served.server) > 0) {
        come_and_go();
        ck_assert_int_lt(++rounds, 1000);
    }
    for (int i = 0; i < 5; i++) {
        guest_skip(&stuck[i]);
        guest_expect(&stuck[i], "end");
        guest_leave(&stuck[i], NULL);
    }
}
END_TEST

/* A share --------------------------------------------------------------------------------------------------------- */

START_TEST(a_dispatch_does_a_bounded_share)
{
    struct guest guests[30];
    uint32_t dispatches = 0;

    served_begin(&served, &(ivflat_server_config){.vectors = 8});
    for (int i = 0; i < 30; i++) {
        guest_connect(&guests[i], served.path);
    }
    while (ivflat_server_wait(served.server, 0) == 1) {
        ck_assert_int_eq(ivflat_server_dispatch(served.server), 0);
        dispatches++;
    }
    ck_assert_uint_ge(dispatches, 7290 / 512); /* 30 times (3 + 30 times 8) messages */
    for (int i = 0; i < 30; i++) {
        ck_assert_uint_eq(guest_skip(&guests[i]), 243);
        guest_leave(&guests[i], NULL);
    }
}
END_TEST

/* P21: at no moment has the newcomer more of its own vectors than the others have. */
START_TEST(P21_the_others_hear_first)
{
    struct guest first;
    struct guest second;
    uint32_t heard = 0;
    uint32_t own = 0;
    int64_t number;

    served_begin(&served, &(ivflat_server_config){.vectors = 600});
    guest_join(&first, &served);
    read_on(&first);
    guest_connect(&second, served.path);
    while (own < 600) {
        ck_assert_int_eq(ivflat_server_wait(served.server, 0), 1);
        ck_assert_int_eq(ivflat_server_dispatch(served.server), 0);
        for (uint32_t fds = second.fds->len; guest_take(&second, &number); fds = second.fds->len) {
            own += number == 1 && second.fds->len > fds;
        }
        heard += guest_skip(&first);
        ck_assert_uint_ge(heard, own);
    }
    guest_leave(&first, NULL);
    guest_leave(&second, NULL);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server-clients");
    TCase *tcase = suite_case(suite, "readers");

    tcase_add_test(tcase, a_slow_reader_loses_nothing_and_costs_the_others_nothing);
    tcase_add_test(tcase, what_waits_is_let_go_with_its_client);
    tcase_add_test(tcase, a_greeting_is_one_consistent_list);
    tcase_add_test(tcase, gone_in_the_middle_of_the_greeting);
    tcase_add_test(tcase, who_comes_and_goes_at_once_is_survived);

    tcase = suite_case(suite, "bound");
    tcase_add_test(tcase, past_the_bound_a_client_is_dropped);
    tcase_add_test(tcase, past_the_bound_of_memory_a_client_is_dropped);
    tcase_add_test(tcase, a_client_that_never_reads_does_not_stay_for_ever);
    tcase_add_test(tcase, a_message_less_than_the_bound_is_kept);
    tcase_add_test(tcase, the_greeting_does_not_count_for_the_bound);
    tcase_add_test(tcase, who_reads_is_kept_however_many_come_at_once);
    tcase_add_test(tcase, who_reads_is_kept_however_many_leave_at_once);
    tcase_add_test(tcase, one_drop_may_lead_to_another);

    tcase = suite_case(suite, "share");
    tcase_add_test(tcase, a_dispatch_does_a_bounded_share);
    tcase_add_test(tcase, P21_the_others_hear_first);
    return suite_run(suite);
}
