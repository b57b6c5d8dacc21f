/*
 * The ivshmem-flat device, for board code
 *
 *     DeviceState *dev = qdev_new(TYPE_IVFLAT_SYSBUS);
 *
 *     qdev_prop_set_string(dev, "path", "/tmp/ivshmem_socket");
 *     sysbus_realize_and_unref(SYS_BUS_DEVICE(dev), &error_fatal);
 *     sysbus_mmio_map(SYS_BUS_DEVICE(dev), 0, 0x400ff000);
 *     sysbus_mmio_map(SYS_BUS_DEVICE(dev), 1, 0x40100000);
 *     sysbus_connect_irq(SYS_BUS_DEVICE(dev), 0, qdev_get_gpio_in(nvic, 40));
 *
 * Region 0: 16 bytes of registers.  Region 1: the shared memory; it is there
 * once the device is realized.  IRQ 0..lines-1: a pulse for each interrupt
 * (revision 1), or one level (revision 0).  docs/system/devices/ivflat.rst has
 * the properties.  Where board code does not come in question, -device ivflat
 * puts one into any machine.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_IVFLAT_H
#define HW_MISC_IVFLAT_H

#define TYPE_IVFLAT_SYSBUS "ivflat-sysbus"

/* What -device creates: it maps and wires a TYPE_IVFLAT_SYSBUS. */
#define TYPE_IVFLAT "ivflat"

#endif
