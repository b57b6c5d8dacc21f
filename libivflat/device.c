/* SPDX-License-Identifier: BSD-3-Clause */
#include "device.h"

#include "abi.h"
#include "error.h"
#include "hooks.h"
#include "link.h"
#include "vectors.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_VECTORS 64u
#define SHARE           64 /* events taken in one dispatch */

/* The first release's lengths: nobody was ever compiled against less. */
#define FIRST_CONFIG 48u
#define FIRST_HOOKS  ((uint32_t)(offsetof(ivflat_hooks, interrupt) + 12 * sizeof(void (*)(void))))

int32_t ivf_device_enter(const ivflat_device *dev, const char *call)
{
    if (!dev) {
        return ivf_fail(IVFLAT_ERR_INVALID, "%s() was called with NULL for the device", call);
    }
    if (!dev->in_hook) {
        return 0;
    }
    return ivf_fail(IVFLAT_ERR_BUSY, "%s() was called from inside a hook: call it when the hook has returned", call);
}

bool ivf_device_may(ivflat_device *dev, const char *call)
{
    int32_t result = ivf_device_enter(dev, call);

    if (result == IVFLAT_ERR_BUSY) {
        ivf_log(dev, IVFLAT_LOG_ERROR, "%s() was called from inside a hook, and did nothing", call);
    }
    return result == 0;
}

/* Configuration. */

static int32_t check_flags(const ivflat_config *config)
{
    const struct {
        uint32_t value;
        uint32_t most;
        const char *name;
    } flags[] = {
        {config->no_interrupts, 1, "ivflat_config.no_interrupts"},
        {config->revision0, 1, "ivflat_config.revision0"},
        {config->no_mapping, 1, "ivflat_config.no_mapping"},
        {config->require_sealed, 1, "ivflat_config.require_sealed"},
        {config->trusted_peers, 1, "ivflat_config.trusted_peers"},
        {config->reserved, 0, "ivflat_config.reserved"},
    };
    int32_t result = 0;

    for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]) && result == 0; i++) {
        result = ivf_abi_at_most(flags[i].value, flags[i].most, flags[i].name);
    }
    return result;
}

static int32_t take_config(ivflat_config *ours, const ivflat_config *theirs)
{
    int32_t result = ivf_abi_take(ours, sizeof(*ours), theirs, FIRST_CONFIG, "ivflat_config");

    if (result == 0) {
        result = check_flags(ours);
    }
    if (result == 0 && ours->max_vectors > IVFLAT_MAX_VECTORS) {
        result = ivf_fail(IVFLAT_ERR_INVALID, "ivflat_config.max_vectors is %u, at most %u is right", ours->max_vectors,
                          IVFLAT_MAX_VECTORS);
    }
    if (ours->max_vectors == 0) {
        ours->max_vectors = DEFAULT_VECTORS;
    }
    return result;
}

static int32_t missing(const char *hook, const char *because)
{
    return ivf_fail(IVFLAT_ERR_INVALID, "ivflat_hooks.%s is NULL, and required %s", hook, because);
}

static int32_t take_hooks(ivflat_hooks *ours, const ivflat_hooks *theirs, const ivflat_config *config)
{
    int32_t result = ivf_abi_take(ours, sizeof(*ours), theirs, FIRST_HOOKS, "ivflat_hooks");

    if (result == 0) {
        result = ivf_abi_at_most(ours->reserved, 0, "ivflat_hooks.reserved");
    }
    if (result < 0) {
        return result;
    }
    if (!config->no_interrupts && !config->revision0 && !ours->interrupt) {
        return missing("interrupt", "unless no_interrupts or revision0 is set");
    }
    if (!config->no_interrupts && config->revision0 && !ours->line) {
        return missing("line", "with revision0");
    }
    if (config->no_mapping && !ours->memory_attached) {
        return missing("memory_attached", "with no_mapping");
    }
    return 0;
}

/* Life. */

static int32_t open_descriptors(ivflat_device *dev)
{
    int watched = -1;

    dev->epoll = ivf_fd_epoll();
    dev->wake = ivf_fd_event();
    dev->timer = ivf_fd_timer();
    if (dev->epoll >= 0 && dev->wake >= 0 && dev->timer >= 0) {
        watched = ivf_fd_watch(dev->epoll, dev->wake, IVF_TAG_WAKE);
        watched = watched < 0 ? watched : ivf_fd_watch(dev->epoll, dev->timer, IVF_TAG_TIMER);
    }
    if (watched < 0) {
        int err = dev->epoll < 0 ? -dev->epoll : dev->wake < 0 ? -dev->wake : dev->timer < 0 ? -dev->timer : -watched;

        return ivf_fail_errno(err, "cannot open the three descriptors that a device waits with");
    }
    return 0;
}

