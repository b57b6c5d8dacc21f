/* SPDX-License-Identifier: BSD-3-Clause */
/* QEMU's PCI device for shared memory, driven from user space by VFIO. */
#ifndef IVSHMEM_H
#define IVSHMEM_H

#include <stdint.h>

struct ivshmem {
    int device;
    uint64_t registers; /* where in `device` they are */
    void *memory;       /* device memory: aligned loads and stores of 4 or 8 bytes alone, so no memcpy */
    uint64_t size;
};

/* The function NAME (0000:00:01.0), bound to vfio-pci.  0, or -1 after one sentence on standard error. */
int ivshmem_open(struct ivshmem *ivshmem, const char *name);

/* Vector i adds 1 to the eventfd i.  0, or -1 after one sentence. */
int ivshmem_interrupts(const struct ivshmem *ivshmem, const int *eventfds, uint32_t count);

uint32_t ivshmem_id(const struct ivshmem *ivshmem);
void ivshmem_ring(const struct ivshmem *ivshmem, uint32_t peer, uint32_t vector);

#endif
