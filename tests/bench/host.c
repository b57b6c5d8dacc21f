/* SPDX-License-Identifier: BSD-3-Clause */
/* host ROUNDS RINGS: nanoseconds of the host's time for a doorbell: the device as it is, with trusted peers, and a bare
 * write() to the same eventfd.  The three take turns in each round; the median over the rounds is printed. */
#include "greeted.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#define ROUNDS_MAX 1001
#define PEER       1

/* A device that knows one peer, whose vector is @fd. */
static ivflat_device *new_device(uint32_t trusted, int fd)
{
    const ivflat_config config = {.struct_size = sizeof(config), .trusted_peers = trusted};
    ivflat_device *dev = greeted(&config);

    feed(dev, PEER, dup(fd));
    return dev;
}

static int64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* Nanoseconds a ring; a NULL device: write(). */
static double measure(ivflat_device *dev, int fd, uint32_t rings)
{
    const uint64_t one = 1;
    int64_t start = now_ns();

    for (uint32_t i = 0; i < rings; i++) {
        if (dev) {
            ivflat_device_write(dev, IVFLAT_REG_DOORBELL, 4, PEER << 16);
        } else if (write(fd, &one, sizeof(one)) < 0) {
            exit(EXIT_FAILURE);
        }
    }
    return (double)(now_ns() - start) / rings;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return (x > y) - (x < y);
}

static double median(double *values, uint32_t count)
{
    qsort(values, count, sizeof(values[0]), compare);
    return values[count / 2];
}

int main(int argc, char **argv)
{
    static double results[3][ROUNDS_MAX];
    uint32_t rounds = argc == 3 ? (uint32_t)atoi(argv[1]) : 0, rings = argc == 3 ? (uint32_t)atoi(argv[2]) : 0;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ivflat_device *devices[3] = {NULL, NULL, NULL};
    uint64_t rung;

    if (rounds < 1 || rounds > ROUNDS_MAX || rings < 1) {
        fputs("usage: host ROUNDS RINGS\n", stderr);
        return 2;
    }
    devices[0] = new_device(0, fd);
    devices[1] = new_device(1, fd);
    for (uint32_t round = 0; round < rounds; round++) {
        for (int which = 0; which < 3; which++) {
            results[which][round] = measure(devices[which], fd, rings);
        }
    }
    if (read(fd, &rung, sizeof(rung)) != (ssize_t)sizeof(rung) || rung != (uint64_t)3 * rounds * rings) {
        fprintf(stderr, "the peer was rung %lu times\n", (unsigned long)rung);
        return EXIT_FAILURE;
    }
    printf("%.0f %.0f %.0f\n", median(results[0], rounds), median(results[1], rounds), median(results[2], rounds));
    ivflat_device_free(devices[0]);
    ivflat_device_free(devices[1]);
    close(fd);
    return EXIT_SUCCESS;
}
