/*
 * The library's events as QEMU's
 *
 * Those of the device that QEMU has since 10.0 keep their names and arguments.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include <libivflat/ivflat-trace.h>
#include "state.h"
#include "trace/trace-hw_misc.h"

static const char *ivflat_link_name(uint64_t link)
{
    return link == IVFLAT_LINK_READY ? "ready"
           : link == IVFLAT_LINK_GREETING ? "greeting" : "down";
}

static void ivflat_trace_link(IvflatState *s, uint64_t link, int error)
{
    trace_ivflat_link(ivflat_link_name(link), error);
    if (link == IVFLAT_LINK_READY) {
        trace_ivshmem_flat_proto_ver_own_id(0, ivflat_device_id(s->dev));
    }
}

static void ivflat_trace_vector(IvflatState *s, uint16_t id, uint16_t vector,
                                int fd)
{
    if (vector == 0 && id != ivflat_device_id(s->dev)) {
        trace_ivshmem_flat_new_peer(id);
    }
    trace_ivshmem_flat_add_vector_success(vector, fd, id);
}

/* The library has closed the descriptor already. */
static void ivflat_trace_refused(uint16_t id, uint32_t vector)
{
    trace_ivshmem_flat_add_vector_failure(vector, UINT32_MAX, id);
    trace_ivflat_vector_refused(id, vector);
}

static void ivflat_trace_read(uint64_t offset, unsigned width, uint32_t value)
{
    if (offset == IVFLAT_REG_DOORBELL) {
        trace_ivshmem_flat_read_mmr_doorbell();
    }
    trace_ivshmem_flat_read_mmr(offset);
    trace_ivflat_read(offset, width, value);
}

static void ivflat_trace_write(uint64_t offset, unsigned width, uint32_t value)
{
    trace_ivshmem_flat_write_mmr(offset);
    trace_ivflat_write(offset, width, value);
}

static void ivflat_trace_bad_access(uint64_t offset, unsigned width, bool write)
{
    trace_ivshmem_flat_read_write_mmr_invalid(offset);
    trace_ivflat_bad_access(offset, width, write ? "write" : "read");
}

/* Whether somebody has switched on what a ring shows. */
bool ivflat_traces_rings(void)
{
    return trace_event_get_state_backends(TRACE_IVSHMEM_FLAT_WRITE_MMR) ||
           trace_event_get_state_backends(TRACE_IVSHMEM_FLAT_INTERRUPT_PEER) ||
           trace_event_get_state_backends(TRACE_IVFLAT_WRITE);
}

void ivflat_trace_event(void *opaque, uint32_t event, uint64_t a, uint64_t b,
                        uint64_t c)
{
    switch (event) {
    case IVFLAT_TRACE_LINK:
        ivflat_trace_link(opaque, a, b);
        break;
    case IVFLAT_TRACE_MESSAGE:
        trace_ivflat_message(a, b ? "with" : "without");
        break;
    case IVFLAT_TRACE_MEMORY:
        trace_ivflat_memory(a, b ? "cannot" : "can");
        break;
    case IVFLAT_TRACE_VECTOR_ADDED:
        ivflat_trace_vector(opaque, a, b, c);
        break;
    case IVFLAT_TRACE_VECTOR_REFUSED:
        ivflat_trace_refused(a, b);
        break;
    case IVFLAT_TRACE_PEER_LEFT:
        trace_ivflat_peer_left(a, b);
        break;
    case IVFLAT_TRACE_READ:
        ivflat_trace_read(a, b, c);
        break;
    case IVFLAT_TRACE_WRITE:
        ivflat_trace_write(a, b, c);
        break;
    case IVFLAT_TRACE_BAD_ACCESS:
        ivflat_trace_bad_access(a, b, c);
        break;
    case IVFLAT_TRACE_RING:
        trace_ivshmem_flat_interrupt_peer(a, b);
        break;
    case IVFLAT_TRACE_RING_NO_PEER:
        trace_ivshmem_flat_interrupt_peer(a, b);
        trace_ivshmem_flat_interrupt_invalid_peer(a);
        break;
    case IVFLAT_TRACE_RING_NO_VECTOR:
        trace_ivshmem_flat_interrupt_peer(a, b);
        trace_ivflat_ring_no_vector(a, b, c);
        break;
    case IVFLAT_TRACE_RING_FAILED:
        trace_ivshmem_flat_interrupt_peer(a, b);
        trace_ivflat_ring_failed(a, b, c);
        break;
    case IVFLAT_TRACE_INTERRUPT:
        trace_ivshmem_flat_irq_handler(a);
        trace_ivflat_interrupt(a, b);
        break;
    case IVFLAT_TRACE_RESET:
        trace_ivflat_reset();
        break;
    default:
        break;
    }
}
