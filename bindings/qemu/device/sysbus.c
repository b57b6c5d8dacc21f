/*
 * The ivshmem-flat device as a sysbus device
 *
 * All that the device does is libivflat's; here are QEMU's regions, its lines
 * and its life.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qapi/error.h"
#include "qemu/module.h"
#include "qemu/units.h"
#include "state.h"

static uint64_t ivflat_registers_read(void *opaque, hwaddr addr, unsigned size)
{
    IvflatState *s = opaque;

    return ivflat_device_read(s->dev, addr, size);
}

static void ivflat_registers_write(void *opaque, hwaddr addr, uint64_t value,
                                   unsigned size)
{
    IvflatState *s = opaque;

    /* The shorter way is for a ring that nobody wants to hear of. */
    if (addr == IVFLAT_REG_DOORBELL && size == 4 && !ivflat_traces_rings() &&
        ivflat_device_doorbell(s->dev, value)) {
        return;
    }
    ivflat_device_write(s->dev, addr, size, value);
}

/*
 * Each access comes to the library as the guest made it: it knows which ones
 * count, and a narrow store must neither ring nor end in a bus fault.
 */
static const MemoryRegionOps ivflat_registers_ops = {
    .read = ivflat_registers_read,
    .write = ivflat_registers_write,
    .endianness = DEVICE_LITTLE_ENDIAN,
    .valid = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
    .impl = { .min_access_size = 1, .max_access_size = 8, .unaligned = true },
};

static bool ivflat_check_size(uint64_t size, const char *whose, Error **errp)
{
    if (size % qemu_real_host_page_size()) {
        error_setg(errp, "%s=%" PRIu64 ": not a multiple of the host's page of "
                   "%zu bytes", whose, size,
                   (size_t)qemu_real_host_page_size());
        return false;
    }
    return true;
}

static bool ivflat_check(IvflatState *s, Error **errp)
{
    if (s->revision > 1) {
        error_setg(errp, "revision=%u: there are 0 and 1", s->revision);
    } else if (s->lines < 1 || s->lines > IVFLAT_MAX_LINES) {
        error_setg(errp, "lines=%u: 1 to %d", s->lines, IVFLAT_MAX_LINES);
    } else if (s->revision == 0 && s->lines > 1) {
        error_setg(errp, "lines=%u: with revision=0 there is one line, for "
                   "the guest cannot see which vector it was", s->lines);
    } else if (s->vectors < 1 || s->vectors > IVFLAT_MAX_VECTORS) {
        error_setg(errp, "vectors=%u: 1 to %u", s->vectors,
                   IVFLAT_MAX_VECTORS);
    } else if (s->connect_timeout_ms < 1 || s->connect_timeout_ms > INT32_MAX) {
        error_setg(errp, "connect-timeout-ms=%u: 1 to %d",
                   s->connect_timeout_ms, INT32_MAX);
    } else {
        return ivflat_check_size(s->shmem_size, "shmem-size", errp) &&
               ivflat_link_check(s, errp);
    }
    return false;
}

static bool ivflat_make(IvflatState *s, Error **errp)
{
    ivflat_config config = {
        .struct_size = sizeof(config),
        .max_vectors = s->vectors,
        .memory_size = s->shmem_size,
        .no_interrupts = !s->interrupts,
        .revision0 = s->revision == 0,
        .require_sealed = s->require_sealed,
        .greeting_timeout_ms = s->connect_timeout_ms,
        .reconnect_ms = s->reconnect_ms,
        .trusted_peers = s->trusted_peers,
    };
    ivflat_hooks hooks;

    /* Revision 0 does not ask who waits for a vector. */
    s->vectors_left = s->revision == 0;
    ivflat_fill_hooks(s, &hooks);
    if (ivflat_device_new(&s->dev, &config, &hooks) < 0) {
        error_setg(errp, "%s", ivflat_last_error());
        return false;
    }
    return true;
}

static bool ivflat_block(IvflatState *s, Error **errp)
{
    error_setg(&s->migration_blocker, "ivflat: the server, the peers and their "
               "shared memory are this host's: a machine with this device can "
               "be neither migrated nor saved");
    return ivflat_block_migration(&s->migration_blocker, errp) >= 0;
}

/* Until a reset: with -no-shutdown the machine may go on. */
static void ivflat_on_shutdown(Notifier *notifier, void *data)
{
    container_of(notifier, IvflatState, shutdown)->ending = true;
}

static void ivflat_forget(IvflatState *s)
{
    ivflat_link_down(s);
    ivflat_allow_migration(&s->migration_blocker);
}

