/*
 * -device ivflat: the ivshmem-flat device on any machine
 *
 * QEMU lets no user create a sysbus device that the board does not expect.  A
 * device without a bus is welcome everywhere, and when it is realized the
 * board, its CPUs and its interrupt controller are there.  So this one creates
 * the sysbus device, maps it and wires its lines.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "front.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "trace/trace-hw_misc.h"

OBJECT_DECLARE_SIMPLE_TYPE(IvflatFront, IVFLAT)

struct IvflatFront {
    DeviceState parent_obj;

    uint64_t registers;
    uint64_t memory;
    char *irq;
    char *irqs;

    IvflatState *device;    /* one reference is ours */
    bool registers_mapped;
    bool memory_mapped;
};

#define NOWHERE UINT64_MAX

/* What a user may set of the sysbus device.  Lines come from irq and irqs. */
static const char *const ivflat_passed_on[] = {
    "chardev", "path", "shmem-size", "vectors", "revision", "reconnect-ms",
    "connect-timeout-ms", "require-sealed", "trusted-peers",
};

/* The names that the patches for QEMU had before it took the device. */
static const struct {
    const char *alias;
    const char *name;
    const char *description;
} ivflat_former_names[] = {
    { "x-bus-address-iomem", "registers", "Former name of registers" },
    { "x-bus-address-shmem", "memory", "Former name of memory" },
    { "x-irq-qompath", "irq", "Former name of irq" },
};

static bool ivflat_front_check(IvflatFront *f, Error **errp)
{
    const char *missing = f->registers == NOWHERE ? "registers"
                          : f->memory == NOWHERE ? "memory" : NULL;
    uint64_t page = qemu_real_host_page_size();

    if (missing) {
        error_setg(errp, "%s= is missing: it is the guest's address of the "
                   "device's %s", missing, missing);
        return false;
    }
    if (!ivflat_place_check("registers", f->registers, IVFLAT_MMIO_SIZE,
                            IVFLAT_MMIO_SIZE, errp)) {
        return false;
    }
    /* The server's size, which shmem-size=0 asks for, is not known yet. */
    return ivflat_place_check("memory", f->memory,
                              f->device->shmem_size ?: page, page, errp);
}

static bool ivflat_front_map(IvflatFront *f, Error **errp)
{
    SysBusDevice *sbd = SYS_BUS_DEVICE(f->device);
    uint64_t size = memory_region_size(&f->device->shmem);

    sysbus_mmio_map(sbd, 0, f->registers);
    f->registers_mapped = true;
    trace_ivshmem_flat_mmio_map(f->registers);
    if (!ivflat_place_check("memory", f->memory, size,
                            qemu_real_host_page_size(), errp)) {
        return false;
    }
    sysbus_mmio_map(sbd, 1, f->memory);
    f->memory_mapped = true;
    trace_ivshmem_flat_shmem_map(f->memory);
    return ivflat_place_seen("registers", f->registers, &f->device->registers,
                             errp) &&
           ivflat_place_seen("memory", f->memory, &f->device->shmem, errp);
}

static void ivflat_front_unmap(IvflatFront *f)
{
    if (f->registers_mapped) {
        memory_region_del_subregion(get_system_memory(), &f->device->registers);
        f->registers_mapped = false;
    }
    if (f->memory_mapped) {
        memory_region_del_subregion(get_system_memory(), &f->device->shmem);
        f->memory_mapped = false;
    }
}

/*
 * Below the machine, and not below us: a board that looks at what -device made
 * would find a sysbus device there that it does not allow.
 */
static bool ivflat_front_create(IvflatFront *f, uint32_t lines, Error **errp)
{
    DeviceState *device = DEVICE(f->device);

    object_property_add_child(qdev_get_machine(), "ivflat[*]", OBJECT(device));
    qdev_prop_set_bit(device, "interrupts", lines > 0);
    qdev_prop_set_uint32(device, "lines", MAX(lines, 1));
    return sysbus_realize(SYS_BUS_DEVICE(device), errp);
}

static void ivflat_front_destroy(IvflatFront *f)
{
    ivflat_front_unmap(f);
    qdev_unrealize(DEVICE(f->device));
    object_unparent(OBJECT(f->device));
}

static void ivflat_front_realize(DeviceState *dev, Error **errp)
{
    IvflatFront *f = IVFLAT(dev);
    qemu_irq lines[IVFLAT_MAX_LINES];
    uint32_t count;

    if (!ivflat_front_check(f, errp) ||
        !ivflat_lines_find(f->irq, f->irqs, lines, &count, errp)) {
        return;
    }
    if (!ivflat_front_create(f, count, errp) || !ivflat_front_map(f, errp)) {
        ivflat_front_destroy(f);
        return;
    }
    for (uint32_t i = 0; i < count; i++) {
        sysbus_connect_irq(SYS_BUS_DEVICE(f->device), i, lines[i]);
    }
}

static void ivflat_front_unrealize(DeviceState *dev)
{
    ivflat_front_destroy(IVFLAT(dev));
}

static void ivflat_front_init(Object *obj)
{
    IvflatFront *f = IVFLAT(obj);

    f->registers = f->memory = NOWHERE;
    f->device = IVFLAT_SYSBUS(qdev_new(TYPE_IVFLAT_SYSBUS));
    for (unsigned i = 0; i < ARRAY_SIZE(ivflat_passed_on); i++) {
        object_property_add_alias(obj, ivflat_passed_on[i], OBJECT(f->device),
                                  ivflat_passed_on[i]);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(ivflat_former_names); i++) {
        object_property_add_alias(obj, ivflat_former_names[i].alias, obj,
                                  ivflat_former_names[i].name);
        object_property_set_description(obj, ivflat_former_names[i].alias,
                                        ivflat_former_names[i].description);
    }
    ivflat_status_alias(obj, OBJECT(f->device));
    object_property_add_const_link(obj, "device", OBJECT(f->device));
    object_property_set_description(obj, "device",
                                    "Read only: the device that we created");
}

static void ivflat_front_finalize(Object *obj)
{
    object_unref(OBJECT(IVFLAT(obj)->device));
}

IVFLAT_PROPERTIES ivflat_front_properties[] = {
    DEFINE_PROP_UNSIGNED_NODEFAULT("registers", IvflatFront, registers,
                                   qdev_prop_uint64, uint64_t),
    DEFINE_PROP_UNSIGNED_NODEFAULT("memory", IvflatFront, memory,
                                   qdev_prop_uint64, uint64_t),
    DEFINE_PROP_STRING("irq", IvflatFront, irq),
    DEFINE_PROP_STRING("irqs", IvflatFront, irqs),
    IVFLAT_END_OF_PROPERTIES
};

static void ivflat_front_class_init(ObjectClass *oc, IvflatClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "Shared memory and doorbells between VMs, without PCI";
    dc->realize = ivflat_front_realize;
    dc->unrealize = ivflat_front_unrealize;
    /* Without a bus nobody could take it out again: QEMU asserts then. */
    dc->hotpluggable = false;
    device_class_set_props(dc, ivflat_front_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    ivflat_describe(oc);
}

static const TypeInfo ivflat_front_types[] = {
    {
        .name = TYPE_IVFLAT,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(IvflatFront),
        .instance_init = ivflat_front_init,
        .instance_finalize = ivflat_front_finalize,
        .class_init = ivflat_front_class_init,
    },
};

DEFINE_TYPES(ivflat_front_types)
