/* SPDX-License-Identifier: BSD-3-Clause */
/* What a peer costs: what malloc took for it, its own bookkeeping included, and the table's entry; beside what QEMU's
 * two devices take for one.  Run without malloc's per-thread cache, which counts what it keeps as in use.
 *
 * usage: memory --json [--quick] BUILD */
#include "figure.h"
#include "greeted.h"

#include <malloc.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define PEERS    100u
#define ENTRY    sizeof(void *)           /* the table has one pointer an id */
#define BLOCK(n) ((n) + 8 + 15) / 16 * 16 /* glibc's blocks */

/* Of the size of QEMU's structures (10.0), and of nothing else of theirs: a notifier is two descriptors and a flag; the
 * flat device's peer is in a list and has room for 64 vectors, each a notifier and a number; the PCI device has an
 * array of peers, with an array of notifiers each. */
struct notifier_size {
    int descriptors[2];
    bool flag;
};
struct flat_vector_size {
    struct notifier_size notifier;
    uint16_t number;
};
struct flat_peer_size {
    void *list[2];
    struct flat_vector_size vectors[64];
    int count;
    uint16_t number;
};
struct pci_peer_size {
    int count;
    void *notifiers;
};

static double of_flat(void *user)
{
    (void)user;
    return BLOCK(sizeof(struct flat_peer_size));
}

static double of_pci(void *user)
{
    const uint32_t *vectors = user;

    return (double)(sizeof(struct pci_peer_size) + BLOCK(*vectors * sizeof(struct notifier_size)));
}

/* The peers' vectors come interleaved, which is the worst for the allocator. */
static double of_ours(void *user)
{
    const uint32_t *vectors = user;
    const ivflat_config config = {.struct_size = sizeof(config), .max_vectors = *vectors, .trusted_peers = 1};
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    ivflat_device *dev = greeted(&config, NULL);
    size_t before = mallinfo2().uordblks, used;

    for (uint32_t i = 0; i < PEERS * *vectors; i++) {
        feed(dev, 1 + i % PEERS, dup(fd));
    }
    used = mallinfo2().uordblks - before;
    ivflat_device_free(dev);
    close(fd);
    return (double)(used / PEERS + ENTRY);
}

static void compare(uint32_t vectors)
{
    const struct figure_series series[] = {
        {.name = "ivflat", .measure = of_ours, .user = &vectors},
        {.name = "QEMU, ivshmem-flat", .measure = of_flat},
        {.name = "QEMU, ivshmem (PCI)", .measure = of_pci, .user = &vectors},
    };

    figure_case_x(vectors);
    figure_rounds(series, 3, 1);
    figure_goal("ivflat", NULL, 64 + 4 * vectors);
}

int main(int argc, char **argv)
{
    figure_options(argc, argv);
    if (!getenv("GLIBC_TUNABLES")) {
        setenv("GLIBC_TUNABLES", "glibc.malloc.tcache_count=0", 1); /* read when a program begins */
        execv("/proc/self/exe", argv);
    }
    figure_begin("peer-memory", "A peer's memory", "bytes", "vectors");
    figure_counted();
    compare(1);
    compare(8);
    compare(64);
    figure_end(
        "At most 64 + 4 V bytes; QEMU's are the sizes of its structures, and of the blocks they are allocated in");
    return EXIT_SUCCESS;
}