static void ivflat_realize(DeviceState *dev, Error **errp)
{
    IvflatState *s = IVFLAT_SYSBUS(dev);
    SysBusDevice *sbd = SYS_BUS_DEVICE(dev);

    if (s->dev) {
        error_setg(errp, "an ivflat device cannot be realized a second time: "
                   "create another");
        return;
    }
    if (!ivflat_check(s, errp) || !ivflat_block(s, errp)) {
        return;
    }
    if (!ivflat_make(s, errp) || !ivflat_link_up(s, errp) ||
        !ivflat_check_size(ivflat_device_memory_size(s->dev),
                           "shmem-size=0: the server's memory, size", errp)) {
        ivflat_forget(s);
        return;
    }
    for (uint32_t i = 1; i < s->lines; i++) {
        sysbus_init_irq(sbd, &s->irq[i]);
    }
    /*
     * The library keeps the address for life and maps the memory of a server
     * that comes, late or again, over it: the region stays as it is.
     */
    memory_region_init_ram_ptr(&s->shmem, OBJECT(s), "ivflat-memory",
                               ivflat_device_memory_size(s->dev),
                               ivflat_device_memory(s->dev));
    sysbus_init_mmio(sbd, &s->shmem);
    ivflat_poll_start(s);
    s->shutdown.notify = ivflat_on_shutdown;
    qemu_register_shutdown_notifier(&s->shutdown);
}

/*
 * Whoever still looks at the regions finds the device, until it is freed.  The
 * chardev is let go, or its reconnecting would make a peer that nobody reads.
 */
static void ivflat_unrealize(DeviceState *dev)
{
    IvflatState *s = IVFLAT_SYSBUS(dev);

    notifier_remove(&s->shutdown);
    ivflat_poll_stop(s);
    ivflat_forget(s);
    qemu_chr_fe_deinit(&s->chardev, false);
}

IVFLAT_RESET_HOLD(ivflat_reset_hold, obj)
{
    IvflatState *s = IVFLAT_SYSBUS(obj);

    s->ending = false;
    ivflat_device_reset(s->dev);
}

static void ivflat_instance_init(Object *obj)
{
    IvflatState *s = IVFLAT_SYSBUS(obj);

    memory_region_init_io(&s->registers, obj, &ivflat_registers_ops, s,
                          "ivflat-registers", IVFLAT_MMIO_SIZE);
    sysbus_init_mmio(SYS_BUS_DEVICE(s), &s->registers);
    sysbus_init_irq(SYS_BUS_DEVICE(s), &s->irq[0]);
    s->polled_fd = -1;
    s->bound = g_hash_table_new_full(NULL, NULL, NULL, g_free);
}

static void ivflat_instance_finalize(Object *obj)
{
    IvflatState *s = IVFLAT_SYSBUS(obj);

    ivflat_device_free(s->dev);
    g_hash_table_unref(s->bound);
}

IVFLAT_PROPERTIES ivflat_properties[] = {
    DEFINE_PROP_CHR("chardev", IvflatState, chardev),
    DEFINE_PROP_STRING("path", IvflatState, path),
    DEFINE_PROP_SIZE("shmem-size", IvflatState, shmem_size, 4 * MiB),
    DEFINE_PROP_UINT32("vectors", IvflatState, vectors, 64),
    DEFINE_PROP_UINT32("lines", IvflatState, lines, 1),
    DEFINE_PROP_BOOL("interrupts", IvflatState, interrupts, true),
    DEFINE_PROP_UINT32("revision", IvflatState, revision, 1),
    DEFINE_PROP_UINT32("reconnect-ms", IvflatState, reconnect_ms, 0),
    DEFINE_PROP_UINT32("connect-timeout-ms", IvflatState, connect_timeout_ms,
                       5000),
    DEFINE_PROP_BOOL("require-sealed", IvflatState, require_sealed, false),
    DEFINE_PROP_BOOL("trusted-peers", IvflatState, trusted_peers, false),
    IVFLAT_END_OF_PROPERTIES
};

static void ivflat_class_init(ObjectClass *oc, IvflatClassData *data)
{
    DeviceClass *dc = DEVICE_CLASS(oc);

    dc->desc = "Shared memory and doorbells between VMs, without PCI "
               "(for board code; -device " TYPE_IVFLAT " for everybody)";
    dc->realize = ivflat_realize;
    dc->unrealize = ivflat_unrealize;
    dc->hotpluggable = false;
    RESETTABLE_CLASS(oc)->phases.hold = ivflat_reset_hold;
    device_class_set_props(dc, ivflat_properties);
    set_bit(DEVICE_CATEGORY_MISC, dc->categories);
    ivflat_describe(oc);
    ivflat_status_add(oc);
}

static const TypeInfo ivflat_types[] = {
    {
        .name = TYPE_IVFLAT_SYSBUS,
        .parent = TYPE_SYS_BUS_DEVICE,
        .instance_size = sizeof(IvflatState),
        .instance_init = ivflat_instance_init,
        .instance_finalize = ivflat_instance_finalize,
        .class_init = ivflat_class_init,
    },
};

DEFINE_TYPES(ivflat_types)
