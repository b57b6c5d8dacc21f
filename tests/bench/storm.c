/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers that ring one device as fast as they can, a thread and a vector each, beside the same on bare eventfds in an
 * epoll.  Who is rung has a processor for itself, where there are two.  What is compared is the processor time that it
 * needs for a wake-up: how long it sleeps is for those who ring to say.
 *
 * usage: storm --json [--quick] BUILD */
#include "figure.h"
#include "greeted.h"
#include "processors.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define PEERS_MAX 16u
#define ROUNDS    31u
#define RINGS     40000u /* of all peers together, a round */

struct receiver {
    ivflat_device *dev; /* NULL: bare */
    int epoll;          /* where the embedder waits */
    bool taken;
    int fds[PEERS_MAX];
    int lent[PEERS_MAX]; /* where vector_added() was asked */
    uint32_t peers;
    uint64_t rung;
};

struct peer {
    int fd;
    uint32_t rings;
};

static uint32_t rings_wanted = RINGS;

static void interrupt(void *user, uint32_t vector, uint64_t count)
{
    struct receiver *receiver = user;

    (void)vector;
    receiver->rung += count;
}

static void watch(struct receiver *receiver, uint32_t vector, int fd)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = vector};

    if (epoll_ctl(receiver->epoll, EPOLL_CTL_ADD, fd, &event) < 0) {
        figure_fail("epoll_ctl");
    }
}

static int32_t vector_added(void *user, uint32_t vector, int32_t fd)
{
    struct receiver *receiver = user;

    if (receiver->taken) {
        watch(receiver, vector, fd);
    }
    return receiver->taken;
}

static void start(struct receiver *receiver, uint32_t peers, bool device, bool taken)
{
    const ivflat_config config = {.struct_size = sizeof(config)};
    const ivflat_hooks hooks = {
        .struct_size = sizeof(hooks), .user = receiver, .interrupt = interrupt, .vector_added = vector_added};

    *receiver = (struct receiver){.epoll = epoll_create1(EPOLL_CLOEXEC), .taken = taken, .peers = peers};
    receiver->dev = device ? greeted(&config, &hooks) : NULL;
    for (uint32_t i = 0; i < peers; i++) {
        receiver->fds[i] = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (device) {
            feed(receiver->dev, 0, dup(receiver->fds[i]));
        } else {
            watch(receiver, i, receiver->fds[i]);
        }
    }
}

static void finish(struct receiver *receiver)
{
    ivflat_device_free(receiver->dev);
    for (uint32_t i = 0; i < receiver->peers; i++) {
        close(receiver->fds[i]);
    }
    close(receiver->epoll);
}

static void *ring(void *user)
{
    const struct peer *peer = user;
    const uint64_t one = 1;

    stay_on(processors[1]);
    for (uint32_t i = 0; i < peer->rings; i++) {
        if (write(peer->fd, &one, sizeof(one)) < 0) {
            figure_fail("write");
        }
    }
    return NULL;
}

static void serve(struct receiver *receiver, uint32_t vector)
{
    uint64_t count;

    if (receiver->dev) {
        check(ivflat_device_serve(receiver->dev, vector));
    } else if (read(receiver->fds[vector], &count, sizeof(count)) == (ssize_t)sizeof(count)) {
        receiver->rung += count;
    } else {
        figure_fail("read");
    }
}

static void wake_up(struct receiver *receiver)
{
    struct epoll_event events[PEERS_MAX];
    int count;

    if (receiver->dev && !receiver->taken) {
        check(ivflat_device_run(receiver->dev, -1));
        return;
    }
    count = epoll_wait(receiver->epoll, events, PEERS_MAX, -1);
    for (int i = 0; i < count; i++) {
        serve(receiver, events[i].data.u32);
    }
}

/* Of this thread. */
static double processor_time(void)
{
    struct timespec used;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
    return (double)used.tv_sec * 1e9 + (double)used.tv_nsec;
}

/* Nanoseconds of a wake-up, while each peer rings its vector. */
static double measure(void *user)
{
    struct receiver *receiver = user;
    struct peer peers[PEERS_MAX];
    pthread_t threads[PEERS_MAX];
    uint64_t each = rings_wanted / receiver->peers, all = each * receiver->peers, wake_ups = 0;
    double begin = processor_time();

    receiver->rung = 0;
    for (uint32_t i = 0; i < receiver->peers; i++) {
        peers[i] = (struct peer){.fd = receiver->fds[i], .rings = (uint32_t)each};
        if (pthread_create(&threads[i], NULL, ring, &peers[i]) != 0) {
            figure_fail("pthread_create");
        }
    }
    begin = processor_time();
    while (receiver->rung < all) {
        wake_up(receiver);
        wake_ups++;
    }
    begin = (processor_time() - begin) / (double)wake_ups;
    for (uint32_t i = 0; i < receiver->peers; i++) {
        pthread_join(threads[i], NULL);
    }
    if (receiver->rung != all) {
        fprintf(stderr, "%llu rings came of %llu\n", (unsigned long long)receiver->rung, (unsigned long long)all);
        exit(EXIT_FAILURE);
    }
    return begin;
}

static void compare(uint32_t peers, uint32_t rounds)
{
    struct receiver library, taken, bare;
    const struct figure_series series[] = {
        {.name = "ivflat", .measure = measure, .user = &library},
        {.name = "vector_added", .measure = measure, .user = &taken},
        {.name = "bare", .measure = measure, .user = &bare},
    };

    start(&library, peers, true, false);
    start(&taken, peers, true, true);
    start(&bare, peers, false, false);
    figure_rounds(series, 3, rounds);
    figure_goal("ivflat", "bare", 1.15);
    figure_goal("vector_added", "bare", 1.15);
    finish(&library);
    finish(&taken);
    finish(&bare);
}

int main(int argc, char **argv)
{
    static const uint32_t peers[] = {1, 4, 16};
    const struct figure_options options = figure_options(argc, argv);

    find_processors();
    stay_on(processors[1] == ANY ? ANY : processors[0]);
    rings_wanted = options.quick ? 1600 : RINGS;
    figure_begin("doorbell-storm", "Peers ring one device flat out: a wake-up", "ns", "peers");
    for (uint32_t i = 0; i < 3; i++) {
        figure_case_x(peers[i]);
        compare(peers[i], options.quick ? 1 : ROUNDS);
    }
    figure_end("Processor time of the one who is rung; not one ring is lost, or the run fails");
    return EXIT_SUCCESS;
}
