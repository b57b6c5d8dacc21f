/* SPDX-License-Identifier: BSD-3-Clause */
/* Doorbells from several threads at once, without a lock, while peers come and go.  Linked with --wrap=syscall, to hold a
 * thread where it rings. */
#include "support.h"

#include <libivflat/ivflat-trace.h>
#include <libivflat/ivflat.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <sys/syscall.h>

#define OWN      3
#define STEADY   4
#define FLEETING 5
#define ROUNDS   3000
#define RINGERS  2

static ivflat_device *dev;
static uint64_t interrupts, traces;

static void interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user, (void)vector;
    interrupts += count;
}

static void trace(void *user, uint32_t event, uint64_t a, uint64_t b, uint64_t c)
{
    (void)user, (void)event, (void)a, (void)b, (void)c;
    traces++;
}

/* One message of the server's; @fd -1: none comes with it, else it is given. */
static void says(int64_t number, int fd)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)number >> 8 * i);
    }
    ck_assert_int_eq(ivflat_device_feed(dev, bytes, sizeof(bytes), &fd, fd >= 0), 0);
}

static void greet(void)
{
    ck_assert_int_eq(ivflat_device_begin(dev), 0);
    says(0, -1);
    says(OWN, -1);
    says(-1, make_sealed_memory(4096));
}

static void free_device(void *unused)
{
    (void)unused;
    ivflat_device_free(dev);
}

static void begin(ivflat_config config, bool traced)
{
    ivflat_hooks hooks = {.struct_size = sizeof(hooks), .interrupt = interrupt, .trace = traced ? trace : NULL};

    config.struct_size = sizeof(config);
    interrupts = 0;
    ck_assert_int_eq(ivflat_device_new(&dev, &config, &hooks), 0);
    at_test_end(free_device, NULL);
    greet();
}

static int32_t doorbell(uint32_t id, uint32_t vector)
{
    return ivflat_device_doorbell(dev, id << 16 | vector);
}

static uint64_t sent(void)
{
    return ivflat_device_counter(dev, IVFLAT_COUNT_RINGS_SENT);
}

/* The loop's number: trusted_peers. */
START_TEST(R6_a_ring_reaches_its_peer)
{
    int bells[2] = {make_eventfd(), make_eventfd()};

    begin((ivflat_config){.trusted_peers = (uint32_t)_i}, false);
    says(STEADY, dup_fd(bells[0]));
    says(STEADY, dup_fd(bells[1]));
    ck_assert_int_eq(doorbell(STEADY, 1), 1);
    ck_assert_int_eq(doorbell(STEADY, 1), 1);
    ck_assert_int_eq(doorbell(STEADY, 0), 1);
    ivflat_device_write(dev, IVFLAT_REG_DOORBELL, 4, STEADY << 16);
    ck_assert_uint_eq(take_count(bells[0]), 2);
    ck_assert_uint_eq(take_count(bells[1]), 2);
    ck_assert_uint_eq(sent(), 4);
    close_fd(bells[0]);
    close_fd(bells[1]);
}
END_TEST

START_TEST(R8_oneself)
{
    begin((ivflat_config){0}, false);
    says(OWN, make_eventfd());
    ck_assert_int_eq(doorbell(OWN, 0), 1);
    ck_assert_int_eq(ivflat_device_dispatch(dev), 0);
    ck_assert_uint_eq(interrupts, 1);
}
END_TEST

/* All of it is ivflat_device_write()'s, which tells. */
START_TEST(R7_what_is_not_there_is_left_to_the_lock)
{
    int ends[2];

    begin((ivflat_config){0}, false);
    make_pipe(ends);
    ck_assert_int_eq(doorbell(STEADY, 0), 0);
    says(STEADY, make_eventfd());
    says(STEADY, ends[1]);
    says(STEADY, make_sealed_memory(4096)); /* no way to ring: its number stays taken */
    ck_assert_int_eq(doorbell(STEADY, 0), 1);
    for (uint32_t vector = 1; vector < 5; vector++) {
        ck_assert_int_eq(doorbell(STEADY, vector), 0);
    }
    ck_assert_int_eq(doorbell(65535, 65535), 0);
    ck_assert_uint_eq(take_count(ends[0]), 0);
    says(STEADY, -1);
    ck_assert_int_eq(doorbell(STEADY, 0), 0);
    ck_assert_int_eq(ivflat_device_doorbell(NULL, STEADY << 16), 0);
    ck_assert_uint_eq(sent(), 1);
    ck_assert_uint_eq(ivflat_device_counter(dev, IVFLAT_COUNT_RINGS_IGNORED), 0);
    close_fd(ends[0]);
}
END_TEST

