/* SPDX-License-Identifier: BSD-3-Clause */
/* Two threads, a processor each, that ring two peers of one device at once, as two vCPUs do: each under the embedder's
 * lock, without one by ivflat_device_doorbell(), and bare, by write() to the same two eventfds.
 *
 * usage: threads --json [--quick] BUILD */
#include "figure.h"
#include "greeted.h"
#include "processors.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define THREADS 2
#define ROUNDS  31u
#define RINGS   20000u

struct ringer {
    ivflat_device *dev;
    int fds[THREADS];
    void (*ring)(const struct ringer *ringer, uint32_t which);
    uint64_t rounds;
};

struct thread {
    const struct ringer *ringer;
    uint32_t which; /* its peer is this and 1 */
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t barrier;

static uint32_t doorbell_of(uint32_t which)
{
    return (which + 1) << 16;
}

static void ring_locked(const struct ringer *ringer, uint32_t which)
{
    pthread_mutex_lock(&lock);
    ivflat_device_write(ringer->dev, IVFLAT_REG_DOORBELL, 4, doorbell_of(which));
    pthread_mutex_unlock(&lock);
}

static void ring_apart(const struct ringer *ringer, uint32_t which)
{
    if (!ivflat_device_doorbell(ringer->dev, doorbell_of(which))) {
        ring_locked(ringer, which);
    }
}

static void ring_bare(const struct ringer *ringer, uint32_t which)
{
    const uint64_t one = 1;

    if (write(ringer->fds[which], &one, sizeof(one)) < 0) {
        figure_fail("write");
    }
}

static void *ring_all(void *user)
{
    const struct thread *thread = user;

    stay_on(processors[thread->which]);
    pthread_barrier_wait(&barrier);
    for (uint32_t i = 0; i < RINGS; i++) {
        thread->ringer->ring(thread->ringer, thread->which);
    }
    pthread_barrier_wait(&barrier);
    return NULL;
}

/* Nanoseconds from one of a thread's doorbells to its next. */
static double measure(void *user)
{
    struct ringer *ringer = user;
    pthread_t threads[THREADS];
    struct thread who[THREADS];
    double begin;

    for (uint32_t i = 0; i < THREADS; i++) {
        who[i] = (struct thread){.ringer = ringer, .which = i};
        if (pthread_create(&threads[i], NULL, ring_all, &who[i]) != 0) {
            figure_fail("pthread_create");
        }
    }
    pthread_barrier_wait(&barrier);
    begin = figure_now();
    pthread_barrier_wait(&barrier);
    begin = (figure_now() - begin) / RINGS;
    for (uint32_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
    }
    ringer->rounds++;
    return begin;
}

static void start(struct ringer *ringer, void (*ring)(const struct ringer *, uint32_t), uint32_t trusted)
{
    const ivflat_config config = {.struct_size = sizeof(config), .trusted_peers = trusted};

    *ringer = (struct ringer){.dev = greeted(&config, NULL), .ring = ring};
    for (uint32_t i = 0; i < THREADS; i++) {
        ringer->fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        feed(ringer->dev, i + 1, dup(ringer->fds[i]));
    }
}

/* None was lost. */
static void finish(struct ringer *ringer)
{
    for (uint32_t i = 0; i < THREADS; i++) {
        uint64_t rung;

        if (read(ringer->fds[i], &rung, sizeof(rung)) != (ssize_t)sizeof(rung) || rung != ringer->rounds * RINGS) {
            fprintf(stderr, "a peer was rung %llu times\n", (unsigned long long)rung);
            exit(EXIT_FAILURE);
        }
        close(ringer->fds[i]);
    }
    ivflat_device_free(ringer->dev);
}

static void compare(uint32_t trusted, uint32_t rounds)
{
    struct ringer locked, apart, bare;
    const struct figure_series series[] = {
        {.name = "one lock", .measure = measure, .user = &locked},
        {.name = "ivflat_device_doorbell()", .measure = measure, .user = &apart},
        {.name = "bare write()", .measure = measure, .user = &bare},
    };

    start(&locked, ring_locked, trusted);
    start(&apart, ring_apart, trusted);
    start(&bare, ring_bare, trusted);
    figure_rounds(series, 3, rounds);
    figure_goal("ivflat_device_doorbell()", "one lock", 1);
    finish(&locked);
    finish(&apart);
    finish(&bare);
}

int main(int argc, char **argv)
{
    const struct figure_options options = figure_options(argc, argv);
    uint32_t rounds = options.quick ? 1 : ROUNDS;

    find_processors();
    if (processors[1] == ANY) {
        figure_skip("there is one processor only, and two threads take turns on it");
    }
    if (pthread_barrier_init(&barrier, NULL, THREADS + 1) != 0) {
        figure_fail("pthread_barrier_init");
    }
    figure_begin("doorbell-threads", "Two threads ring two peers of one device at once: a doorbell", "ns", NULL);
    figure_case("ivflat");
    compare(0, rounds);
    figure_case("trusted_peers");
    compare(1, rounds);
    figure_end("20,000 doorbells a thread and turn; one lock: the embedder's around ivflat_device_write()");
    return EXIT_SUCCESS;
}
