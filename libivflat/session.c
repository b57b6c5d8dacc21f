/* SPDX-License-Identifier: BSD-3-Clause */
/* The rows of docs/protocol.md, "The wire", in their order. */
#include "session.h"

#include "error.h"
#include "wire.h"

#include <inttypes.h>

#define LAST_ID 65535

/* "message 3 (12)": which one a sentence speaks of, and its number. */
#define WHICH     "message %" PRIu32 " (%" PRId64 ")"
#define FAIL(...) ivf_fail(IVFLAT_ERR_PROTOCOL, __VA_ARGS__)

static const char *const waits_for[] = {
    [IVF_SESSION_VERSION] = "the version",
    [IVF_SESSION_ID] = "our id",
    [IVF_SESSION_MEMORY] = "the shared memory",
    [IVF_SESSION_PEERS] = "peers",
};

void ivf_session_begin(struct ivf_session *session)
{
    session->state = IVF_SESSION_VERSION;
    session->messages = 0;
    session->id = -1;
}

/* P3: the version is 0 and comes alone.  Before QEMU 2.5 an id, or -1 with a descriptor, came first. */
static int32_t step_version(struct ivf_session *session, int64_t number, int fd, struct ivf_event *event)
{
    if (number == -1) {
        return FAIL("server sent " WHICH
                    " where the version belongs: a server from before QEMU 2.5 does that, since it "
                    "sends no version; a server of version 0 is needed",
                    session->messages, number);
    }
    if (number != 0) {
        return FAIL("server speaks version %" PRId64 " of the protocol (message %" PRIu32 "), we know version 0 only; "
                    "from a server older than QEMU 2.5, which sends no version, that number would be our id",
                    number, session->messages);
    }
    if (fd >= 0) {
        return FAIL("server sent a descriptor with " WHICH ", the version, which comes alone", session->messages,
                    number);
    }
    session->state = IVF_SESSION_ID;
    event->kind = IVF_EVENT_VERSION;
    return 0;
}

/* P4: our id, 0..65535, alone. */
static int32_t step_id(struct ivf_session *session, int64_t number, int fd, struct ivf_event *event)
{
    if (number < 0) {
        return FAIL("server sent " WHICH
                    " where our id belongs (0..%d): a server from before QEMU 2.5 does that, since it "
                    "sends no version; a server of version 0 is needed",
                    session->messages, number, LAST_ID);
    }
    if (number > LAST_ID) {
        return FAIL("server gave us id %" PRId64 " (message %" PRIu32 "), ids are 0..%d", number, session->messages,
                    LAST_ID);
    }
    if (fd >= 0) {
        return FAIL("server sent a descriptor with " WHICH ", our id, which comes alone", session->messages, number);
    }
    session->id = (int32_t)number;
    session->state = IVF_SESSION_MEMORY;
    event->kind = IVF_EVENT_ID;
    event->id = (uint32_t)number;
    return 0;
}

/* P5: -1 with the shared memory, and nothing else before it. */
static int32_t step_memory(struct ivf_session *session, int64_t number, int fd, struct ivf_event *event)
{
    if (number != -1) {
        return FAIL("server sent " WHICH " where the shared memory belongs (-1 and a descriptor)", session->messages,
                    number);
    }
    if (fd < 0) {
        return FAIL("server sent " WHICH ", the shared memory, without a descriptor", session->messages, number);
    }
    session->state = IVF_SESSION_PEERS;
    event->kind = IVF_EVENT_MEMORY;
    event->fd = fd;
    return 0;
}

/* P6..P12: an id with a descriptor is a vector of it, one without says that it left. */
static int32_t step_peers(struct ivf_session *session, int64_t number, int fd, struct ivf_event *event)
{
    if (number == -1) {
        return FAIL("server sent " WHICH ", the shared memory, a second time", session->messages, number);
    }
    if (number < 0 || number > LAST_ID) {
        return FAIL("server sent " WHICH ", which is no id (0..%d)", session->messages, number, LAST_ID);
    }
    if (fd < 0 && number == session->id) {
        return FAIL("server sent " WHICH ", our own id, without a descriptor: it says that we left", session->messages,
                    number);
    }
    event->kind = fd < 0 ? IVF_EVENT_LEAVE : IVF_EVENT_VECTOR;
    event->id = (uint32_t)number;
    event->fd = fd;
    return 0;
}

int32_t ivf_session_step(struct ivf_session *session, int64_t number, int fd, struct ivf_event *event)
{
    static int32_t (*const step[])(struct ivf_session *, int64_t, int, struct ivf_event *) = {
        [IVF_SESSION_VERSION] = step_version,
        [IVF_SESSION_ID] = step_id,
        [IVF_SESSION_MEMORY] = step_memory,
        [IVF_SESSION_PEERS] = step_peers,
    };

    session->messages++;
    event->fd = IVF_FD_NONE;
    event->id = 0;
    if (fd == IVF_FD_MANY) { /* P13 */
        return FAIL("server sent more than one descriptor with " WHICH, session->messages, number);
    }
    if (fd == IVF_FD_LOST) { /* P14 */
        return FAIL("the descriptor of " WHICH
                    " was lost on its way (MSG_CTRUNC): this process may have no more; raise "
                    "its limit of open files",
                    session->messages, number);
    }
    return step[session->state](session, number, fd, event);
}

/* P17: in the middle of a message, in the greeting, or after it. */
int32_t ivf_session_closed(const struct ivf_session *session, uint32_t bytes)
{
    if (bytes) {
        return ivf_fail(IVFLAT_ERR_CLOSED,
                        "server closed the link in the middle of message %" PRIu32 ", after %" PRIu32
                        " of its %u bytes, while we waited for %s",
                        session->messages + 1, bytes, IVF_WIRE_SIZE, waits_for[session->state]);
    }
    if (session->state != IVF_SESSION_PEERS) {
        return ivf_fail(IVFLAT_ERR_CLOSED,
                        "server closed the link in the greeting, after message %" PRIu32 ", while we waited for %s",
                        session->messages, waits_for[session->state]);
    }
    return ivf_fail(IVFLAT_ERR_CLOSED, "server closed the link after message %" PRIu32, session->messages);
}
