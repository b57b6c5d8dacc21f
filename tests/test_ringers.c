/* SPDX-License-Identifier: BSD-3-Clause */
/* Who rings without the lock is waited for, and no longer than that. */
#include "support.h"

#include "ringers.h"

#include <pthread.h>
#include <sched.h>

#define THREADS 3

static struct ivf_ringers ringers;
static bool waiting, over, left, stop;

static void begin(void)
{
    ringers = (struct ivf_ringers){0};
    waiting = over = left = stop = false;
}

static void *wait_once(void *unused)
{
    (void)unused;
    __atomic_store_n(&waiting, true, __ATOMIC_SEQ_CST);
    ivf_ringers_wait(&ringers);
    __atomic_store_n(&over, true, __ATOMIC_SEQ_CST);
    ck_assert(__atomic_load_n(&left, __ATOMIC_SEQ_CST));
    return NULL;
}

/* The loop's number: the turn that it is. */
START_TEST(who_is_inside_is_waited_for)
{
    struct ivf_ringer ringer;
    pthread_t thread;

    begin();
    ringers.turn = (uint32_t)_i;
    ringer = ivf_ringers_enter(&ringers);
    ck_assert_int_eq(pthread_create(&thread, NULL, wait_once, NULL), 0);
    while (!__atomic_load_n(&waiting, __ATOMIC_SEQ_CST)) {
        sched_yield();
    }
    for (int i = 0; i < 200; i++) { /* time enough for one that does not wait to be seen */
        sched_yield();
        ck_assert(!__atomic_load_n(&over, __ATOMIC_SEQ_CST));
    }
    __atomic_store_n(&left, true, __ATOMIC_SEQ_CST);
    ivf_ringers_leave(ringer, 1);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert(over);
}
END_TEST

static void *come_and_go(void *argument)
{
    uint64_t *rings = argument;

    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        ivf_ringers_leave(ivf_ringers_enter(&ringers), (uint32_t)(*rings % 2));
        ++*rings;
    }
    return NULL;
}

START_TEST(waiting_ends_however_many_come)
{
    uint64_t passes[THREADS] = {0}, sum = 0;
    pthread_t threads[THREADS];

    begin();
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_create(&threads[i], NULL, come_and_go, &passes[i]), 0);
    }
    for (int i = 0; i < 500; i++) {
        ivf_ringers_wait(&ringers);
    }
    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < THREADS; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        sum += passes[i] / 2; /* every other sent one */
    }
    ck_assert_uint_eq(ivf_ringers_sent(&ringers), sum);
    ivf_ringers_wait(&ringers);
}
END_TEST

START_TEST(nobody_is_waited_for)
{
    begin();
    ivf_ringers_wait(&ringers);
    ck_assert_uint_eq(ivf_ringers_sent(&ringers), 0);
    ivf_ringers_leave(ivf_ringers_enter(&ringers), 3);
    ivf_ringers_wait(&ringers);
    ck_assert_uint_eq(ivf_ringers_sent(&ringers), 3);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ringers");
    TCase *tcase = suite_case(suite, "waiting");

    tcase_add_test(tcase, nobody_is_waited_for);
    tcase_add_loop_test(tcase, who_is_inside_is_waited_for, 0, 2);
    tcase_add_test(tcase, waiting_ends_however_many_come);
    return suite_run(suite);
}
