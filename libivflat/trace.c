/* SPDX-License-Identifier: BSD-3-Clause */
#include "trace.h"

static const char *const names[IVF_TRACE_LAST + 1] = {
    [IVFLAT_TRACE_LINK] = "link",
    [IVFLAT_TRACE_MESSAGE] = "message",
    [IVFLAT_TRACE_MEMORY] = "memory",
    [IVFLAT_TRACE_VECTOR_ADDED] = "vector_added",
    [IVFLAT_TRACE_VECTOR_REFUSED] = "vector_refused",
    [IVFLAT_TRACE_PEER_LEFT] = "peer_left",
    [IVFLAT_TRACE_READ] = "read",
    [IVFLAT_TRACE_WRITE] = "write",
    [IVFLAT_TRACE_BAD_ACCESS] = "bad_access",
    [IVFLAT_TRACE_RING] = "ring",
    [IVFLAT_TRACE_RING_NO_PEER] = "ring_no_peer",
    [IVFLAT_TRACE_RING_NO_VECTOR] = "ring_no_vector",
    [IVFLAT_TRACE_RING_FAILED] = "ring_failed",
    [IVFLAT_TRACE_INTERRUPT] = "interrupt",
    [IVFLAT_TRACE_RESET] = "reset",
};

const char *ivflat_trace_name(uint32_t event)
{
    return event <= IVF_TRACE_LAST && names[event] ? names[event] : "unknown";
}
