/* SPDX-License-Identifier: BSD-3-Clause */
/* memory VECTORS: bytes that a peer of so many vectors costs, in what malloc took for it, its own bookkeeping included,
 * and in the table's entry; and what the layout costs that one writes first. */
#include "greeted.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PEERS    100u
#define ENTRY    sizeof(void *)           /* the table has one pointer an id */
#define BLOCK(n) ((n) + 8 + 15) / 16 * 16 /* glibc's blocks */

/* The comparator: each thing in its own block. */
struct naive_vector {
    int fd;
    bool is_pipe, bound, taken;
    void *user;
};
struct naive_peer {
    struct naive_peer *next;
    uint32_t id;
    uint32_t count;
    struct naive_vector *vectors;
};

int main(int argc, char **argv)
{
    uint32_t vectors = argc == 2 ? (uint32_t)atoi(argv[1]) : 0;
    const ivflat_config config = {.struct_size = sizeof(config), .max_vectors = vectors, .trusted_peers = 1};
    ivflat_device *dev;
    size_t before, used;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (vectors < 1 || vectors > 128) {
        fputs("usage: memory VECTORS\n", stderr);
        return 2;
    }
    dev = greeted(&config);
    before = mallinfo2().uordblks;
    for (uint32_t i = 0; i < PEERS * vectors; i++) {
        feed(dev, 1 + i % PEERS, dup(fd)); /* the peers' vectors interleaved, which is the worst for the allocator */
    }
    used = mallinfo2().uordblks - before;
    printf("%zu %zu\n", used / PEERS + ENTRY,
           BLOCK(sizeof(struct naive_peer)) + BLOCK(vectors * sizeof(struct naive_vector)));
    ivflat_device_free(dev);
    close(fd);
    return EXIT_SUCCESS;
}
