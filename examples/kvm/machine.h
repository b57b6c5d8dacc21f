/* SPDX-License-Identifier: BSD-3-Clause */
/* A virtual machine of KVM's, with its interrupt controllers in the kernel: what is not a processor of it. */
#ifndef KVM_MACHINE_H
#define KVM_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the program ends with. */
enum status { STOPPED = 0, FAILED = 1, USAGE = 2, GUEST_FAULT = 3, NO_KVM = 77 };

struct machine {
    int kvm, vm;
    bool has_irqfd, has_ioeventfd;
    void *ram, *rom;
};

/* Each says one sentence on standard error when it does not answer STOPPED. */
enum status machine_open(struct machine *machine);
enum status machine_load(struct machine *machine, const char *path);
enum status machine_share(struct machine *machine, void *memory, uint64_t size);
void machine_close(struct machine *machine);

/* Interrupts the guest by own @vector, as KVM does by itself for one with an irqfd. */
void machine_interrupt(struct machine *machine, uint32_t vector);

/* The number that KVM_IRQFD knows own @vector by. */
uint32_t machine_gsi(uint32_t vector);

/* "ivflat-kvm: ...", with a new line; answers @status. */
enum status say(enum status status, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
