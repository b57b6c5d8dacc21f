/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * bare IMAGE MEMORY REPORT DOORBELL ORDER: a machine with nothing in it but a memory and eventfds, whose descriptors
 * these are: the guest's stores of 0 and of 1 to DOORBELL (vectors 0 and 1 of peer 0) are bound to REPORT and DOORBELL,
 * and ORDER is the interrupt of vector 1.  What the emulator of examples/kvm is compared with, made of the same files.
 */
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "board.h"
#include "device.h"
#include "machine.h"
#include "processor.h"

enum { NUMBER = 1 }; /* what this guest takes for its id */

static struct machine machine;

uint32_t device_read(struct device *device, uint64_t offset, uint32_t width)
{
    (void)device, (void)width;
    return offset == IVFLAT_REG_IVPOSITION ? NUMBER : 0;
}

void device_write(struct device *device, uint64_t offset, uint32_t width, uint64_t value)
{
    (void)device, (void)offset, (void)width, (void)value;
}

static void must(enum status status)
{
    if (status != STOPPED)
        exit(status);
}

static void bind(uint32_t value, const char *fd)
{
    struct kvm_ioeventfd binding = {.datamatch = value,
                                    .addr = KVM_BOARD_REGISTERS + IVFLAT_REG_DOORBELL,
                                    .len = 4,
                                    .fd = atoi(fd),
                                    .flags = KVM_IOEVENTFD_FLAG_DATAMATCH};

    if (ioctl(machine.vm, KVM_IOEVENTFD, &binding) < 0)
        exit(say(FAILED, "no doorbell %u", value));
}

static void bind_order(const char *fd)
{
    struct kvm_irqfd binding = {.fd = (uint32_t)atoi(fd), .gsi = machine_gsi(1)};

    if (ioctl(machine.vm, KVM_IRQFD, &binding) < 0)
        exit(say(FAILED, "no interrupt"));
}

static void share(int fd)
{
    struct stat status;
    void *memory;

    if (fstat(fd, &status) < 0)
        exit(say(FAILED, "no memory"));
    memory = mmap(NULL, (size_t)status.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (memory == MAP_FAILED)
        exit(say(FAILED, "no memory"));
    must(machine_share(&machine, memory, (uint64_t)status.st_size));
}

static void on_fault(void)
{
    exit(GUEST_FAULT);
}

/* Until it is killed. */
int main(int argc, char **argv)
{
    struct processor processor = {.machine = &machine, .fd = -1, .on_fault = on_fault};

    if (argc != 6)
        return say(USAGE, "usage: bare IMAGE MEMORY REPORT DOORBELL ORDER");
    must(machine_open(&machine));
    must(machine_load(&machine, argv[1]));
    share(atoi(argv[2]));
    bind(0, argv[3]);
    bind(1, argv[4]);
    bind_order(argv[5]);
    must(processor_open(&processor));
    must(processor_start(&processor));
    pthread_join(processor.thread, NULL);
    return 0;
}
