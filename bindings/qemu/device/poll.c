/*
 * What the main loop polls for the device, beside its own vectors
 *
 * The library's one descriptor is always right, and it is an epoll: the loop
 * looks at it before and after each sleep, and that costs more than the
 * socket, for a sleep that a doorbell ends.  So it is polled only while there
 * is something that the socket alone would not show.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "qemu/main-loop.h"
#include "state.h"

static void ivflat_dispatch(void *opaque)
{
    IvflatState *s = opaque;

    if (ivflat_device_dispatch(s->dev) < 0) {
        ivflat_link_lost(s);
    }
}

static int ivflat_fd_to_poll(IvflatState *s)
{
    if (!s->polling) {
        return -1;
    }
    return ivflat_device_link(s->dev) == IVFLAT_LINK_READY && !s->vectors_left
           ? ivflat_device_get_socket(s->dev) : ivflat_device_get_fd(s->dev);
}

void ivflat_poll_update(IvflatState *s)
{
    int fd = ivflat_fd_to_poll(s);

    if (fd == s->polled_fd) {
        return;
    }
    if (s->polled_fd >= 0) {
        qemu_set_fd_handler(s->polled_fd, NULL, NULL, NULL);
    }
    if (fd >= 0) {
        qemu_set_fd_handler(fd, ivflat_dispatch, NULL, s);
    }
    s->polled_fd = fd;
}

void ivflat_poll_start(IvflatState *s)
{
    s->polling = true;
    ivflat_poll_update(s);
}

void ivflat_poll_stop(IvflatState *s)
{
    s->polling = false;
    ivflat_poll_update(s);
}
