/* SPDX-License-Identifier: BSD-3-Clause */
/* The handshake as a function: (state, number, descriptor) -> one event, or an error that says why.
 * Owns no descriptor: an event hands the message's on, and after an error it is still the caller's. */
#ifndef IVF_SESSION_H
#define IVF_SESSION_H

#include <stdint.h>

/* Where the session is: named for the message that it waits for. */
enum ivf_session_state {
    IVF_SESSION_VERSION, /* P3 */
    IVF_SESSION_ID,      /* P4 */
    IVF_SESSION_MEMORY,  /* P5 */
    IVF_SESSION_PEERS    /* P6..P11, until the end */
};

enum ivf_event_kind {
    IVF_EVENT_VERSION, /* the greeting has begun */
    IVF_EVENT_ID,      /* id: ours */
    IVF_EVENT_MEMORY,  /* fd: the shared memory.  id and memory are there: READY */
    IVF_EVENT_VECTOR,  /* id, fd: the next vector of a peer, or of ours */
    IVF_EVENT_LEAVE    /* id: that peer left, announced or not */
};

struct ivf_session {
    enum ivf_session_state state;
    uint32_t messages; /* whole ones so far, for the sentences */
    int32_t id;        /* ours, or -1 */
};

struct ivf_event {
    enum ivf_event_kind kind;
    uint32_t id;
    int fd;
};

void ivf_session_begin(struct ivf_session *session);

/* One message: @fd is its descriptor, or one of IVF_FD_... (wire.h).  0 with @event filled, or IVFLAT_ERR_PROTOCOL:
 * then the session is over. */
int32_t ivf_session_step(struct ivf_session *session, int64_t number, int fd, struct ivf_event *event);

/* The sentence for an end of file, with @bytes of a message there: IVFLAT_ERR_CLOSED.  (P17) */
int32_t ivf_session_closed(const struct ivf_session *session, uint32_t bytes);

#endif
