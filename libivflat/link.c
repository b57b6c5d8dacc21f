/* SPDX-License-Identifier: BSD-3-Clause */
#include "link.h"

#include "attach.h"
#include "error.h"
#include "hooks.h"
#include "vectors.h"

#include <stdio.h>
#include <string.h>

#define GREETING_TIMEOUT_MS 5000u
#define GRACE_MS            100

void ivf_link_init(struct ivf_link *link)
{
    memset(link, 0, sizeof(*link));
    link->sock = -1;
    ivf_wire_begin(&link->wire);
    ivf_session_begin(&link->session);
}

/* Time: one timer for whichever comes first. */

void ivf_link_arm(ivflat_device *dev)
{
    int64_t deadline = dev->link.deadline, retry = dev->link.retry;

    ivf_fd_timer_set(dev->timer, !deadline || (retry && retry < deadline) ? retry : deadline);
}

static uint32_t timeout_of(const ivflat_device *dev)
{
    return dev->config.greeting_timeout_ms ? dev->config.greeting_timeout_ms : GREETING_TIMEOUT_MS;
}

/* Down and up. */

static void close_socket(ivflat_device *dev)
{
    struct ivf_link *link = &dev->link;

    if (link->sock >= 0) {
        ivf_fd_unwatch(dev->epoll, link->sock);
        ivf_fd_close_stream(link->sock);
        link->sock = -1;
    }
    ivf_fd_close_foreign(link->wire.fd);
    ivf_wire_begin(&link->wire);
}

bool ivf_link_first_in_outage(struct ivf_link *link, int32_t error)
{
    uint32_t bit = 1u << -error;
    bool first = !(link->outage_told & bit);

    link->outage_told |= bit;
    return first;
}

/* A server that greets wrongly, each time that we come back, has one line for each way of being wrong. */
static void log_loss(ivflat_device *dev, uint32_t was, int32_t error, const char *sentence)
{
    struct ivf_link *link = &dev->link;

    if (was != IVFLAT_LINK_GREETING) {
        link->outage_told = 0;
    }
    if (was != IVFLAT_LINK_GREETING || ivf_link_first_in_outage(link, error)) {
        ivf_log(dev, link->retry ? IVFLAT_LOG_WARNING : IVFLAT_LOG_ERROR, "%s", sentence);
    }
}

int32_t ivf_link_down(ivflat_device *dev, int32_t error)
{
    struct ivf_link *link = &dev->link;
    uint32_t was = link->state;
    char sentence[512];

    snprintf(sentence, sizeof(sentence), "%s", ivflat_last_error());
    close_socket(dev);
    link->state = IVFLAT_LINK_DOWN;
    link->way = IVF_WAY_NONE;
    link->deadline = 0;
    link->retry = error && link->path[0] && dev->config.reconnect_ms ? ivf_fd_now() + dev->config.reconnect_ms : 0;
    ivf_link_arm(dev);
    if (error) {
        dev->counters[IVFLAT_COUNT_LINK_LOSSES]++;
        log_loss(dev, was, error, sentence);
    }
    ivf_tell_link(dev, error);
    return error ? ivf_fail(error, "%s", sentence) : 0;
}

void ivf_link_greeting(ivflat_device *dev, enum ivf_way way)
{
    struct ivf_link *link = &dev->link;

    link->state = IVFLAT_LINK_GREETING;
    link->way = way;
    link->deadline = ivf_fd_now() + timeout_of(dev);
    link->grace = false;
    ivf_session_begin(&link->session);
    ivf_wire_begin(&link->wire);
    ivf_link_arm(dev);
    ivf_tell_link(dev, 0);
}

/* Who is there now has nothing to do with who was: the old peers go when the new are all that can be found. */
static void step_over(ivflat_device *dev, struct ivf_peers *fresh)
{
    struct ivf_peers before = dev->peers;
    int32_t id_before = dev->id;

    ivf_peers_exchange(&dev->peers, fresh);
    dev->id = dev->link.session.id;
    dev->link.state = IVFLAT_LINK_READY;
    if (before.by_id != fresh->by_id) {
        ivf_vectors_forget_all(dev, &before, id_before);
        ivf_peers_fini(&before);
    }
}

/* P5, P18: the one step in which id, memory, peers and vectors change.  @fd is given. */
static int32_t ready(ivflat_device *dev, int fd)
{
    struct ivf_peers fresh = dev->peers; /* nobody to forget: the table serves */
    int32_t result;

    if (dev->peers.count && !ivf_peers_init(&fresh, &dev->ringers)) {
        ivf_fd_close_foreign(fd);
        return ivf_fail(IVFLAT_ERR_NOMEM, "no memory for the table of peers");
    }
    result = ivf_attach_memory(dev, fd);
    if (result < 0) {
        if (fresh.by_id != dev->peers.by_id) {
            ivf_peers_fini(&fresh);
        }
        return result;
    }
    step_over(dev, &fresh);
    dev->link.deadline = 0;
    dev->link.outage_told = 0;
    dev->unusable_told = false;
    ivf_link_arm(dev);
    ivf_tell_link(dev, 0);
    return 0;
}

