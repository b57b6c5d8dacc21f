/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The Linux side: sleeps until a station rings, checks what it sent, prints, and answers.  It looks at nothing unless
 * an interrupt has come: epoll_wait() has no time-out here, so all that it prints it was woken for.
 */
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "exchange.h"
#include "ivshmem.h"

enum { PROGRESS = 500 };

struct station {
    struct ivflat_ring samples, answers;
    uint32_t number;            /* its own, from 1 on */
    uint32_t boot, first, next; /* of its samples: in which of its lives, which was our first, which comes next */
    uint32_t wrong, lost, alarms;
    uint64_t sum; /* of all readings since `first` */
};

static struct ivshmem ivshmem;
static struct station stations[EXCHANGE_STATIONS];
static uint64_t interrupts[EXCHANGE_VECTORS];

static struct exchange_table *table(void)
{
    return ivshmem.memory;
}

static void ring(const struct station *station, uint32_t vector)
{
    uint32_t here = exchange_load(&table()->station[station->number - 1].here);

    if (here != 0)
        ivshmem_ring(&ivshmem, here - 1, vector);
}

static void say_progress(const struct station *station)
{
    if (station->next > station->first)
        printf("linux: station %u boot %u: samples %u to %u right, sum %llu\n", station->number, station->boot,
               station->first, station->next - 1, (unsigned long long)station->sum);
}

static void say_wrong(struct station *station, const char *what)
{
    station->wrong++;
    printf("linux: station %u boot %u: WRONG: %s, where sample %u was to come\n", station->number, station->boot, what,
           station->next);
}

/* So that whoever starts after us knows what was done. */
static void note(const struct station *station)
{
    ivflat_ring_word *progress = &table()->linux_side.progress[2 * (station->number - 1)];

    exchange_store(&progress[0], station->boot);
    exchange_store(&progress[1], station->next);
}

static const char *fault(const struct station *station, const struct exchange_sample *sample, uint32_t length)
{
    if (length == 0 || length != exchange_sample_length(sample->readings))
        return "a message of the wrong length";
    if (sample->check != exchange_check(sample, length) || sample->station != station->number)
        return "a message that is damaged";
    for (uint32_t i = 0; i < sample->readings; i++)
        if (sample->reading[i] != exchange_reading(sample->station, sample->number, i))
            return "a reading that the sensor cannot have given";
    return NULL;
}

static void begin_boot(struct station *station, uint32_t boot)
{
    say_progress(station);
    station->boot = boot;
    station->first = station->next = 0;
    station->sum = 0;
    printf("linux: station %u is there, in its boot %u\n", station->number, boot);
}

/* One sample may be missing after our own start: the one that our predecessor had in its hands.  None else. */
static int is_next(struct station *station, const struct exchange_sample *sample)
{
    if (sample->boot > station->boot)
        begin_boot(station, sample->boot);
    if (sample->boot == station->boot && sample->number == station->next + 1 && station->next == station->first &&
        station->first != 0) {
        station->lost++;
        station->first = ++station->next;
        printf("linux: station %u boot %u: sample %u was lost with the Linux before\n", station->number, station->boot,
               station->next - 1);
    }
    return sample->boot == station->boot && sample->number == station->next;
}

static void answer(struct station *station, const struct exchange_sample *sample, int32_t mean)
{
    struct exchange_answer answer = {0, station->number, sample->boot, sample->number, mean, exchange_valve(mean)};

    answer.check = exchange_check(&answer, sizeof answer);
    ivflat_ring_put(&station->answers, &answer, sizeof answer);
}

static void got_sample(struct station *station, const struct exchange_sample *sample, uint32_t length)
{
    const char *what = fault(station, sample, length);
    int32_t mean;

    if (what || !is_next(station, sample)) {
        say_wrong(station, what ? what : "a sample out of order");
        station->next = what ? station->next + 1 : sample->number + 1;
        return;
    }
    mean = exchange_mean(sample);
    answer(station, sample, mean);
    for (uint32_t i = 0; i < sample->readings; i++)
        station->sum += (uint64_t)sample->reading[i];
    station->next++;
    note(station);
    if (exchange_is_alarm(mean)) {
        station->alarms++;
        printf("linux: station %u: ALARM: %d.%02d degrees\n", station->number, mean / 100, mean % 100);
    }
    if (station->next % PROGRESS == 0)
        say_progress(station);
}

/* A sample is taken only when there is room for its answer. */
static void serve(struct station *station)
{
    struct exchange_sample sample = {0};
    uint32_t some = 0, length = 0;

    while (ivflat_ring_unread(&station->answers) < EXCHANGE_SLOTS) {
        int32_t result = ivflat_ring_get(&station->samples, &sample, &length);

        if (result == IVFLAT_RING_WAIT || result == IVFLAT_RING_IMPOSSIBLE)
            break;
        got_sample(station, &sample, result == IVFLAT_RING_DONE ? length : 0);
        some++;
    }
    if (some > 0) {
        ring(station, EXCHANGE_MAIL);
        ring(station, EXCHANGE_ROOM);
    }
}

