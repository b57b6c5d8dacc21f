/* SPDX-License-Identifier: BSD-3-Clause */
#include "guest.h"

#include "hooks.h"

#include <inttypes.h>

/* A line that starts a DMA engine which moves the line again, and so on without end, shall not eat the stack. */
#define LINE_ROUNDS 16
#define LINE_UNTOLD 2u

void ivf_guest_update_line(ivflat_device *dev)
{
    if (dev->line_telling) {
        return; /* line() came back through a register: whoever called it looks again */
    }
    dev->line_telling = true;
    for (int i = 0; i < LINE_ROUNDS && ivf_regs_line(&dev->regs) != dev->line; i++) {
        dev->line = ivf_regs_line(&dev->regs);
        ivf_tell_line(dev, dev->line);
    }
    dev->line_telling = false;
}

static __attribute__((cold)) void bad_access(ivflat_device *dev, const char *what, uint64_t offset, uint32_t width,
                                             uint64_t is_write)
{
    dev->counters[IVFLAT_COUNT_BAD_ACCESSES]++;
    ivf_trace(dev, IVFLAT_TRACE_BAD_ACCESS, offset, width, is_write);
    ivf_tell_guest_error(dev,
                         "guest %s %" PRIu32 " bytes at 0x%" PRIx64 ": only aligned 4-byte accesses at 0x0..0xc "
                         "count",
                         what, width, offset);
}

/* R7: nothing happens, and it is traced.  @missing: IVFLAT_TRACE_RING_... */
static __attribute__((noinline, cold)) void ignored(ivflat_device *dev, uint32_t missing, uint32_t value,
                                                    uint64_t detail)
{
    uint32_t id = value >> 16, vector = value & 0xffff;

    dev->counters[IVFLAT_COUNT_RINGS_IGNORED]++;
    ivf_trace(dev, missing, id, vector, detail);
    ivf_tell_guest_error(dev, "guest rang vector %" PRIu32 " of peer %" PRIu32 ": %s", vector, id,
                         missing == IVFLAT_TRACE_RING_NO_PEER     ? "no such peer"
                         : missing == IVFLAT_TRACE_RING_NO_VECTOR ? "it has not that many vectors"
                                                                  : "that vector is broken");
}

/* Apart, so that a doorbell that nobody traces pays nothing for it. */
static __attribute__((noinline, cold)) void trace_ring(ivflat_device *dev, uint32_t value)
{
    ivf_trace(dev, IVFLAT_TRACE_RING, value >> 16, value & 0xffff, 0);
}

/* R6, R7.  R9: ringing takes a lock in the kernel, and serving the ring takes it too, so what was written to the memory
 * before is seen after.  Out of line, as are the ways that are seldom gone: what is called here is counted
 * (tests/bench). */
static __attribute__((noinline)) void ring(ivflat_device *dev, uint32_t value)
{
    uint32_t number = value & 0xffff;
    const struct ivf_peer *peer = ivf_peers_get(&dev->peers, value >> 16);
    const struct ivf_vector *vector;
    int result;

    if (!peer) {
        ignored(dev, IVFLAT_TRACE_RING_NO_PEER, value, 0);
        return;
    }
    if (number >= peer->count) {
        ignored(dev, IVFLAT_TRACE_RING_NO_VECTOR, value, peer->count);
        return;
    }
    vector = &peer->vectors[number];
    result = ivf_notify_ring(&dev->notifier, (int)vector->fd, vector->kind);
    if (result < 0) {
        ignored(dev, IVFLAT_TRACE_RING_FAILED, value, (uint64_t)-result);
        return;
    }
    dev->counters[IVFLAT_COUNT_RINGS_SENT]++;
    if (dev->hooks.trace) {
        trace_ring(dev, value);
    }
}

/* R5. */
static uint32_t position(const ivflat_device *dev)
{
    return dev->config.no_interrupts ? 0 : (uint32_t)dev->id;
}