START_TEST(a_ring_calls_no_hook)
{
    int bell = make_eventfd();

    begin((ivflat_config){0}, true);
    says(STEADY, dup_fd(bell));
    traces = 0;
    ck_assert_int_eq(doorbell(STEADY, 0), 1);
    ck_assert_uint_eq(take_count(bell), 1);
    ck_assert_int_eq(doorbell(STEADY, 1), 0);
    ck_assert_uint_eq(traces, 0);
    close_fd(bell);
}
END_TEST

START_TEST(R7_no_interrupts)
{
    begin((ivflat_config){.no_interrupts = 1}, false);
    says(STEADY, make_eventfd());
    ck_assert_int_eq(doorbell(STEADY, 0), 0);
}
END_TEST

/* P16: the counter is full, and waits. */
static int ring_a_full_one(void *argument)
{
    int bell = *(int *)argument;

    begin((ivflat_config){0}, false);
    says(STEADY, dup_fd(bell));
    return doorbell(STEADY, 0) == 1 ? 0 : 1;
}

START_TEST(P16_a_full_counter_never_blocks)
{
    int bell = make_eventfd();

    add_count(bell, UINT64_MAX - 1);
    set_nonblock(bell, false);
    ck_assert_int_eq(join_child(run_child(ring_a_full_one, &bell)), 0);
    close_fd(bell);
}
END_TEST

/* One that rings, and is held --------------------------------------------------------------------------------------- */

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);

static pthread_t held;        /* who is to be held, when it rings */
static bool holding, release; /* it is held; it may go on */
static bool changed;          /* whoever changes the table has done so */

static bool is_set(const bool *flag)
{
    return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static void set(bool *flag)
{
    __atomic_store_n(flag, true, __ATOMIC_SEQ_CST);
}

static void wait_until(const bool *flag)
{
    while (!is_set(flag)) {
        sched_yield();
    }
}

long __wrap_syscall(long number, ...)
{
    long arguments[4];
    va_list args;

    va_start(args, number);
    for (int i = 0; i < 4; i++) {
        arguments[i] = va_arg(args, long);
    }
    va_end(args);
    if (number == SYS_io_submit && pthread_equal(held, pthread_self())) {
        set(&holding);
        wait_until(&release);
    }
    return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3]);
}

static void *ring_and_be_held(void *rung)
{
    held = pthread_self();
    *(int32_t *)rung = doorbell(FLEETING, 0);
    return NULL;
}

static void leaves(void)
{
    says(FLEETING, -1);
}

static void grows(void)
{
    says(FLEETING, make_eventfd());
}

static void is_another_servers(void)
{
    ivflat_device_end(dev);
    greet();
}

static void is_forgotten(void)
{
    ivflat_device_disconnect(dev);
}

static void (*const changes[])(void) = {leaves, grows, is_another_servers, is_forgotten};
static const uint32_t left_of_it[] = {0, 5, 0, 0};

static void *change(void *which)
{
    changes[*(int *)which]();
    set(&changed);
    return NULL;
}

/* The peer that is rung, with the ring under way; whoever changes the table waits for it, and only then closes. */
START_TEST(P10_who_rings_is_waited_for)
{
    int bell = make_eventfd();
    pthread_t ringer, changer;
    uint32_t fds;
    int32_t rung;

    begin((ivflat_config){0}, false);
    for (int i = 0; i < 4; i++) { /* as many as have room together */
        says(FLEETING, i == 0 ? dup_fd(bell) : make_eventfd());
    }
    holding = release = changed = false;
    ck_assert_int_eq(pthread_create(&ringer, NULL, ring_and_be_held, &rung), 0);
    wait_until(&holding);
    fds = count_fds();
    ck_assert_int_eq(pthread_create(&changer, NULL, change, &_i), 0);
    while (_i != 1 && doorbell(FLEETING, 3) == 1) {
        sched_yield(); /* until nobody finds it any more */
    }
    for (int i = 0; i < 200; i++) {
        sched_yield();
        ck_assert(!is_set(&changed));
    }
    ck_assert_uint_ge(count_fds(), fds);
    set(&release);
    ck_assert_int_eq(pthread_join(ringer, NULL), 0);
    ck_assert_int_eq(pthread_join(changer, NULL), 0);
    ck_assert_int_eq(rung, 1);
    ck_assert_uint_eq(take_count(bell), 1);
    ck_assert_uint_eq(ivflat_device_peer_vectors(dev, FLEETING), left_of_it[_i]);
    close_fd(bell);
}
END_TEST

/* At once ---------------------------------------------------------------------------------------------------------- */

static bool stop;

struct ringer {
    pthread_t thread;
    uint64_t steady, fleeting;
};

