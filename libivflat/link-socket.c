/* SPDX-License-Identifier: BSD-3-Clause */
/* Way 1: the library has the socket. */
#include "error.h"
#include "hooks.h"
#include "link.h"

#include <errno.h>
#include <string.h>

#define QUEUE_FULL_RETRY_MS 10
#define SHARE               64 /* pieces taken in one dispatch: a server that never stops holds up nobody */

/* One piece: 1 when there may be more, 0 when there is none, or the error that ended the link. */
static int32_t receive_piece(ivflat_device *dev)
{
    uint8_t bytes[IVF_WIRE_SIZE];
    struct ivf_received received;
    int count = ivf_fd_receive(dev->link.sock, bytes, ivf_wire_wants(&dev->link.wire), &received);
    int32_t result;

    if (count == -EAGAIN) {
        return 0;
    }
    if (count == 0 || count == -ECONNRESET || count == -EPIPE) {
        return ivf_link_ended(dev);
    }
    if (count < 0) {
        return ivf_link_down(dev, ivf_fail_errno(-count, "cannot read from the server"));
    }
    for (uint32_t i = 0; i < received.fd_count; i++) {
        ivf_link_latch(dev, received.fds[i]);
    }
    if (received.lost) {
        ivf_link_latch(dev, IVF_FD_LOST);
    }
    result = ivf_link_take_bytes(dev, bytes, (uint32_t)count);
    return result < 0 ? result : 1;
}

int32_t ivf_link_serve(ivflat_device *dev)
{
    int32_t result = 1;

    for (int i = 0; i < SHARE && result > 0 && dev->link.sock >= 0; i++) {
        result = receive_piece(dev);
    }
    return result < 0 ? result : 0;
}

/* A socket that is connected: given.  0, or -errno. */
static int take_socket(ivflat_device *dev, int fd)
{
    int result = ivf_fd_watch(dev->epoll, fd, IVF_TAG_SOCKET);

    if (result < 0) {
        ivf_fd_close(fd);
        return result;
    }
    dev->link.sock = fd;
    dev->link.retry = 0;
    if (dev->link.state != IVFLAT_LINK_GREETING) {
        ivf_link_greeting(dev, IVF_WAY_SOCKET);
    } else {
        ivf_link_arm(dev);
    }
    return 0;
}

/* P23: a full queue is no error. */
static int32_t queue_full(ivflat_device *dev)
{
    dev->link.retry = ivf_fd_now() + QUEUE_FULL_RETRY_MS;
    if (dev->link.state != IVFLAT_LINK_GREETING) {
        ivf_link_greeting(dev, IVF_WAY_SOCKET);
    }
    ivf_link_arm(dev);
    return 0;
}

/* What waiting does not mend: at the first try it is for the caller to know. */
static bool is_mistake(int err)
{
    return err == EACCES || err == EPERM || err == ENOTDIR || err == ELOOP || err == EPROTOTYPE;
}

/* Nobody listens.  With reconnecting set up that is no error of the first call, nor of a later try. */
static int32_t refused(ivflat_device *dev, int err, bool again)
{
    struct ivf_link *link = &dev->link;
    int32_t error = ivf_fail_errno(err, "cannot connect to the server at %s", link->path);

    if (link->state == IVFLAT_LINK_GREETING) {
        return ivf_link_down(dev, error);
    }
    if (!dev->config.reconnect_ms || (!again && is_mistake(err))) {
        link->path[0] = '\0';
        return error;
    }
    if (ivf_link_first_in_outage(link, error)) {
        ivf_log(dev, IVFLAT_LOG_WARNING, "%s; trying again every %u ms", ivflat_last_error(), dev->config.reconnect_ms);
    }
    link->retry = ivf_fd_now() + dev->config.reconnect_ms;
    ivf_link_arm(dev);
    return 0;
}

int32_t ivf_link_connect(ivflat_device *dev, bool again)
{
    int fd = ivf_fd_connect(dev->link.path);
    int result = fd < 0 ? fd : take_socket(dev, fd);

    if (result == -EAGAIN) {
        return queue_full(dev);
    }
    return result < 0 ? refused(dev, -result, again) : 0;
}

int32_t ivflat_device_connect(ivflat_device *dev, const char *path)
{
    int32_t result = ivf_device_enter(dev, "ivflat_device_connect");

    if (result == 0) {
        result = ivf_link_must_be_down(dev);
    }
    if (result == 0) {
        result = ivf_fd_check_path(path);
    }
    if (result < 0) {
        return result;
    }
    memcpy(dev->link.path, path, strlen(path) + 1);
    dev->link.retry = 0;
    dev->link.outage_told = 0;
    return ivf_link_connect(dev, false);
}

int32_t ivflat_device_adopt(ivflat_device *dev, int32_t socket_fd)
{
    int32_t result = ivf_device_enter(dev, "ivflat_device_adopt");
    int checked;

    if (result == 0) {
        result = ivf_link_must_be_down(dev);
    }
    if (result < 0) {
        ivf_fd_close(socket_fd);
        return result;
    }
    checked = ivf_fd_check_socket(socket_fd);
    if (checked < 0) {
        ivf_fd_close(socket_fd);
        return ivf_fail(IVFLAT_ERR_INVALID, "descriptor %d is no connected UNIX stream socket: %s", socket_fd,
                        strerror(-checked));
    }
    dev->link.path[0] = '\0';
    dev->link.retry = 0;
    ivf_link_arm(dev);
    checked = take_socket(dev, socket_fd);
    return checked < 0 ? ivf_fail_errno(-checked, "cannot wait on the server's socket") : 0;
}

static int32_t not_yet(const ivflat_device *dev, const char *why)
{
    return ivf_fail(IVFLAT_ERR_TIMEOUT, "the server's greeting is not done yet, and %s; %s", why,
                    dev->link.state == IVFLAT_LINK_DOWN ? "nobody listens there so far" : "it goes on");
}

/* Waits once, for what is left until @end (-1: no end).  The time is up also for who always has something to dispatch: a
 * peer that never stops ringing must not hold us here. */
static int32_t greet_step(ivflat_device *dev, int64_t end)
{
    int64_t left = end < 0 ? -1 : end - ivf_fd_now();
    int32_t result = ivflat_device_run(dev, end >= 0 && left < 0 ? 0 : (int32_t)left);

    if (result < 0 || dev->link.state == IVFLAT_LINK_READY) {
        return result < 0 ? result : 0;
    }
    if (dev->woken) {
        return not_yet(dev, "somebody woke us");
    }
    return end >= 0 && ivf_fd_now() >= end ? not_yet(dev, "the time is up") : 0;
}

int32_t ivflat_device_greet(ivflat_device *dev, int32_t timeout_ms)
{
    int32_t result = ivf_device_enter(dev, "ivflat_device_greet");
    int64_t end = timeout_ms < 0 ? -1 : ivf_fd_now() + timeout_ms;

    while (result == 0 && dev->link.state != IVFLAT_LINK_READY) {
        if (dev->link.way == IVF_WAY_FED || (dev->link.state == IVFLAT_LINK_DOWN && !dev->link.retry)) {
            return ivf_fail(IVFLAT_ERR_INVALID,
                            "there is no greeting to wait for: connect first (with a socket of your "
                            "own, feed it)");
        }
        result = greet_step(dev, end);
    }
    return result;
}