static void start_notifier(ivflat_device *dev)
{
    int result = ivf_notifier_init(&dev->notifier, dev->wake, dev->config.trusted_peers);

    if (result < 0) {
        ivf_log(dev, IVFLAT_LOG_WARNING,
                "the kernel gives no asynchronous I/O (%s): doorbells are rung with write(), "
                "and a hostile peer could block that",
                strerror(-result));
    }
}

static int32_t build(ivflat_device *dev)
{
    int32_t result = open_descriptors(dev);

    if (result == 0 && !ivf_peers_init(&dev->peers, &dev->ringers)) {
        result = ivf_fail(IVFLAT_ERR_NOMEM, "no memory for the table of peers");
    }
    if (result == 0 && dev->config.memory_size && !dev->config.no_mapping) {
        result = ivf_region_reserve(&dev->region, dev->config.memory_size);
    }
    if (result == 0) {
        start_notifier(dev);
    }
    return result;
}

static void destroy(ivflat_device *dev)
{
    ivf_peers_fini(&dev->peers);
    ivf_notifier_fini(&dev->notifier);
    ivf_region_unmap(&dev->region);
    ivf_fd_close(dev->link.sock);
    ivf_fd_close_foreign(dev->link.wire.fd);
    ivf_fd_close(dev->timer);
    ivf_fd_close(dev->wake);
    ivf_fd_close(dev->epoll);
    free(dev);
}

static ivflat_device *allocate(const ivflat_config *config, const ivflat_hooks *hooks)
{
    ivflat_device *dev = calloc(1, sizeof(*dev));

    if (!dev) {
        return NULL;
    }
    dev->config = *config;
    dev->hooks = *hooks;
    dev->regs.revision0 = config->revision0 && !config->no_interrupts;
    dev->process = ivf_fd_process();
    dev->id = -1;
    dev->memory_size = config->memory_size;
    dev->epoll = dev->wake = dev->timer = -1;
    ivf_link_init(&dev->link);
    return dev;
}

int32_t ivflat_device_new(ivflat_device **out, const ivflat_config *config, const ivflat_hooks *hooks)
{
    ivflat_config our_config;
    ivflat_hooks our_hooks;
    int32_t result;

    if (!out) {
        return ivf_fail(IVFLAT_ERR_INVALID, "ivflat_device_new() was called with NULL for where the device goes");
    }
    *out = NULL;
    result = take_config(&our_config, config);
    if (result == 0) {
        result = take_hooks(&our_hooks, hooks, &our_config);
    }
    if (result < 0) {
        return result;
    }
    *out = allocate(&our_config, &our_hooks);
    if (!*out) {
        return ivf_fail(IVFLAT_ERR_NOMEM, "no memory for a device");
    }
    result = build(*out);
    if (result < 0) {
        destroy(*out);
        *out = NULL;
    } else if (our_config.no_interrupts) {
        ivf_log(*out, IVFLAT_LOG_WARNING,
                "the device has no interrupts: shared memory only, IVPOSITION reads 0 and "
                "doorbells are ignored");
    }
    return result;
}

void ivflat_device_disconnect(ivflat_device *dev)
{
    if (ivf_device_may(dev, "ivflat_device_disconnect")) {
        ivf_link_leave(dev);
    }
}

void ivflat_device_free(ivflat_device *dev)
{
    if (!dev || !ivf_device_may(dev, "ivflat_device_free")) {
        return;
    }
    if (dev->process == ivf_fd_process()) { /* after a fork() what we wait with is the parent's: only close it */
        ivf_link_leave(dev);
    }
    destroy(dev);
}

/* Events. */

static int32_t handle(ivflat_device *dev, uint64_t tag)
{
    switch (tag) {
    case IVF_TAG_WAKE:
        ivf_fd_event_clear(dev->wake);
        dev->woken = true;
        return 0;
    case IVF_TAG_TIMER:
        return ivf_link_timer(dev);
    case IVF_TAG_SOCKET:
        return ivf_link_serve(dev);
    default:
        ivf_vectors_serve(dev, (uint32_t)(tag - IVF_TAG_VECTOR));
        return 0;
    }
}

