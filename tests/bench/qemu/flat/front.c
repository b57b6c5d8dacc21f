/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * -device flat-front: QEMU's own ivshmem-flat on any machine, mapped and wired as -device ivflat maps and wires ours
 *
 * QEMU has no other way to its device than the code of a board.  This one goes into the scratch tree of the figures
 * alone, so that both devices are measured in one binary.
 */
#include "qemu/osdep.h"

#include "exec/address-spaces.h"
#include "hw/boards.h"
#include "hw/irq.h"
#include "hw/misc/ivshmem-flat.h"
#include "hw/qdev-properties.h"
#include "hw/sysbus.h"
#include "qapi/error.h"

#define TYPE_FLAT_FRONT "flat-front"
OBJECT_DECLARE_SIMPLE_TYPE(FlatFront, FLAT_FRONT)

struct FlatFront {
    DeviceState parent_obj;
    DeviceState *flat;
    uint64_t registers;
    uint64_t memory;
    uint32_t irq;
};

static qemu_irq input_of_nvic(uint32_t number)
{
    g_autofree char *name = g_strdup_printf("unnamed-gpio-in[%u]", number);
    Object *nvic = object_resolve_path_type("", "armv7m", NULL);

    return IRQ(object_resolve_path_component(nvic, name));
}

static void flat_front_realize(DeviceState *dev, Error **errp)
{
    FlatFront *front = FLAT_FRONT(dev);
    SysBusDevice *flat = SYS_BUS_DEVICE(front->flat);

    object_property_add_child(qdev_get_machine(), "flat", OBJECT(flat));
    if (!sysbus_realize(flat, errp)) {
        return;
    }
    sysbus_mmio_map(flat, 0, front->registers);
    sysbus_mmio_map(flat, 1, front->memory);
    sysbus_connect_irq(flat, 0, input_of_nvic(front->irq));
}

static void flat_front_init(Object *obj)
{
    FlatFront *front = FLAT_FRONT(obj);

    front->flat = qdev_new(TYPE_IVSHMEM_FLAT);
    object_property_add_alias(obj, "chardev", OBJECT(front->flat), "chardev");
}

static const Property flat_front_properties[] = {
    DEFINE_PROP_UINT64("registers", FlatFront, registers, 0),
    DEFINE_PROP_UINT64("memory", FlatFront, memory, 0),
    DEFINE_PROP_UINT32("irq", FlatFront, irq, 0),
};

static void flat_front_class_init(ObjectClass *oc, void *data)
{
    DEVICE_CLASS(oc)->realize = flat_front_realize;
    DEVICE_CLASS(oc)->hotpluggable = false;
    device_class_set_props(DEVICE_CLASS(oc), flat_front_properties);
}

static const TypeInfo flat_front_types[] = {
    {
        .name = TYPE_FLAT_FRONT,
        .parent = TYPE_DEVICE,
        .instance_size = sizeof(FlatFront),
        .instance_init = flat_front_init,
        .class_init = flat_front_class_init,
    },
};

DEFINE_TYPES(flat_front_types)
