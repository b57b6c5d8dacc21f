/*
 * What the library calls: interrupts, lines of text, KVM's short way
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/error-report.h"
#include "qemu/event_notifier.h"
#include "qemu/log.h"
#include "qemu/madvise.h"
#include "qemu/main-loop.h"
#include "qemu/timer.h"
#include "state.h"
#include "trace/trace-hw_misc.h"

/*
 * KVM searches a list of these at each write, which in the end takes longer
 * than leaving the guest; a doorbell beyond the bound leaves it, and is rung
 * by us.
 */
#define MAX_BOUND 256

/* A guest can cause any number of lines: so many a second are shown. */
#define GUEST_ERRORS_A_SECOND 16

/* Vectors beyond the lines share the last one. */
static void ivflat_on_interrupt(void *opaque, uint32_t vector, uint64_t count)
{
    IvflatState *s = opaque;

    qemu_irq_pulse(s->irq[MIN(vector, s->lines - 1)]);
}

/*
 * The main loop looks at many descriptors anyway: a vector that it polls
 * itself costs a system call less than one behind the library's descriptor.
 */
static void ivflat_serve(void *opaque)
{
    IvflatVector *vector = opaque;

    ivflat_device_serve(vector->device->dev, vector->number);
}

static int32_t ivflat_on_vector_added(void *opaque, uint32_t vector, int32_t fd)
{
    IvflatState *s = opaque;

    if (vector >= IVFLAT_MAX_POLLED) {
        s->vectors_left = true;
        ivflat_poll_update(s);
        return 0;
    }
    s->polled[vector] = (IvflatVector) { .device = s, .number = vector };
    qemu_set_fd_handler(fd, ivflat_serve, NULL, &s->polled[vector]);
    return 1;
}

static void ivflat_on_vector_removed(void *opaque, uint32_t vector, int32_t fd)
{
    qemu_set_fd_handler(fd, NULL, NULL, NULL);
}

static void ivflat_on_line(void *opaque, uint32_t level)
{
    IvflatState *s = opaque;

    qemu_set_irq(s->irq[0], level);
}

static int32_t ivflat_on_memory(void *opaque, int32_t fd, uint64_t size)
{
    trace_ivshmem_flat_shmem_size(fd, size);
    return 0;
}

/*
 * A server's memory that came late, or again, lies over what QEMU has told the
 * kernel of the region: it is told again.
 */
static void ivflat_on_link(void *opaque, uint32_t link, int32_t error)
{
    IvflatState *s = opaque;
    void *memory = ivflat_device_memory(s->dev);
    uint64_t size = ivflat_device_memory_size(s->dev);

    ivflat_poll_update(s);
    if (link != IVFLAT_LINK_READY || !DEVICE(s)->realized) {
        return;
    }
    qemu_madvise(memory, size, QEMU_MADV_HUGEPAGE);
    if (!qtest_enabled()) {
        qemu_madvise(memory, size, QEMU_MADV_DONTFORK);
    }
    if (!machine_dump_guest_core(current_machine)) {
        qemu_madvise(memory, size, QEMU_MADV_DONTDUMP);
    }
}

/* What goes wrong in realize is realize's to say, by its Error. */
static void ivflat_on_log(void *opaque, uint32_t level, const char *text)
{
    IvflatState *s = opaque;

    if (s->ending) {
        return;
    }
    switch (level) {
    case IVFLAT_LOG_ERROR:
        if (DEVICE(s)->realized) {
            error_report("ivflat: %s", text);
        }
        break;
    case IVFLAT_LOG_WARNING:
        warn_report("ivflat: %s", text);
        break;
    case IVFLAT_LOG_INFO:
        info_report("ivflat: %s", text);
        break;
    default:
        break;
    }
}

static void ivflat_on_guest_error(void *opaque, const char *text)
{
    IvflatState *s = opaque;
    int64_t now = qemu_clock_get_ms(QEMU_CLOCK_REALTIME);

    if (!qemu_loglevel_mask(LOG_GUEST_ERROR)) {
        return;
    }
    if (now - s->guest_errors_since >= 1000) {
        s->guest_errors_since = now;
        s->guest_errors = 0;
    }
    s->guest_errors++;
    if (s->guest_errors < GUEST_ERRORS_A_SECOND) {
        qemu_log("ivflat: %s\n", text);
    } else if (s->guest_errors == GUEST_ERRORS_A_SECOND) {
        qemu_log("ivflat: %s; more of this second are not shown\n", text);
    }
}

/* The other kind that comes is a pipe. */
static bool ivflat_is_eventfd(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 && !S_ISFIFO(st.st_mode);
}

/*
 * Under KVM a doorbell can go from the guest to the peer without us.  Under
 * TCG it would gain nothing, and each write would look through the list.
 * QEMU ends when KVM refuses one, and KVM refuses a pipe.
 */
static int32_t ivflat_on_doorbell_added(void *opaque, uint32_t value,
                                        int32_t fd)
{
    IvflatState *s = opaque;
    EventNotifier *doorbell;

    if (!ivflat_kvm_binds() || g_hash_table_size(s->bound) >= MAX_BOUND ||
        !ivflat_is_eventfd(fd)) {
        return 0;
    }
    doorbell = g_new0(EventNotifier, 1);
    event_notifier_init_fd(doorbell, fd);
    g_hash_table_insert(s->bound, GINT_TO_POINTER(fd), doorbell);
    memory_region_add_eventfd(&s->registers, IVFLAT_REG_DOORBELL, 4, true,
                              value, doorbell);
    trace_ivflat_doorbell_bound(value, fd);
    return 1;
}

/* QEMU knows a binding by its notifier's address: so that is kept. */
static void ivflat_on_doorbell_removed(void *opaque, uint32_t value, int32_t fd)
{
    IvflatState *s = opaque;
    EventNotifier *doorbell = g_hash_table_lookup(s->bound,
                                                  GINT_TO_POINTER(fd));

    memory_region_del_eventfd(&s->registers, IVFLAT_REG_DOORBELL, 4, true,
                              value, doorbell);
    g_hash_table_remove(s->bound, GINT_TO_POINTER(fd));
}

void ivflat_fill_hooks(IvflatState *s, ivflat_hooks *hooks)
{
    *hooks = (ivflat_hooks) {
        .struct_size = sizeof(*hooks),
        .user = s,
        .interrupt = ivflat_on_interrupt,
        .line = ivflat_on_line,
        .memory_attached = ivflat_on_memory,
        .link_changed = ivflat_on_link,
        .vector_added = ivflat_on_vector_added,
        .vector_removed = ivflat_on_vector_removed,
        .doorbell_added = ivflat_on_doorbell_added,
        .doorbell_removed = ivflat_on_doorbell_removed,
        .guest_error = ivflat_on_guest_error,
        .log = ivflat_on_log,
        .trace = ivflat_trace_event,
    };
}
