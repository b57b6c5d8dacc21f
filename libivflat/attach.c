/* SPDX-License-Identifier: BSD-3-Clause */
#include "attach.h"

#include "error.h"
#include "hooks.h"

static void warn_unsealed(ivflat_device *dev)
{
    if (!dev->unsealed_told) {
        dev->unsealed_told = true;
        ivf_log(dev, IVFLAT_LOG_WARNING,
                "the shared memory is not sealed against shrinking: a peer that shrinks it ends "
                "this process by SIGBUS; a sealed memfd as the server's memory prevents that");
    }
}

/* Over the address that the embedder knows, or for the first time. */
static int32_t put_in_place(ivflat_device *dev, struct ivf_region *fresh, int fd)
{
    if (dev->region.address) {
        return ivf_region_move(&dev->region, fresh, fd);
    }
    dev->region = *fresh;
    return 0;
}

/* The embedder is asked when everything else has been found good. */
static int32_t map_and_ask(ivflat_device *dev, int fd, uint64_t size)
{
    struct ivf_region fresh = {0};
    int32_t result = dev->config.no_mapping ? 0 : ivf_region_map(&fresh, fd, size);

    if (result == 0 && ivf_ask_memory(dev, fd, size) != 0) {
        result = ivf_fail(IVFLAT_ERR_REFUSED, "the shared memory was refused by memory_attached()");
        ivf_region_unmap(&fresh);
    }
    return result == 0 && !dev->config.no_mapping ? put_in_place(dev, &fresh, fd) : result;
}

int32_t ivf_attach_memory(ivflat_device *dev, int fd)
{
    uint64_t size = 0;
    bool sealed = false;
    int32_t result = ivf_region_check(fd, dev->memory_size, dev->config.require_sealed, &size, &sealed);

    if (result == 0) {
        result = map_and_ask(dev, fd, size);
    }
    ivf_fd_close_foreign(fd);
    if (result < 0) {
        return result;
    }
    dev->memory_size = size;
    ivf_trace(dev, IVFLAT_TRACE_MEMORY, size, sealed, 0);
    if (!sealed) {
        warn_unsealed(dev);
    }
    return 0;
}