/* Messages. */

static int32_t happened(ivflat_device *dev, const struct ivf_event *event)
{
    switch (event->kind) {
    case IVF_EVENT_MEMORY:
        return ready(dev, event->fd);
    case IVF_EVENT_VECTOR:
        return ivf_vectors_add(dev, event->id, event->fd);
    case IVF_EVENT_LEAVE:
        ivf_vectors_leave(dev, event->id);
        return 0;
    case IVF_EVENT_VERSION:
    case IVF_EVENT_ID:
        break;
    }
    return 0;
}

static int32_t whole_message(ivflat_device *dev)
{
    struct ivf_wire *wire = &dev->link.wire;
    int64_t number = ivf_wire_number(wire);
    int fd = wire->fd;
    struct ivf_event event;
    int32_t result;

    ivf_wire_begin(wire);
    dev->counters[IVFLAT_COUNT_MESSAGES]++;
    ivf_trace(dev, IVFLAT_TRACE_MESSAGE, (uint64_t)number, fd >= 0, 0);
    result = ivf_session_step(&dev->link.session, number, fd, &event);
    if (result < 0) {
        ivf_fd_close_foreign(fd);
    } else {
        result = happened(dev, &event);
    }
    return result < 0 ? ivf_link_down(dev, result) : 0;
}

void ivf_link_latch(ivflat_device *dev, int fd)
{
    int surplus[2];
    uint32_t count = ivf_wire_latch(&dev->link.wire, fd, surplus);

    while (count > 0) {
        ivf_fd_close_foreign(surplus[--count]);
    }
}

int32_t ivf_link_take_bytes(ivflat_device *dev, const uint8_t *bytes, uint32_t count)
{
    return ivf_wire_add(&dev->link.wire, bytes, count) ? whole_message(dev) : 0;
}

int32_t ivf_link_ended(ivflat_device *dev)
{
    return ivf_link_down(dev, ivf_session_closed(&dev->link.session, dev->link.wire.have));
}

static int32_t timed_out(ivflat_device *dev)
{
    static const char *const missing[] = {"its queue never had room", "the version never came", "our id never came",
                                          "the shared memory never came"};
    const struct ivf_link *link = &dev->link;
    bool queued = link->way == IVF_WAY_SOCKET && link->sock < 0;

    return ivf_link_down(dev, ivf_fail(IVFLAT_ERR_TIMEOUT, "the server's greeting was not done in %u ms: %s",
                                       timeout_of(dev), missing[queued ? 0 : link->session.state + 1]));
}

/* A program that was stopped for a while finds the time up and the greeting there: it is looked at first.  What is to be
 * fed (way 2) comes right after us. */
static int32_t deadline_passed(ivflat_device *dev, int64_t now)
{
    struct ivf_link *link = &dev->link;
    int32_t result = link->sock < 0 ? 0 : ivf_link_serve(dev);

    if (result < 0 || link->state != IVFLAT_LINK_GREETING) {
        return result;
    }
    if (link->way == IVF_WAY_FED && !link->grace) {
        link->grace = true;
        link->deadline = now + GRACE_MS;
        ivf_link_arm(dev);
        return 0;
    }
    return timed_out(dev);
}

int32_t ivf_link_timer(ivflat_device *dev)
{
    struct ivf_link *link = &dev->link;
    int64_t now = ivf_fd_now();

    ivf_link_arm(dev); /* also takes back that the timer ran */
    if (link->deadline && now >= link->deadline) {
        return deadline_passed(dev, now);
    }
    if (link->retry && now >= link->retry) {
        link->retry = 0;
        return ivf_link_connect(dev, true);
    }
    return 0;
}

/* Leaving. */

int32_t ivf_link_must_be_down(const ivflat_device *dev)
{
    if (dev->link.state == IVFLAT_LINK_DOWN) {
        return 0;
    }
    return ivf_fail(IVFLAT_ERR_INVALID, "the link is up: disconnect it before another one");
}

void ivf_link_leave(ivflat_device *dev)
{
    dev->link.path[0] = '\0';
    dev->link.retry = 0;
    if (dev->link.state != IVFLAT_LINK_DOWN) {
        ivf_link_down(dev, 0);
    }
    ivf_link_arm(dev);
    ivf_vectors_forget_all(dev, &dev->peers, dev->id);
}
