/* SPDX-License-Identifier: BSD-3-Clause */
/* A processor of the guest's: a thread that lets it run, and answers what makes it leave. */
#ifndef KVM_PROCESSOR_H
#define KVM_PROCESSOR_H

#include <pthread.h>
#include <stdatomic.h>

#include "machine.h"

struct device;

/* How often the guest came out to this program, by what for. */
struct exits {
    uint64_t doorbells, registers, console, nothing;
};

struct processor {
    struct machine *machine;
    struct device *device;
    uint32_t number;
    int fd;
    struct kvm_run *run;
    size_t run_size;
    pthread_t thread;
    bool started;
    struct exits exits;
    void (*on_fault)(void); /* the guest cannot go on; it was said */
};

/* Says one sentence when it does not answer STOPPED. */
enum status processor_open(struct processor *processor);
enum status processor_start(struct processor *processor);

/* Stops it where it is, and forgets it; exits can be read then. */
void processor_close(struct processor *processor);

#endif