uint32_t ivflat_device_read(ivflat_device *dev, uint64_t offset, uint32_t width)
{
    uint32_t value;

    if (!dev) {
        return 0;
    }
    if (!ivf_regs_valid(offset, width)) {
        bad_access(dev, "read", offset, width, 0);
        return 0;
    }
    value = ivf_regs_read(&dev->regs, offset, width, position(dev));
    ivf_trace(dev, IVFLAT_TRACE_READ, offset, width, value);
    ivf_guest_update_line(dev);
    return value;
}

/* A write that is no doorbell. */
static __attribute__((noinline)) void store(ivflat_device *dev, uint64_t offset, uint32_t width, uint32_t value)
{
    switch (ivf_regs_store(&dev->regs, offset, width, value)) {
    case IVF_ACTION_INVALID:
        bad_access(dev, "wrote", offset, width, 1);
        break;
    default:
        ivf_guest_update_line(dev);
        break;
    }
}

static inline void write_register(ivflat_device *dev, uint64_t offset, uint32_t width, uint32_t value)
{
    if (ivf_regs_is_doorbell(offset, width)) {
        ring(dev, value);
    } else {
        store(dev, offset, width, value);
    }
}

/* Apart, so that a doorbell that nobody traces pays nothing for it. */
static __attribute__((noinline, cold)) void trace_and_write(ivflat_device *dev, uint64_t offset, uint32_t width,
                                                            uint64_t value)
{
    ivf_trace(dev, IVFLAT_TRACE_WRITE, offset, width, value);
    write_register(dev, offset, width, (uint32_t)value);
}

void ivflat_device_write(ivflat_device *dev, uint64_t offset, uint32_t width, uint64_t value)
{
    if (!dev) {
        return;
    }
    if (dev->hooks.trace) {
        trace_and_write(dev, offset, width, value);
    } else {
        write_register(dev, offset, width, (uint32_t)value);
    }
}

/* What a hook has to be told of, or a pipe's careful ways, is not for here. */
int32_t ivflat_device_doorbell(ivflat_device *dev, uint32_t value)
{
    struct ivf_ringer ringer;
    struct ivf_vector vector;
    bool rung;

    if (!dev) {
        return 0;
    }
    ringer = ivf_ringers_enter(&dev->ringers);
    vector = ivf_peers_find(&dev->peers, value >> 16, value & 0xffff);
    rung = vector.kind == IVF_NOTIFY_EVENTFD && ivf_notify_ring_apart(&dev->notifier, (int)vector.fd) == 0;
    ivf_ringers_leave(ringer, rung);
    return rung;
}

void ivflat_device_reset(ivflat_device *dev)
{
    if (!ivf_device_may(dev, "ivflat_device_reset")) {
        return;
    }
    ivf_regs_reset(&dev->regs);
    ivf_trace(dev, IVFLAT_TRACE_RESET, 0, 0, 0);
    if (dev->regs.revision0) {
        dev->line = LINE_UNTOLD; /* said whether it moved or not */
        ivf_guest_update_line(dev);
    }
}

void ivflat_device_get_state(const ivflat_device *dev, uint32_t *intrmask, uint32_t *intrstatus)
{
    if (intrmask) {
        *intrmask = dev ? dev->regs.mask : 0;
    }
    if (intrstatus) {
        *intrstatus = dev ? dev->regs.status : 0;
    }
}

void ivflat_device_set_state(ivflat_device *dev, uint32_t intrmask, uint32_t intrstatus)
{
    if (!ivf_device_may(dev, "ivflat_device_set_state")) {
        return;
    }
    /* As a guest's own stores: reserved in revision 1, bit 0 in revision 0. */
    ivf_regs_write(&dev->regs, IVFLAT_REG_INTRMASK, 4, intrmask);
    ivf_regs_write(&dev->regs, IVFLAT_REG_INTRSTATUS, 4, intrstatus);
    ivf_guest_update_line(dev);
}
