/*
 * What the files of the sysbus device share
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_IVFLAT_STATE_H
#define HW_MISC_IVFLAT_STATE_H

#include <libivflat/ivflat.h>

#include "compat.h"
#include "ivflat.h"
#include "qom/object.h"

#define IVFLAT_MAX_LINES 64

/* Own vectors that are polled one by one; beyond, through one descriptor. */
#define IVFLAT_MAX_POLLED 64

OBJECT_DECLARE_SIMPLE_TYPE(IvflatState, IVFLAT_SYSBUS)

/* An own vector that QEMU's main loop polls. */
typedef struct IvflatVector {
    IvflatState *device;
    uint32_t number;
} IvflatVector;

struct IvflatState {
    SysBusDevice parent_obj;

    /* properties */
    CharFrontend chardev;
    char *path;
    uint64_t shmem_size;
    uint32_t vectors;
    uint32_t lines;
    uint32_t revision;
    uint32_t reconnect_ms;
    uint32_t connect_timeout_ms;
    bool interrupts;
    bool require_sealed;
    bool trusted_peers;

    MemoryRegion registers;
    MemoryRegion shmem;
    qemu_irq irq[IVFLAT_MAX_LINES];
    ivflat_device *dev;
    IvflatVector polled[IVFLAT_MAX_POLLED];
    Error *migration_blocker;
    Notifier shutdown;
    bool ending;                 /* QEMU closes chardevs: no news then */
    int polled_fd;               /* by the main loop; -1: none, or not yet */
    bool polling;
    bool vectors_left;           /* some own vector is the library's */
    GHashTable *bound;           /* doorbells that KVM has: fd to notifier */
    int64_t guest_errors_since;  /* ms; when we began to count those below */
    uint32_t guest_errors;
};

/* hooks.c: what the library calls */
void ivflat_fill_hooks(IvflatState *s, ivflat_hooks *hooks);

/* poll.c: what the main loop polls for the device, beside its own vectors */
void ivflat_poll_start(IvflatState *s);
void ivflat_poll_update(IvflatState *s);
void ivflat_poll_stop(IvflatState *s);

/* link.c: to the server, by path or chardev.  Each returns false with errp. */
bool ivflat_link_check(IvflatState *s, Error **errp);
bool ivflat_link_up(IvflatState *s, Error **errp);
void ivflat_link_down(IvflatState *s);
/* The library gave up a link that is a chardev's. */
void ivflat_link_lost(IvflatState *s);

/* describe.c: the texts of -device NAME,help */
void ivflat_describe(ObjectClass *oc);

/* trace.c */
bool ivflat_traces_rings(void);
void ivflat_trace_event(void *opaque, uint32_t event, uint64_t a, uint64_t b,
                        uint64_t c);

/* status.c: read-only properties; the front shows them as its own. */
void ivflat_status_add(ObjectClass *oc);
void ivflat_status_alias(Object *obj, Object *device);

#endif
