/* SPDX-License-Identifier: BSD-3-Clause */
/* Linked into the emulator of examples/kvm with --wrap, it has each doorbell take the way of all other accesses, behind
 * the emulator's lock. */
#include <libivflat/ivflat.h>

int32_t __wrap_ivflat_device_doorbell(ivflat_device *dev, uint32_t value);

int32_t __wrap_ivflat_device_doorbell(ivflat_device *dev, uint32_t value)
{
    (void)dev, (void)value;
    return 0;
}
