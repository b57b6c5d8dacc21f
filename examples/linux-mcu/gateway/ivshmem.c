/* SPDX-License-Identifier: BSD-3-Clause */
#include "ivshmem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <linux/vfio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

enum { ID = 8, DOORBELL = 12, REGISTERS_BAR = 0, MEMORY_BAR = 2 };

static int fail(const char *what)
{
    fprintf(stderr, "linux: vfio: %s: %s\n", what, strerror(errno));
    return -1;
}

/* The group's number is the name that the link in /sys ends in. */
static int open_group(const char *name)
{
    char link[PATH_MAX], target[PATH_MAX], path[PATH_MAX];
    ssize_t length;

    snprintf(link, sizeof link, "/sys/bus/pci/devices/%s/iommu_group", name);
    length = readlink(link, target, sizeof target - 1);
    if (length < 0)
        return fail("the device has no IOMMU group (is there an iommu=smmuv3 in QEMU's -M?)");
    target[length] = 0;
    snprintf(path, sizeof path, "/dev/vfio/%s", strrchr(target, '/') + 1);
    return open(path, O_RDWR | O_CLOEXEC);
}

/* Interrupts by message go through the IOMMU, too: that is what SET_IOMMU asks about. */
static int open_device(const char *name)
{
    int container = open("/dev/vfio/vfio", O_RDWR | O_CLOEXEC), group = open_group(name), device;

    if (container < 0 || group < 0)
        return fail("the group cannot be opened");
    if (ioctl(group, VFIO_GROUP_SET_CONTAINER, &container) < 0)
        return fail("the group cannot be used");
    if (ioctl(container, VFIO_SET_IOMMU, VFIO_TYPE1v2_IOMMU) < 0)
        return fail("the IOMMU is refused (interrupts by message want gic-version=3 in QEMU's -M)");
    device = ioctl(group, VFIO_GROUP_GET_DEVICE_FD, name);
    return device < 0 ? fail("the device is not given out") : device;
}

static int region(int device, uint32_t index, struct vfio_region_info *info)
{
    *info = (struct vfio_region_info){.argsz = sizeof *info, .index = index};
    return ioctl(device, VFIO_DEVICE_GET_REGION_INFO, info);
}

/* The device sends its messages as a bus master, and from the first ring on. */
static int set_bus_master(int device)
{
    struct vfio_region_info info;
    uint16_t command;

    if (region(device, VFIO_PCI_CONFIG_REGION_INDEX, &info) < 0 ||
        pread(device, &command, sizeof command, (off_t)info.offset + PCI_COMMAND) != sizeof command)
        return -1;
    command |= PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER;
    return pwrite(device, &command, sizeof command, (off_t)info.offset + PCI_COMMAND) == sizeof command ? 0 : -1;
}

int ivshmem_open(struct ivshmem *ivshmem, const char *name)
{
    struct vfio_region_info registers, memory;

    ivshmem->device = open_device(name);
    if (ivshmem->device < 0)
        return -1;
    if (set_bus_master(ivshmem->device) < 0 || region(ivshmem->device, REGISTERS_BAR, &registers) < 0 ||
        region(ivshmem->device, MEMORY_BAR, &memory) < 0)
        return fail("the device cannot be set up");
    ivshmem->registers = registers.offset;
    ivshmem->size = memory.size;
    ivshmem->memory =
        mmap(NULL, memory.size, PROT_READ | PROT_WRITE, MAP_SHARED, ivshmem->device, (off_t)memory.offset);
    return ivshmem->memory == MAP_FAILED ? fail("the shared memory cannot be mapped") : 0;
}

int ivshmem_interrupts(const struct ivshmem *ivshmem, const int *eventfds, uint32_t count)
{
    size_t size = sizeof(struct vfio_irq_set) + count * sizeof *eventfds;
    struct vfio_irq_set *set = calloc(1, size);
    int result;

    if (!set)
        return fail("interrupts");
    *set = (struct vfio_irq_set){.argsz = (uint32_t)size,
                                 .flags = VFIO_IRQ_SET_DATA_EVENTFD | VFIO_IRQ_SET_ACTION_TRIGGER,
                                 .index = VFIO_PCI_MSIX_IRQ_INDEX,
                                 .count = count};
    memcpy(set->data, eventfds, count * sizeof *eventfds);
    result = ioctl(ivshmem->device, VFIO_DEVICE_SET_IRQS, set);
    free(set);
    return result < 0 ? fail("the device does not have so many vectors") : 0;
}

uint32_t ivshmem_id(const struct ivshmem *ivshmem)
{
    uint32_t id = UINT32_MAX;

    return pread(ivshmem->device, &id, sizeof id, (off_t)ivshmem->registers + ID) == sizeof id ? id : UINT32_MAX;
}

void ivshmem_ring(const struct ivshmem *ivshmem, uint32_t peer, uint32_t vector)
{
    uint32_t value = peer << 16 | vector;

    /* What was written to the memory is there before the doorbell is. */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (pwrite(ivshmem->device, &value, sizeof value, (off_t)ivshmem->registers + DOORBELL) != sizeof value)
        fail("a doorbell cannot be rung");
}
