/* SPDX-License-Identifier: BSD-3-Clause */
/* ring HOW PEERS RINGS: a guest's doorbell, so many times, among so many peers; for callgrind to count.
 *
 * HOW: "default" and "trusted" are the device; "list" is what one writes first: peers in a list, and write(). */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void ring_list(uint32_t peers, uint32_t rings, int fd)
{
    struct listed_peer *list = list_new(peers, &fd);

    for (uint32_t i = 0; i < rings; i++) {
        list_write(list, table_last(peers));
    }
    free(list);
}

static void ring_device(bool trusted, uint32_t peers, uint32_t rings, int fd)
{
    ivflat_device *dev = table_new(trusted, peers, fd);

    for (uint32_t i = 0; i < rings; i++) {
        ivflat_device_write(dev, IVFLAT_REG_DOORBELL, 4, table_last(peers));
    }
    ivflat_device_free(dev);
}

int main(int argc, char **argv)
{
    uint32_t peers = argc == 4 ? (uint32_t)atoi(argv[2]) : 0, rings = argc == 4 ? (uint32_t)atoi(argv[3]) : 0;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    uint64_t rung = 0;

    if (peers < 1 || peers > IVFLAT_MAX_PEERS || rings < 1) {
        fputs("usage: ring default|trusted|list PEERS RINGS\n", stderr);
        return 2;
    }
    if (strcmp(argv[1], "list") == 0) {
        ring_list(peers, rings, fd);
    } else {
        ring_device(strcmp(argv[1], "trusted") == 0, peers, rings, fd);
    }
    /* What was counted did happen. */
    if (read(fd, &rung, sizeof(rung)) != (ssize_t)sizeof(rung) || rung != rings) {
        fprintf(stderr, "the peer was rung %lu times\n", (unsigned long)rung);
        return EXIT_FAILURE;
    }
    close(fd);
    return EXIT_SUCCESS;
}
