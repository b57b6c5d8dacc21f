/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's time for a doorbell: the device as it is, with trusted peers, and a bare write() to the same eventfd.
 *
 * usage: doorbell --json [--quick] BUILD */
#include "figure.h"
#include "greeted.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define ROUNDS 101u
#define RINGS  5000u
#define PEER   1

struct ringer {
    ivflat_device *dev; /* NULL: bare */
    int fd;
};

static uint64_t rung;

/* A device that knows one peer, whose vector is @fd. */
static ivflat_device *new_device(uint32_t trusted, int fd)
{
    const ivflat_config config = {.struct_size = sizeof(config), .trusted_peers = trusted};
    ivflat_device *dev = greeted(&config, NULL);

    feed(dev, PEER, dup(fd));
    return dev;
}

/* Nanoseconds a ring. */
static double measure(void *user)
{
    const struct ringer *ringer = user;
    const uint64_t one = 1;
    double begin = figure_now();

    for (uint32_t i = 0; i < RINGS; i++) {
        if (ringer->dev) {
            ivflat_device_write(ringer->dev, IVFLAT_REG_DOORBELL, 4, PEER << 16);
        } else if (write(ringer->fd, &one, sizeof(one)) < 0) {
            figure_fail("write");
        }
    }
    rung += RINGS;
    return (figure_now() - begin) / RINGS;
}

int main(int argc, char **argv)
{
    const struct figure_options options = figure_options(argc, argv);
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    struct ringer ringers[] = {{new_device(0, fd), fd}, {new_device(1, fd), fd}, {NULL, fd}};
    const struct figure_series series[] = {
        {.name = "ivflat", .measure = measure, .user = &ringers[0]},
        {.name = "trusted_peers", .measure = measure, .user = &ringers[1]},
        {.name = "bare write()", .measure = measure, .user = &ringers[2]},
    };
    uint64_t came;

    figure_begin("doorbell-time", "A doorbell, in the host's time", "ns", NULL);
    figure_case("");
    figure_rounds(series, 3, options.quick ? 2 : ROUNDS);
    if (read(fd, &came, sizeof(came)) != (ssize_t)sizeof(came) || came != rung) {
        fprintf(stderr, "the peer was rung %llu times\n", (unsigned long long)came);
        return EXIT_FAILURE;
    }
    figure_end("5,000 doorbells a turn to one peer's eventfd");
    ivflat_device_free(ringers[0].dev);
    ivflat_device_free(ringers[1].dev);
    close(fd);
    return EXIT_SUCCESS;
}