/* Here, because a guest's write must not log. */
static void warn_refused(ivflat_device *dev)
{
    if (dev->notifier.refused && !dev->refused_told) {
        dev->refused_told = true;
        ivf_log(dev, IVFLAT_LOG_WARNING,
                "a sandbox refuses asynchronous I/O since this device was made: doorbells are "
                "rung with write(), and a hostile peer could block that");
    }
}

/* An error is for the caller to see first; the rest stays ready. */
static int32_t handle_all(ivflat_device *dev, const struct ivf_ready *ready, int count)
{
    int32_t result = 0;

    for (int i = 0; i < count && result == 0; i++) {
        result = handle(dev, ready[i].tag);
    }
    return result;
}

static void before_dispatch(ivflat_device *dev)
{
    dev->woken = false;
    warn_refused(dev);
}

int32_t ivflat_device_dispatch(ivflat_device *dev)
{
    struct ivf_ready ready[SHARE];
    int32_t result = ivf_device_enter(dev, "ivflat_device_dispatch");

    if (result < 0) {
        return result;
    }
    before_dispatch(dev);
    return handle_all(dev, ready, ivf_fd_ready(dev->epoll, ready, SHARE));
}

int32_t ivflat_device_run(ivflat_device *dev, int32_t timeout_ms)
{
    struct ivf_ready ready[SHARE];
    int32_t result = ivf_device_enter(dev, "ivflat_device_run");
    int count;

    if (result < 0) {
        return result;
    }
    before_dispatch(dev);
    count = ivf_fd_ready_within(dev->epoll, ready, SHARE, timeout_ms);
    if (count < 0) {
        return ivf_fail_errno(-count, "cannot wait for the device's events");
    }
    result = handle_all(dev, ready, count);
    return result < 0 ? result : count > 0;
}

int32_t ivflat_device_serve(ivflat_device *dev, uint32_t vector)
{
    int32_t result = ivf_device_enter(dev, "ivflat_device_serve");

    if (result == 0 && !ivf_vectors_serve_taken(dev, vector)) {
        result =
            ivf_fail(IVFLAT_ERR_INVALID, "vector %u is none that vector_added() took, and that is still there", vector);
    }
    return result;
}

int32_t ivflat_device_wait(const ivflat_device *dev, int32_t timeout_ms)
{
    int result;

    if (!dev) {
        return ivf_fail(IVFLAT_ERR_INVALID, "ivflat_device_wait() was called with NULL for the device");
    }
    result = ivf_fd_wait(dev->epoll, timeout_ms);
    return result < 0 ? ivf_fail_errno(-result, "cannot wait for the device's events") : result;
}

void ivflat_device_wake(const ivflat_device *dev)
{
    if (dev) {
        ivf_fd_event_set(dev->wake);
    }
}

/* Asking. */

int32_t ivflat_device_get_fd(const ivflat_device *dev)
{
    return dev ? dev->epoll
               : ivf_fail(IVFLAT_ERR_INVALID, "ivflat_device_get_fd() was called with NULL for the device");
}

int32_t ivflat_device_get_socket(const ivflat_device *dev)
{
    return dev ? dev->link.sock : -1;
}

uint32_t ivflat_device_link(const ivflat_device *dev)
{
    return dev ? dev->link.state : (uint32_t)IVFLAT_LINK_DOWN;
}

int32_t ivflat_device_id(const ivflat_device *dev)
{
    return dev ? dev->id : -1;
}

uint64_t ivflat_device_memory_size(const ivflat_device *dev)
{
    return dev ? dev->memory_size : 0;
}

void *ivflat_device_memory(const ivflat_device *dev)
{
    return dev ? dev->region.address : NULL;
}

uint32_t ivflat_device_peer_vectors(const ivflat_device *dev, uint32_t id)
{
    const struct ivf_peer *peer = dev && id < IVFLAT_MAX_PEERS ? ivf_peers_get(&dev->peers, id) : NULL;

    return peer ? peer->count : 0;
}

int32_t ivflat_device_next_peer(const ivflat_device *dev, int32_t after)
{
    return dev ? ivf_peers_next(&dev->peers, after) : -1;
}

uint64_t ivflat_device_counter(const ivflat_device *dev, uint32_t which)
{
    uint64_t apart = dev && which == IVFLAT_COUNT_RINGS_SENT ? ivf_ringers_sent(&dev->ringers) : 0;

    return dev && which < IVF_COUNTERS ? dev->counters[which] + apart : 0;
}
