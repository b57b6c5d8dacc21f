/* SPDX-License-Identifier: BSD-3-Clause */
#include "processor.h"

#include <errno.h>
#include <inttypes.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "board.h"
#include "console.h"
#include "device.h"

enum { CPUID_MAX = 256, KICK = SIGUSR1 };

/* What this machine's processor can do, and the number by which the guest tells its processors apart. */
static int set_features(struct processor *processor)
{
    struct kvm_cpuid2 *cpuid = calloc(1, sizeof *cpuid + CPUID_MAX * sizeof cpuid->entries[0]);
    int result = -1;

    if (!cpuid)
        return -1;
    cpuid->nent = CPUID_MAX;
    if (ioctl(processor->machine->kvm, KVM_GET_SUPPORTED_CPUID, cpuid) == 0) {
        for (uint32_t i = 0; i < cpuid->nent; i++)
            if (cpuid->entries[i].function == 1)
                cpuid->entries[i].ebx = (cpuid->entries[i].ebx & 0x00ffffff) | processor->number << 24;
        result = ioctl(processor->fd, KVM_SET_CPUID2, cpuid);
    }
    free(cpuid);
    return result;
}

/* All begin at once; a PC's others would wait to be called. */
static int set_awake(struct processor *processor)
{
    struct kvm_mp_state state = {.mp_state = KVM_MP_STATE_RUNNABLE};

    return ioctl(processor->fd, KVM_SET_MP_STATE, &state);
}

enum status processor_open(struct processor *processor)
{
    int size = ioctl(processor->machine->kvm, KVM_GET_VCPU_MMAP_SIZE, 0L);

    processor->fd = ioctl(processor->machine->vm, KVM_CREATE_VCPU, (long)processor->number);
    if (processor->fd < 0 || size <= 0)
        return say(FAILED, "KVM makes no processor %u: %s", processor->number, strerror(errno));
    processor->run_size = (size_t)size;
    processor->run = mmap(NULL, processor->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, processor->fd, 0);
    if (processor->run == MAP_FAILED) {
        processor->run = NULL;
        return say(FAILED, "what KVM shares of a processor cannot be mapped: %s", strerror(errno));
    }
    if (set_features(processor) < 0 || set_awake(processor) < 0)
        return say(FAILED, "KVM does not take what processor %u is to be: %s", processor->number, strerror(errno));
    return STOPPED;
}

/* 16 bytes of registers; whether one access counts is the library's to say. */
static void access_registers(struct processor *processor, uint64_t offset)
{
    struct kvm_run *run = processor->run;
    uint64_t value = 0;

    if (run->mmio.is_write) {
        memcpy(&value, run->mmio.data, run->mmio.len);
        *(offset == IVFLAT_REG_DOORBELL ? &processor->exits.doorbells : &processor->exits.registers) += 1;
        device_write(processor->device, offset, run->mmio.len, value);
    } else {
        processor->exits.registers++;
        value = device_read(processor->device, offset, run->mmio.len);
        memcpy(run->mmio.data, &value, run->mmio.len);
    }
}

static void access_memory(struct processor *processor)
{
    struct kvm_run *run = processor->run;
    uint64_t offset = run->mmio.phys_addr - KVM_BOARD_REGISTERS;

    if (offset < IVFLAT_MMIO_SIZE) {
        access_registers(processor, offset);
        return;
    }
    processor->exits.nothing++;
    if (!run->mmio.is_write)
        memset(run->mmio.data, 0xff, run->mmio.len);
}

static void access_port(struct processor *processor)
{
    struct kvm_run *run = processor->run;
    uint8_t *bytes = (uint8_t *)run + run->io.data_offset;
    size_t count = (size_t)run->io.size * run->io.count;

    if (run->io.direction == KVM_EXIT_IO_IN) {
        processor->exits.nothing++;
        memset(bytes, 0xff, count);
    } else if (run->io.port == KVM_BOARD_CONSOLE && run->io.size == 1) {
        processor->exits.console++;
        console_write(bytes, count);
    } else {
        processor->exits.nothing++;
    }
}

static bool fault(struct processor *processor, const char *what, uint64_t detail)
{
    struct kvm_regs regs = {0};

    ioctl(processor->fd, KVM_GET_REGS, &regs);
    say(GUEST_FAULT, "the guest's processor %u %s (%" PRIu64 "), near 0x%08" PRIx64, processor->number, what, detail,
        (uint64_t)regs.rip);
    return false;
}

/* False: it cannot go on. */
static bool answer(struct processor *processor)
{
    const struct kvm_run *run = processor->run;

    switch (run->exit_reason) {
    case KVM_EXIT_MMIO:
        access_memory(processor);
        return true;
    case KVM_EXIT_IO:
        access_port(processor);
        return true;
    case KVM_EXIT_INTR:
        return true;
    case KVM_EXIT_SHUTDOWN:
        return fault(processor, "has reset itself, as by an exception that it does not handle", run->exit_reason);
    case KVM_EXIT_INTERNAL_ERROR:
        return fault(processor, "did what KVM cannot follow", run->internal.suberror);
    default:
        return fault(processor, "left for a reason that this program does not know", run->exit_reason);
    }
}

static void *live(void *argument)
{
    struct processor *processor = argument;

    for (;;) {
        if (ioctl(processor->fd, KVM_RUN, 0L) == 0) {
            if (!answer(processor))
                break;
        } else if (errno != EINTR && errno != EAGAIN) {
            fault(processor, "is refused by KVM", (uint64_t)errno);
            break;
        }
        if (__atomic_load_n(&processor->run->immediate_exit, __ATOMIC_RELAXED))
            return NULL;
    }
    processor->on_fault();
    return NULL;
}

static void on_kick(int number)
{
    (void)number;
}

/* The signals that end this program are the main thread's. */
enum status processor_start(struct processor *processor)
{
    struct sigaction action = {.sa_handler = on_kick};
    sigset_t ours, before;
    int error;

    sigaction(KICK, &action, NULL);
    sigfillset(&ours);
    sigdelset(&ours, KICK);
    pthread_sigmask(SIG_SETMASK, &ours, &before);
    error = pthread_create(&processor->thread, NULL, live, processor);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    processor->started = error == 0;
    return error ? say(FAILED, "no thread for a processor: %s", strerror(error)) : STOPPED;
}

/* The flag is for a kick that comes before the processor runs. */
static void stop(struct processor *processor)
{
    __atomic_store_n(&processor->run->immediate_exit, 1, __ATOMIC_RELAXED);
    pthread_kill(processor->thread, KICK);
    pthread_join(processor->thread, NULL);
    processor->started = false;
}

void processor_close(struct processor *processor)
{
    if (processor->started)
        stop(processor);
    if (processor->run)
        munmap(processor->run, processor->run_size);
    if (processor->fd >= 0)
        close(processor->fd);
}