static void *ring_all(void *argument)
{
    struct ringer *ringer = argument;

    while (!__atomic_load_n(&stop, __ATOMIC_RELAXED)) {
        ringer->steady += (uint64_t)doorbell(STEADY, 0);
        ringer->fleeting += (uint64_t)doorbell(FLEETING, 0);
        ringer->fleeting += (uint64_t)doorbell(FLEETING, 4); /* there when the peer has grown out of its place */
        sched_yield();                                       /* where there are fewer processors than threads */
    }
    return NULL;
}

static void start(struct ringer *ringers)
{
    stop = false;
    for (int i = 0; i < RINGERS; i++) {
        ringers[i] = (struct ringer){0};
        ck_assert_int_eq(pthread_create(&ringers[i].thread, NULL, ring_all, &ringers[i]), 0);
    }
}

static struct ringer join(struct ringer *ringers)
{
    struct ringer sum = {0};

    __atomic_store_n(&stop, true, __ATOMIC_RELAXED);
    for (int i = 0; i < RINGERS; i++) {
        ck_assert_int_eq(pthread_join(ringers[i].thread, NULL), 0);
        sum.steady += ringers[i].steady;
        sum.fleeting += ringers[i].fleeting;
    }
    return sum;
}

/* The peer comes with @vectors, all one eventfd; answers how often that was rung, when it has left. */
static uint64_t come_and_leave(uint32_t vectors)
{
    int bell = make_eventfd();
    uint64_t rings;

    for (uint32_t i = 0; i < vectors; i++) {
        says(FLEETING, dup_fd(bell));
    }
    says(FLEETING, -1);
    rings = take_count(bell);
    close_fd(bell);
    return rings;
}

/* What takes the numbers of closed descriptors is rung by nobody. */
static void expect_no_stray_ring(void)
{
    int decoys[6];

    for (int i = 0; i < 6; i++) {
        decoys[i] = make_eventfd();
    }
    for (int i = 0; i < 6; i++) {
        ck_assert_uint_eq(take_count(decoys[i]), 0);
        close_fd(decoys[i]);
    }
}

START_TEST(P10_peers_come_and_go_meanwhile)
{
    int bell = make_eventfd();
    struct ringer ringers[RINGERS], sum;
    uint64_t fleeting = 0;

    begin((ivflat_config){.trusted_peers = (uint32_t)_i}, false);
    says(STEADY, dup_fd(bell));
    start(ringers);
    for (uint32_t i = 0; i < ROUNDS || fleeting == 0; i++) {
        fleeting += come_and_leave(1 + i % 5);
        expect_no_stray_ring();
    }
    sum = join(ringers);
    ck_assert_uint_eq(take_count(bell), sum.steady);
    ck_assert_uint_eq(fleeting, sum.fleeting);
    ck_assert_uint_eq(sent(), sum.steady + sum.fleeting);
    close_fd(bell);
}
END_TEST

/* P18: another server, another table. */
START_TEST(P18_servers_come_and_go_meanwhile)
{
    struct ringer ringers[RINGERS], sum;
    int bell = make_eventfd();
    uint64_t rings = 0;

    begin((ivflat_config){0}, false);
    start(ringers);
    for (int i = 0; i < ROUNDS / 5 || rings == 0; i++) {
        says(STEADY, dup_fd(bell));
        says(FLEETING, dup_fd(bell));
        ivflat_device_end(dev);
        greet();
        rings += take_count(bell);
        expect_no_stray_ring();
    }
    sum = join(ringers);
    ck_assert_uint_eq(rings, sum.steady + sum.fleeting);
    ck_assert_uint_eq(take_count(bell), 0);
    close_fd(bell);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: doorbells without a lock");
    TCase *tcase = suite_case(suite, "alone");

    tcase_add_loop_test(tcase, R6_a_ring_reaches_its_peer, 0, 2);
    tcase_add_test(tcase, R8_oneself);
    tcase_add_test(tcase, R7_what_is_not_there_is_left_to_the_lock);
    tcase_add_test(tcase, a_ring_calls_no_hook);
    tcase_add_test(tcase, R7_no_interrupts);
    tcase_add_test(tcase, P16_a_full_counter_never_blocks);
    tcase = suite_case(suite, "held");
    tcase_add_loop_test(tcase, P10_who_rings_is_waited_for, 0, 4);
    tcase = suite_case(suite, "at once");
    tcase_set_timeout(tcase, 120);
    tcase_add_loop_test(tcase, P10_peers_come_and_go_meanwhile, 0, 2);
    tcase_add_test(tcase, P18_servers_come_and_go_meanwhile);
    return suite_run(suite);
}
