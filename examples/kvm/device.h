/* SPDX-License-Identifier: BSD-3-Clause */
/* The ivshmem-flat device of one machine: libivflat, behind a lock, since all but a doorbell is for one thread at a
 * time. */
#ifndef KVM_DEVICE_H
#define KVM_DEVICE_H

#include <libivflat/ivflat.h>
#include <pthread.h>

#include "fast-path.h"
#include "machine.h"

struct device {
    struct fast_path fast_path; /* first: see fast-path.h */
    struct machine *machine;
    ivflat_device *library;
    pthread_mutex_t lock;
    bool verbose;
};

/* Greets the server at @path and gives its memory to the machine; says one sentence when it does not answer STOPPED. */
enum status device_open(struct device *device, struct machine *machine, const char *path, bool fast, bool verbose);
void device_close(struct device *device);

/* Waits for the server, peers and rings, and does what is due; ends at a device_wake(), which any thread and signal
 * handler may call. */
void device_serve(struct device *device);
void device_wake(const struct device *device);

/* From any processor's thread. */
uint32_t device_read(struct device *device, uint64_t offset, uint32_t width);
void device_write(struct device *device, uint64_t offset, uint32_t width, uint64_t value);

#endif
