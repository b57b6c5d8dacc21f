/* SPDX-License-Identifier: BSD-3-Clause */
#include "table.h"

#include "device.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define NO_DESCRIPTOR (1 << 24)

static void interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user, (void)vector, (void)count;
}

static ivflat_device *new_device(bool trusted)
{
    const ivflat_config config = {.struct_size = sizeof(config), .trusted_peers = trusted};
    const ivflat_hooks hooks = {.struct_size = sizeof(hooks), .interrupt = interrupt};
    ivflat_device *dev;

    if (ivflat_device_new(&dev, &config, &hooks) < 0) {
        fprintf(stderr, "%s\n", ivflat_last_error());
        exit(EXIT_FAILURE);
    }
    if (!trusted && !dev->notifier.context) {
        puts("skipped: the kernel gives no asynchronous I/O here");
        exit(77);
    }
    return dev;
}

ivflat_device *table_new(bool trusted, uint32_t peers, int fd)
{
    ivflat_device *dev = new_device(trusted);

    for (uint32_t id = 0; id < peers; id++) {
        ivf_peers_add(&dev->peers, id, id == peers - 1 ? dup(fd) : NO_DESCRIPTOR + (int)id, IVF_NOTIFY_EVENTFD);
    }
    return dev;
}

struct listed_peer {
    struct listed_peer *next;
    uint32_t id;
    uint32_t count;
    const int *vectors;
};

struct listed_peer *list_new(uint32_t peers, const int *fd)
{
    struct listed_peer *nodes = calloc(peers, sizeof(*nodes));

    for (uint32_t i = 0; i < peers && nodes; i++) {
        nodes[i] =
            (struct listed_peer){.next = i + 1 < peers ? &nodes[i + 1] : NULL, .id = i, .count = 1, .vectors = fd};
    }
    return nodes;
}

__attribute__((noinline)) void list_write(const struct listed_peer *list, uint32_t value)
{
    const uint64_t one = 1;

    for (; list; list = list->next) {
        if (list->id == value >> 16 && (value & 0xffff) < list->count) {
            if (write(list->vectors[value & 0xffff], &one, sizeof(one)) < 0) {
                return;
            }
        }
    }
}
