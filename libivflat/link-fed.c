/* SPDX-License-Identifier: BSD-3-Clause */
/* Way 2: the embedder has the socket, and feeds what it gives. */
#include "error.h"
#include "link.h"

int32_t ivflat_device_begin(ivflat_device *dev)
{
    int32_t result = ivf_device_enter(dev, "ivflat_device_begin");

    if (result == 0) {
        result = ivf_link_must_be_down(dev);
    }
    if (result == 0) {
        dev->link.path[0] = '\0';
        dev->link.retry = 0;
        ivf_link_greeting(dev, IVF_WAY_FED);
    }
    return result;
}

uint32_t ivflat_device_wants(const ivflat_device *dev)
{
    return dev && dev->link.way == IVF_WAY_FED ? ivf_wire_wants(&dev->link.wire) : 0;
}

/* What can be fed now; else the sentence.  A stream that lost bytes cannot be followed: the link ends. */
static int32_t check_feed(ivflat_device *dev, const uint8_t *bytes, uint32_t count, const int32_t *fds,
                          uint32_t fd_count)
{
    int32_t result = ivf_device_enter(dev, "ivflat_device_feed");

    if (result < 0) {
        return result;
    }
    if (dev->link.way != IVF_WAY_FED) {
        return ivf_fail(IVFLAT_ERR_INVALID, "nothing was begun that could be fed: call ivflat_device_begin()");
    }
    if ((count && !bytes) || (fd_count && !fds)) {
        return ivf_link_down(
            dev, ivf_fail(IVFLAT_ERR_INVALID, "bytes or descriptors were fed with NULL for where they are"));
    }
    if (count > ivf_wire_wants(&dev->link.wire)) {
        return ivf_link_down(dev, ivf_fail(IVFLAT_ERR_INVALID,
                                           "%u bytes were fed where the message lacks %u: read no more than "
                                           "ivflat_device_wants() at once",
                                           count, ivf_wire_wants(&dev->link.wire)));
    }
    return 0;
}

int32_t ivflat_device_feed(ivflat_device *dev, const uint8_t *bytes, uint32_t count, const int32_t *fds,
                           uint32_t fd_count)
{
    int32_t result = check_feed(dev, bytes, count, fds, fd_count);

    for (uint32_t i = 0; fds && i < fd_count; i++) {
        if (result == 0) {
            ivf_link_latch(dev, fds[i]);
        } else {
            ivf_fd_close_foreign(fds[i]);
        }
    }
    return result == 0 && count ? ivf_link_take_bytes(dev, bytes, count) : result;
}

void ivflat_device_end(ivflat_device *dev)
{
    /* Often from link_changed(): who hears that the link is down closes the socket, and is told of its end. */
    if (dev && dev->link.way == IVF_WAY_FED && ivf_device_may(dev, "ivflat_device_end")) {
        ivf_link_ended(dev);
    }
}
