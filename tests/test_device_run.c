/* SPDX-License-Identifier: BSD-3-Clause */
/* Waiting and dispatching in one call. */
#include "story.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/time.h>

static struct story story;

static void begin(void)
{
    story_begin(&story, NULL);
    story_sends(&story, "0", "3", "-1 memory 4096", "3 eventfd", "3 eventfd");
    story_expect(&story, "memory 4096; ready");
}

START_TEST(C2_what_is_due_is_dispatched)
{
    begin();
    ck_assert_int_eq(ivflat_device_run(story.dev, 0), 0);
    story_be_rung(&story, 0, 2);
    story_be_rung(&story, 1, 3);
    ck_assert_int_eq(ivflat_device_run(story.dev, -1), 1);
    record_expect(&story.record, "interrupt 0 2; interrupt 1 3");
    ck_assert_int_eq(ivflat_device_run(story.dev, 0), 0);
    record_expect(&story.record, "");
}
END_TEST

START_TEST(the_time_is_up)
{
    begin();
    ck_assert_int_eq(ivflat_device_run(story.dev, 20), 0);
    record_expect(&story.record, "");
}
END_TEST

static void *ring_and_wake(void *bell)
{
    add_count(*(int *)bell, 1);
    ivflat_device_wake(story.dev);
    return NULL;
}

/* It is waited for, whichever of the two is seen first. */
START_TEST(what_comes_meanwhile_ends_the_wait)
{
    pthread_t thread;
    int bell;

    begin();
    bell = story_fd(&story, 3, 1);
    ck_assert_int_eq(pthread_create(&thread, NULL, ring_and_wake, &bell), 0);
    ck_assert_int_eq(ivflat_device_run(story.dev, -1), 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    while (ivflat_device_run(story.dev, 0) == 1) {
    }
    record_expect(&story.record, "interrupt 1 1");
}
END_TEST

START_TEST(a_wake_counts_once)
{
    begin();
    ivflat_device_wake(story.dev);
    ck_assert_int_eq(ivflat_device_run(story.dev, -1), 1);
    ck_assert_int_eq(ivflat_device_run(story.dev, 0), 0);
}
END_TEST

START_TEST(P17_the_end_is_answered)
{
    begin();
    close_fd(story.server);
    story.server = -1;
    story.up = false;
    ck_assert_int_eq(ivflat_device_run(story.dev, -1), IVFLAT_ERR_CLOSED);
    record_expect(&story.record, "down closed");
    ck_assert_int_eq(ivflat_device_run(story.dev, 0), 0);
}
END_TEST

static void on_signal(int number)
{
    (void)number;
}

START_TEST(signals_do_not_end_it)
{
    struct sigaction before, action = {.sa_handler = on_signal};
    struct itimerval often = {.it_value = {.tv_usec = 1000}, .it_interval = {.tv_usec = 1000}}, off = {{0}, {0}};

    begin();
    ck_assert_int_eq(sigaction(SIGALRM, &action, &before), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &often, NULL), 0);
    ck_assert_int_eq(ivflat_device_run(story.dev, 25), 0);
    ck_assert_int_eq(setitimer(ITIMER_REAL, &off, NULL), 0);
    ck_assert_int_eq(sigaction(SIGALRM, &before, NULL), 0);
}
END_TEST

START_TEST(no_device)
{
    ck_assert_int_eq(ivflat_device_run(NULL, 0), IVFLAT_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "ivflat_device_run"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: run");
    TCase *tcase = suite_case(suite, "run");

    tcase_add_test(tcase, C2_what_is_due_is_dispatched);
    tcase_add_test(tcase, the_time_is_up);
    tcase_add_test(tcase, what_comes_meanwhile_ends_the_wait);
    tcase_add_test(tcase, a_wake_counts_once);
    tcase_add_test(tcase, P17_the_end_is_answered);
    tcase_add_test(tcase, signals_do_not_end_it);
    tcase_add_test(tcase, no_device);
    return suite_run(suite);
}
