/*
 * The name of QEMU's own device, in a QEMU that does not have it: boards that
 * ask for it get ours
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "ivflat.h"
#include "qom/object.h"

static const TypeInfo ivflat_flat_name[] = {
    { .name = "ivshmem-flat", .parent = TYPE_IVFLAT_SYSBUS },
};

DEFINE_TYPES(ivflat_flat_name)
