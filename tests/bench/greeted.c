/* SPDX-License-Identifier: BSD-3-Clause */
#include "greeted.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

static void interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user, (void)vector, (void)count;
}

void check(int32_t result)
{
    if (result < 0) {
        fprintf(stderr, "%s\n", ivflat_last_error());
        exit(EXIT_FAILURE);
    }
}

void feed(ivflat_device *dev, int64_t number, int32_t fd)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)number >> 8 * i);
    }
    check(ivflat_device_feed(dev, bytes, sizeof(bytes), &fd, fd >= 0));
}

static int make_page(void)
{
    int memory = memfd_create("bench", MFD_CLOEXEC);

    if (ftruncate(memory, 4096) < 0) {
        perror("memory");
        exit(EXIT_FAILURE);
    }
    return memory;
}

ivflat_device *unlinked(const ivflat_config *config, const ivflat_hooks *hooks)
{
    const ivflat_hooks deaf = {.struct_size = sizeof(deaf), .interrupt = interrupt};
    ivflat_device *dev;

    check(ivflat_device_new(&dev, config, hooks ? hooks : &deaf));
    return dev;
}

ivflat_device *greeted(const ivflat_config *config, const ivflat_hooks *hooks)
{
    ivflat_device *dev = unlinked(config, hooks);

    check(ivflat_device_begin(dev));
    feed(dev, 0, -1);
    feed(dev, 0, -1);
    feed(dev, -1, make_page());
    return dev;
}
