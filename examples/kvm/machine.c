/* SPDX-License-Identifier: BSD-3-Clause */
#include "machine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "board.h"

enum { SLOT_RAM, SLOT_ROM, SLOT_SHARED };
enum {
    FIRST_GSI = 24,            /* those below are pins of the I/O APIC, of which this machine uses none */
    KVM_PRIVATE = 0xfeffc000u, /* four pages that KVM wants on some processors */
    PAGE = 4096
};

enum status say(enum status status, const char *format, ...)
{
    char line[600];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    fprintf(stderr, "ivflat-kvm: %s\n", line);
    return status;
}

static bool has(const struct machine *machine, int capability)
{
    return ioctl(machine->vm >= 0 ? machine->vm : machine->kvm, KVM_CHECK_EXTENSION, (long)capability) > 0;
}

static enum status open_kvm(struct machine *machine)
{
    machine->kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
    if (machine->kvm >= 0)
        return STOPPED;
    if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
        return say(NO_KVM, "there is no KVM here (/dev/kvm: %s)", strerror(errno));
    if (errno == EACCES || errno == EPERM)
        return say(FAILED, "no permission for /dev/kvm: be root, or in the group that may (ls -l /dev/kvm tells)");
    return say(FAILED, "/dev/kvm cannot be opened: %s", strerror(errno));
}

static enum status check_kvm(const struct machine *machine)
{
    static const struct {
        int number;
        const char *name;
    } needed[] = {{KVM_CAP_IRQCHIP, "an interrupt controller"},
                  {KVM_CAP_USER_MEMORY, "memory of ours"},
                  {KVM_CAP_IRQ_ROUTING, "routes for interrupts"},
                  {KVM_CAP_SIGNAL_MSI, "interrupts as messages"},
                  {KVM_CAP_READONLY_MEM, "a ROM"},
                  {KVM_CAP_EXT_CPUID, "processors with features"},
                  {KVM_CAP_IMMEDIATE_EXIT, "processors that can be stopped"}};

    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++)
        if (!has(machine, needed[i].number))
            return say(FAILED, "this kernel's KVM cannot give a guest %s: Linux 4.13 on x86 and newer can",
                       needed[i].name);
    return STOPPED;
}

static enum status set_slot(struct machine *machine, uint32_t slot, uint64_t address, void *memory, uint64_t size)
{
    struct kvm_userspace_memory_region region = {.slot = slot,
                                                 .flags = slot == SLOT_ROM ? KVM_MEM_READONLY : 0,
                                                 .guest_phys_addr = address,
                                                 .memory_size = size,
                                                 .userspace_addr = (uintptr_t)memory};

    if (ioctl(machine->vm, KVM_SET_USER_MEMORY_REGION, &region) == 0)
        return STOPPED;
    return say(FAILED, "KVM does not take %llu bytes of memory at 0x%llx: %s", (unsigned long long)size,
               (unsigned long long)address, strerror(errno));
}

static void *allocate(size_t size)
{
    void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return memory == MAP_FAILED ? NULL : memory;
}

/* To processor 0, edge-triggered, as the device would write it. */
enum { MESSAGE_ADDRESS = 0xfee00000u };

static enum status set_routes(struct machine *machine)
{
    struct kvm_irq_routing *routes = calloc(1, sizeof *routes + KVM_BOARD_VECTORS * sizeof routes->entries[0]);
    int result = -1;

    for (uint32_t vector = 0; routes && vector < KVM_BOARD_VECTORS; vector++)
        routes->entries[routes->nr++] =
            (struct kvm_irq_routing_entry){.gsi = machine_gsi(vector),
                                           .type = KVM_IRQ_ROUTING_MSI,
                                           .u.msi = {.address_lo = MESSAGE_ADDRESS, .data = KVM_BOARD_VECTOR + vector}};
    if (routes)
        result = ioctl(machine->vm, KVM_SET_GSI_ROUTING, routes);
    free(routes);
    return result == 0 ? STOPPED : say(FAILED, "KVM does not take the interrupts' routes: %s", strerror(errno));
}

static enum status make_machine(struct machine *machine)
{
    uint64_t identity = KVM_PRIVATE;

