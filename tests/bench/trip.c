/* SPDX-License-Identifier: BSD-3-Clause */
/* Round trips between two devices of one process, each with a thread of its own, beside the same on bare eventfds.
 *
 * usage: trip --json [--quick] BUILD
 *        trip --trips WAY TRIPS        only makes them, for who counts system calls; WAY is "--list"ed
 *
 * Bare: a thread waits in an epoll (or poll, where the embedder polls), reads and writes. */
#include "figure.h"
#include "greeted.h"
#include "processors.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define WARMING     50u
#define TRIPS       500u
#define ROUNDS      51u
#define OTHER       1
#define WAYS        (sizeof(ways) / sizeof(ways[0]))
#define OWN_LOOP    4u /* the first of ways are those of the first figure */
#define IN_ONE_CASE 8u

struct side {
    const struct way *way;
    ivflat_device *dev; /* NULL: bare */
    int epoll;
    int own;  /* rung to wake us */
    int peer; /* to ring */
    int processor;
    uint32_t trips;
    uint64_t rung;
};

/* One kind of contestant. */
struct way {
    const char *name;
    void (*wait)(struct side *side);
    bool device, trusted, taken;
};

static void expect_one(struct side *side)
{
    uint64_t count;

    if (read(side->own, &count, sizeof(count)) != (ssize_t)sizeof(count) || count != 1) {
        figure_fail("a ring got lost");
    }
    side->rung++;
}

static void wait_through_library(struct side *side)
{
    uint64_t before = side->rung;

    while (side->rung == before) {
        check(ivflat_device_run(side->dev, -1));
    }
}

static void wait_and_serve(struct side *side)
{
    struct pollfd ring = {.fd = side->own, .events = POLLIN};
    uint64_t before = side->rung;

    while (side->rung == before) {
        if (poll(&ring, 1, -1) < 0) {
            figure_fail("poll");
        }
        check(ivflat_device_serve(side->dev, 0));
    }
}

static void wait_in_epoll(struct side *side)
{
    struct epoll_event event;

    if (epoll_wait(side->epoll, &event, 1, -1) != 1) {
        figure_fail("epoll_wait");
    }
    expect_one(side);
}

/* As a main loop does that has only one descriptor of the library's: it waits, then somebody asks the epoll. */
static void wait_and_ask(struct side *side)
{
    struct pollfd one = {.fd = side->epoll, .events = POLLIN};
    struct epoll_event event;

    if (poll(&one, 1, -1) != 1 || epoll_wait(side->epoll, &event, 1, 0) != 1) {
        figure_fail("poll");
    }
    expect_one(side);
}

static void wait_in_poll(struct side *side)
{
    struct pollfd ring = {.fd = side->own, .events = POLLIN};

    if (poll(&ring, 1, -1) != 1) {
        figure_fail("poll");
    }
    expect_one(side);
}

static const struct way ways[] = {
    {.name = "ivflat", .wait = wait_through_library, .device = true},
    {.name = "trusted_peers", .wait = wait_through_library, .device = true, .trusted = true},
    {.name = "bare", .wait = wait_in_epoll},
    {.name = "bare, two steps", .wait = wait_and_ask},
    {.name = "ivflat", .wait = wait_and_serve, .device = true, .taken = true},
    {.name = "trusted_peers", .wait = wait_and_serve, .device = true, .taken = true, .trusted = true},
    {.name = "bare", .wait = wait_in_poll},
};

static void interrupt(void *user, uint32_t vector, uint64_t count)
{
    struct side *side = user;

    (void)vector;
    side->rung += count;
}

static int32_t vector_added(void *user, uint32_t vector, int32_t fd)
{
    struct side *side = user;

    (void)vector;
    side->own = side->way->taken ? fd : side->own;
    return side->way->taken;
}

static void start_device(struct side *side, int own)
{
    const ivflat_config config = {.struct_size = sizeof(config), .trusted_peers = side->way->trusted};
    const ivflat_hooks hooks = {
        .struct_size = sizeof(hooks), .user = side, .interrupt = interrupt, .vector_added = vector_added};

    side->dev = greeted(&config, &hooks);
    feed(side->dev, 0, dup(own));
    feed(side->dev, OTHER, dup(side->peer));
}

static void start_bare(struct side *side)
{
    struct epoll_event event = {.events = EPOLLIN};

    side->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (epoll_ctl(side->epoll, EPOLL_CTL_ADD, side->own, &event) < 0) {
        figure_fail("epoll_ctl");
    }
}

