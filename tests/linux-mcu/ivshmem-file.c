/* SPDX-License-Identifier: BSD-3-Clause */
/* In the place of examples/linux-mcu/gateway/ivshmem.c: the memory is a file, and doorbells are told on standard
 * output.  Nobody rings. */
#include "gateway/ivshmem.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>

int ivshmem_open(struct ivshmem *ivshmem, const char *name)
{
    struct stat file;

    ivshmem->device = open(name, O_RDWR);
    if (ivshmem->device < 0 || fstat(ivshmem->device, &file) < 0)
        return -1;
    ivshmem->size = (uint64_t)file.st_size;
    ivshmem->memory = mmap(NULL, ivshmem->size, PROT_READ | PROT_WRITE, MAP_SHARED, ivshmem->device, 0);
    return ivshmem->memory == MAP_FAILED ? -1 : 0;
}

int ivshmem_interrupts(const struct ivshmem *ivshmem, const int *eventfds, uint32_t count)
{
    (void)ivshmem, (void)eventfds, (void)count;
    return 0;
}

uint32_t ivshmem_id(const struct ivshmem *ivshmem)
{
    (void)ivshmem;
    return 9;
}

void ivshmem_ring(const struct ivshmem *ivshmem, uint32_t peer, uint32_t vector)
{
    (void)ivshmem;
    printf("rang %u:%u\n", peer, vector);
}