static int open_station(uint32_t number)
{
    struct station *station = &stations[number - 1];
    const ivflat_ring_word *progress = &table()->linux_side.progress[2 * (number - 1)];

    station->number = number;
    station->boot = exchange_load(&progress[0]);
    station->first = station->next = exchange_load(&progress[1]);
    if (station->boot != 0)
        printf("linux: station %u boot %u: I go on with sample %u\n", number, station->boot, station->next);
    ivflat_ring_open_writer(&station->answers, exchange_ring_at(ivshmem.memory, number, 1), EXCHANGE_SLOTS);
    return ivflat_ring_open_reader(&station->samples, exchange_ring_at(ivshmem.memory, number, 0), EXCHANGE_SLOTS);
}

static void join(uint32_t id)
{
    struct exchange_entry *own = &table()->linux_side;
    uint32_t boot = exchange_load(&own->boots) + 1;

    exchange_store(&own->boots, boot);
    exchange_store(&own->here, id + 1);
    printf("linux: up, with id %u, boot %u\n", id, boot);
    for (uint32_t number = 1; number <= EXCHANGE_STATIONS; number++) {
        open_station(number);
        ring(&stations[number - 1], EXCHANGE_TABLE);
    }
}

/* The host said stop, and each station that was ever there is done. */
static int is_over(void)
{
    if (exchange_load(&table()->host.order) != exchange_word("stop"))
        return 0;
    for (uint32_t i = 0; i < EXCHANGE_STATIONS; i++)
        if (exchange_load(&table()->station[i].here) != 0 && !exchange_load(&table()->station[i].done))
            return 0;
    return 1;
}

/* Sleeps until one of the eventfds is rung, and counts all that were: whether the table's was among them. */
static int sleep_until_rung(int epoll, const int *eventfds)
{
    struct epoll_event events[EXCHANGE_VECTORS];
    int count = epoll_wait(epoll, events, EXCHANGE_VECTORS, -1);
    uint64_t before = interrupts[EXCHANGE_TABLE];

    for (int i = 0; i < count; i++) {
        uint64_t rung = 0;

        if (read(eventfds[events[i].data.u32], &rung, sizeof rung) == sizeof rung)
            interrupts[events[i].data.u32] += rung;
    }
    return interrupts[EXCHANGE_TABLE] != before;
}

static int listen_to(int *eventfds)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);

    for (uint32_t vector = 0; vector < EXCHANGE_VECTORS; vector++) {
        struct epoll_event event = {.events = EPOLLIN, .data.u32 = vector};

        eventfds[vector] = eventfd(0, EFD_CLOEXEC);
        if (epoll_ctl(epoll, EPOLL_CTL_ADD, eventfds[vector], &event) < 0)
            return -1;
    }
    return ivshmem_interrupts(&ivshmem, eventfds, EXCHANGE_VECTORS) < 0 ? -1 : epoll;
}

static void say_total(void)
{
    for (uint32_t i = 0; i < EXCHANGE_STATIONS; i++) {
        const struct station *station = &stations[i];

        if (station->boot == 0)
            continue;
        say_progress(station);
        printf("linux: station %u boot %u: done: next %u, lost %u, wrong %u, alarms %u\n", station->number,
               station->boot, station->next, station->lost, station->wrong, station->alarms);
    }
    printf("linux: done: interrupts: mail %llu, room %llu, table %llu, alarm %llu\n",
           (unsigned long long)interrupts[EXCHANGE_MAIL], (unsigned long long)interrupts[EXCHANGE_ROOM],
           (unsigned long long)interrupts[EXCHANGE_TABLE], (unsigned long long)interrupts[EXCHANGE_ALARM]);
}

static int work(void)
{
    int eventfds[EXCHANGE_VECTORS], epoll = listen_to(eventfds), look = 1;

    if (epoll < 0)
        return 1;
    join(ivshmem_id(&ivshmem));
    for (;;) {
        for (uint32_t i = 0; i < EXCHANGE_STATIONS; i++)
            serve(&stations[i]);
        if (look && is_over())
            break;
        look = sleep_until_rung(epoll, eventfds);
    }
    say_total();
    return 0;
}

int main(int argc, char **argv)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc != 2)
        return fprintf(stderr, "usage: gateway PCI-FUNCTION\n"), 2;
    if (ivshmem_open(&ivshmem, argv[1]) < 0)
        return 1;
    if (ivshmem.size < EXCHANGE_BYTES) {
        fprintf(stderr, "linux: the shared memory has %llu bytes; %u are the least\n", (unsigned long long)ivshmem.size,
                (unsigned)EXCHANGE_BYTES);
        return 1;
    }
    return work();
}