/* Two sides that ring each other. */
static void start(struct side *sides, const struct way *way)
{
    int fds[2] = {eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

    for (int i = 0; i < 2; i++) {
        sides[i] = (struct side){.way = way, .epoll = -1, .own = fds[i], .peer = fds[!i], .processor = ANY};
        if (way->device) {
            start_device(&sides[i], fds[i]);
        } else {
            start_bare(&sides[i]);
        }
    }
}

static void finish(struct side *sides)
{
    for (int i = 0; i < 2; i++) {
        ivflat_device_free(sides[i].dev);
        close(sides[!i].peer);
        if (sides[i].epoll >= 0) {
            close(sides[i].epoll);
        }
    }
}

static void ring(const struct side *side)
{
    const uint64_t one = 1;

    if (side->dev) {
        ivflat_device_write(side->dev, IVFLAT_REG_DOORBELL, 4, OTHER << 16);
    } else if (write(side->peer, &one, sizeof(one)) < 0) {
        figure_fail("write");
    }
}

static void *answer(void *user)
{
    struct side *side = user;

    stay_on(side->processor);
    for (uint32_t i = 0; i < side->trips; i++) {
        side->way->wait(side);
        ring(side);
    }
    return NULL;
}

static void travel(struct side *side, uint32_t trips)
{
    for (uint32_t i = 0; i < trips; i++) {
        ring(side);
        side->way->wait(side);
    }
}

static uint32_t trips_wanted = TRIPS;

/* Microseconds of a round trip. */
static double measure(void *user)
{
    struct side *sides = user;
    pthread_t other;
    double begin;

    sides[1].trips = WARMING + trips_wanted;
    stay_on(sides[0].processor);
    if (pthread_create(&other, NULL, answer, &sides[1]) != 0) {
        figure_fail("pthread_create");
    }
    travel(&sides[0], WARMING);
    begin = figure_now();
    travel(&sides[0], trips_wanted);
    begin = figure_now() - begin;
    pthread_join(other, NULL);
    return begin / trips_wanted / 1e3;
}

static void compare(const struct way *first, uint32_t count, int one, int other, double at_most, uint32_t rounds)
{
    struct figure_series series[IN_ONE_CASE];
    struct side sides[IN_ONE_CASE][2];

    for (uint32_t i = 0; i < count; i++) {
        start(sides[i], &first[i]);
        sides[i][0].processor = one;
        sides[i][1].processor = other;
        series[i] = (struct figure_series){.name = first[i].name, .measure = measure, .user = sides[i]};
    }
    figure_rounds(series, count, rounds);
    figure_goal("ivflat", "bare", at_most);
    figure_goal("trusted_peers", "bare", at_most);
    for (uint32_t i = 0; i < count; i++) {
        finish(sides[i]);
    }
}

static void both_cases(const struct way *first, uint32_t count, double at_most, uint32_t rounds)
{
    if (processors[1] != ANY) {
        figure_case("a processor each");
        compare(first, count, processors[0], processors[1], at_most, rounds);
    }
    figure_case("one processor");
    compare(first, count, processors[0], processors[0], at_most, rounds);
}

static int only_trips(const char *number, const char *trips)
{
    uint32_t which = (uint32_t)atoi(number);
    struct side sides[2];

    trips_wanted = (uint32_t)atoi(trips);
    if (which >= WAYS || trips_wanted < 1) {
        fprintf(stderr, "usage: trip --trips WAY TRIPS, WAY being 0 to %zu\n", WAYS - 1);
        return 2;
    }
    start(sides, &ways[which]);
    measure(sides);
    finish(sides);
    return EXIT_SUCCESS;
}

int main(int argc, char **argv)
{
    struct figure_options options;
    uint32_t rounds;

    if (argc == 4 && strcmp(argv[1], "--trips") == 0) {
        return only_trips(argv[2], argv[3]);
    }
    options = figure_options(argc, argv);
    find_processors();
    rounds = options.quick ? 1 : ROUNDS;
    trips_wanted = options.quick ? 100 : TRIPS;
    figure_begin("host-round-trip", "Host round trip, through the library's loop", "us", NULL);
    both_cases(ways, OWN_LOOP, 1.10, rounds);
    figure_end("Two devices of one process, a thread each; 500 round trips a turn");
    figure_begin("host-round-trip-taken", "The same, descriptors taken by vector_added()", "us", NULL);
    both_cases(ways + OWN_LOOP, WAYS - OWN_LOOP, 1.05, rounds);
    figure_end("The embedder polls the descriptor, and ivflat_device_serve() reads it");
    return EXIT_SUCCESS;
}