    machine->vm = ioctl(machine->kvm, KVM_CREATE_VM, 0L);
    if (machine->vm < 0)
        return say(FAILED, "KVM makes no machine: %s", strerror(errno));
    if (ioctl(machine->vm, KVM_SET_IDENTITY_MAP_ADDR, &identity) < 0 ||
        ioctl(machine->vm, KVM_SET_TSS_ADDR, (long)KVM_PRIVATE + PAGE) < 0)
        return say(FAILED, "KVM does not take pages for itself: %s", strerror(errno));
    if (ioctl(machine->vm, KVM_CREATE_IRQCHIP, 0L) < 0)
        return say(FAILED, "KVM makes no interrupt controller: %s", strerror(errno));
    machine->ram = allocate(KVM_BOARD_RAM_SIZE);
    if (!machine->ram)
        return say(FAILED, "no memory for the guest's RAM");
    return set_slot(machine, SLOT_RAM, 0, machine->ram, KVM_BOARD_RAM_SIZE);
}

enum status machine_open(struct machine *machine)
{
    enum status status;

    *machine = (struct machine){.kvm = -1, .vm = -1};
    status = open_kvm(machine);
    if (status == STOPPED)
        status = check_kvm(machine);
    if (status == STOPPED)
        status = make_machine(machine);
    if (status == STOPPED)
        status = set_routes(machine);
    if (status == STOPPED) {
        machine->has_irqfd = has(machine, KVM_CAP_IRQFD);
        machine->has_ioeventfd = has(machine, KVM_CAP_IOEVENTFD);
    }
    return status;
}

void machine_close(struct machine *machine)
{
    if (machine->vm >= 0)
        close(machine->vm);
    if (machine->kvm >= 0)
        close(machine->kvm);
    if (machine->ram)
        munmap(machine->ram, KVM_BOARD_RAM_SIZE);
    if (machine->rom)
        munmap(machine->rom, KVM_BOARD_ROM_MAX);
}

/* Reads one byte more than there is room for, to see that there is more.  Below 0: errno. */
static ssize_t read_image(const char *path, void *image)
{
    static char beyond;
    FILE *file = fopen(path, "rbe");
    size_t size = file ? fread(image, 1, KVM_BOARD_ROM_MAX, file) : 0;
    int error = errno;

    if (!file)
        return -error;
    if (size == KVM_BOARD_ROM_MAX)
        size += fread(&beyond, 1, 1, file);
    error = ferror(file) ? errno : 0;
    fclose(file);
    return error ? -error : (ssize_t)size;
}

enum status machine_load(struct machine *machine, const char *path)
{
    ssize_t size;

    machine->rom = allocate(KVM_BOARD_ROM_MAX);
    if (!machine->rom)
        return say(FAILED, "no memory for the guest's image");
    size = read_image(path, machine->rom);
    if (size < 0)
        return say(USAGE, "%s: the guest's image cannot be read: %s", path, strerror((int)-size));
    if (size > (ssize_t)KVM_BOARD_ROM_MAX)
        return say(USAGE, "%s: the guest's image is too large: %u bytes are the most", path, KVM_BOARD_ROM_MAX);
    if (size == 0 || size % PAGE != 0)
        return say(USAGE, "%s: has %zd bytes: a guest's image has a multiple of %d, and begins 16 before its end", path,
                   size, PAGE);
    return set_slot(machine, SLOT_ROM, (1ull << 32) - (uint64_t)size, machine->rom, (uint64_t)size);
}

/* The library keeps the address for life, also when another server's memory comes there: the slot need not follow. */
enum status machine_share(struct machine *machine, void *memory, uint64_t size)
{
    if (size % PAGE != 0 || size > KVM_BOARD_MEMORY_END - KVM_BOARD_MEMORY)
        return say(FAILED,
                   "%llu bytes of shared memory have no place at 0x%x: a multiple of %d has, up to %u; tell the server",
                   (unsigned long long)size, KVM_BOARD_MEMORY, PAGE, KVM_BOARD_MEMORY_END - KVM_BOARD_MEMORY);
    return set_slot(machine, SLOT_SHARED, KVM_BOARD_MEMORY, memory, size);
}

uint32_t machine_gsi(uint32_t vector)
{
    return FIRST_GSI + vector;
}

void machine_interrupt(struct machine *machine, uint32_t vector)
{
    struct kvm_msi message = {.address_lo = MESSAGE_ADDRESS, .data = KVM_BOARD_VECTOR + vector};

    ioctl(machine->vm, KVM_SIGNAL_MSI, &message);
}
