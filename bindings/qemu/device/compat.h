/*
 * What differs between the QEMUs that this folder is compiled in, 7.2 to 11.x
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_IVFLAT_COMPAT_H
#define HW_MISC_IVFLAT_COMPAT_H

/* What QEMU calls has QEMU's arguments, whether one needs them or not. */
#pragma GCC diagnostic ignored "-Wunused-parameter"

#include "chardev/char-fe.h"
#include "migration/blocker.h"
#include "qapi/error.h"

/* Headers that moved. */
#if __has_include("hw/core/sysbus.h")
#include "hw/core/boards.h"
#include "hw/core/irq.h"
#include "hw/core/qdev-properties.h"
#include "hw/core/qdev-properties-system.h"
#include "hw/core/sysbus.h"
#else
#include "hw/boards.h"
#include "hw/irq.h"
#include "hw/qdev-properties.h"
#include "hw/qdev-properties-system.h"
#include "hw/sysbus.h"
#endif
#if __has_include("system/address-spaces.h")
#include "system/address-spaces.h"
#include "system/memory.h"
#else
#include "exec/address-spaces.h"
#include "exec/memory.h"
#endif
#if __has_include("system/kvm.h")
#include "system/kvm.h"
#include "system/qtest.h"
#include "system/runstate.h"
#else
#include "sysemu/kvm.h"
#include "sysemu/qtest.h"
#include "sysemu/runstate.h"
#endif

#define IVFLAT_QEMU(major, minor) \
    (QEMU_VERSION_MAJOR > (major) || \
     (QEMU_VERSION_MAJOR == (major) && QEMU_VERSION_MINOR >= (minor)))

/* The chardev's front end was called a backend. */
#if !IVFLAT_QEMU(10, 2)
typedef CharBackend CharFrontend;
#endif

/* class_init's second argument */
#if IVFLAT_QEMU(10, 1)
typedef const void IvflatClassData;
#else
typedef void IvflatClassData;
#endif

/* Arrays of properties end with an element of their own, up to 9.2. */
#if IVFLAT_QEMU(10, 0)
#define IVFLAT_PROPERTIES static const Property
#define IVFLAT_END_OF_PROPERTIES
#else
#define IVFLAT_PROPERTIES static Property
#define IVFLAT_END_OF_PROPERTIES DEFINE_PROP_END_OF_LIST(),
#endif

/* The reset's hold phase learned which reset it is. */
#if IVFLAT_QEMU(9, 1)
#define IVFLAT_RESET_HOLD(name, obj) static void name(Object *obj, ResetType type)
#else
#define IVFLAT_RESET_HOLD(name, obj) static void name(Object *obj)
#endif

/* In 7.2 KVM may lack eventfds; later ones insist on them. */
static inline bool ivflat_kvm_binds(void)
{
#if IVFLAT_QEMU(8, 2)
    return kvm_enabled();
#else
    return kvm_enabled() && kvm_eventfds_enabled();
#endif
}

/* A blocker is freed by who deletes it, since 8.2. */
static inline int ivflat_block_migration(Error **reason, Error **errp)
{
#if IVFLAT_QEMU(8, 2)
    return migrate_add_blocker(reason, errp);
#else
    int error = migrate_add_blocker(*reason, errp);

    if (error < 0) {
        error_free(*reason);
        *reason = NULL;
    }
    return error;
#endif
}

static inline void ivflat_allow_migration(Error **reason)
{
#if IVFLAT_QEMU(8, 2)
    migrate_del_blocker(reason);
#else
    if (*reason) {
        migrate_del_blocker(*reason);
        error_free(*reason);
        *reason = NULL;
    }
#endif
}

#endif
