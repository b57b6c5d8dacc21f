/* SPDX-License-Identifier: BSD-3-Clause */
/* memory VECTORS: bytes that a peer of so many vectors costs, in what malloc took for it, its own bookkeeping included,
 * and in the table's entry; and what the layout costs that one writes first. */
#include <libivflat/ivflat.h>

#include <malloc.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#define PEERS    100u
#define MEMORY   4096
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

static void interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user, (void)vector, (void)count;
}

static void feed(ivflat_device *dev, int64_t number, int32_t fd)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)number >> 8 * i);
    }
    if (ivflat_device_feed(dev, bytes, sizeof(bytes), &fd, fd >= 0) < 0) {
        fprintf(stderr, "%s\n", ivflat_last_error());
        exit(EXIT_FAILURE);
    }
}

static ivflat_device *greeted(uint32_t vectors)
{
    const ivflat_config config = {.struct_size = sizeof(config), .max_vectors = vectors, .trusted_peers = 1};
    const ivflat_hooks hooks = {.struct_size = sizeof(hooks), .interrupt = interrupt};
    int memory = memfd_create("bench", MFD_CLOEXEC);
    ivflat_device *dev = NULL;

    if (ftruncate(memory, MEMORY) < 0 || ivflat_device_new(&dev, &config, &hooks) < 0 || ivflat_device_begin(dev) < 0) {
        fprintf(stderr, "%s\n", ivflat_last_error());
        exit(EXIT_FAILURE);
    }
    feed(dev, 0, -1);
    feed(dev, 0, -1);
    feed(dev, -1, memory);
    return dev;
}

int main(int argc, char **argv)
{
    uint32_t vectors = argc == 2 ? (uint32_t)atoi(argv[1]) : 0;
    ivflat_device *dev;
    size_t before, used;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

    if (vectors < 1 || vectors > 128) {
        fputs("usage: memory VECTORS\n", stderr);
        return 2;
    }
    dev = greeted(vectors);
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
