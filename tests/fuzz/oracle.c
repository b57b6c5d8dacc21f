/* SPDX-License-Identifier: BSD-3-Clause */
#include "oracle.h"

#include "descriptors.h"
#include "input.h"

#include <libivflat/ivflat-trace.h>

#include <fcntl.h>
#include <poll.h>
#include <string.h>

#define BOUND_MAX 512

/* What the hooks were told. */
static struct {
    ivflat_device *dev;
    ivflat_config config;
    uint8_t behaviour;
    enum call call;
    uint32_t depth;

    uint32_t link;
    bool memory_seen; /* since the greeting began */
    uint64_t memory_size;
    void *memory;
    uint32_t line;
    uint32_t peers[IVFLAT_MAX_PEERS]; /* vectors of each */
    uint32_t peer_count;
    int32_t taken[BOUND_MAX]; /* by vector; -1: not */
    uint32_t taken_count;
    struct {
        uint32_t value;
        int32_t fd;
    } bound[BOUND_MAX];
    uint32_t bound_count;
} told;

static bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

/* The registers answer, always. */
static void check_registers(ivflat_device *dev)
{
    uint32_t mask, status, position = told.config.no_interrupts ? 0 : (uint32_t)ivflat_device_id(dev);

    ivflat_device_get_state(dev, &mask, &status);
    MUST(mask <= told.config.revision0 && status <= told.config.revision0);
    MUST(ivflat_device_read(dev, IVFLAT_REG_IVPOSITION, 4) == position);
    MUST(ivflat_device_read(dev, IVFLAT_REG_DOORBELL, 4) == 0);
    MUST(ivflat_device_read(dev, IVFLAT_REG_INTRMASK, 4) == mask);
    MUST(ivflat_device_read(dev, IVFLAT_REG_DOORBELL + 4, 4) == 0);
    MUST(ivflat_device_read(dev, IVFLAT_REG_IVPOSITION, 2) == 0);
}

/* Calls that hooks may not make: they say so and do nothing. */
static void call_forbidden(ivflat_device *dev)
{
    uint32_t link = ivflat_device_link(dev);
    int32_t fds[1] = {make_fd(0)};
    uint8_t byte = 0;

    MUST(ivflat_device_dispatch(dev) == IVFLAT_ERR_BUSY);
    MUST(ivflat_device_feed(dev, &byte, 1, fds, 1) == IVFLAT_ERR_BUSY && !is_open(fds[0]));
    MUST(ivflat_device_begin(dev) == IVFLAT_ERR_BUSY);
    MUST(ivflat_device_connect(dev, "/nowhere") == IVFLAT_ERR_BUSY);
    MUST(ivflat_device_adopt(dev, -1) == IVFLAT_ERR_BUSY);
    MUST(ivflat_device_greet(dev, 0) == IVFLAT_ERR_BUSY);
    ivflat_device_end(dev);
    ivflat_device_disconnect(dev);
    ivflat_device_reset(dev);
    ivflat_device_free(dev);
    MUST(ivflat_device_link(dev) == link);
}

/* Each hook begins with this: it comes inside a call, and may come back. */
static void enter_hook(void *user)
{
    MUST(user == &told);
    MUST(told.call != CALL_NONE);
    if (!told.dev || told.depth > 0) {
        return;
    }
    told.depth++;
    if (told.behaviour & CALLS_BACK) {
        check_registers(told.dev);
        ivflat_device_write(told.dev, IVFLAT_REG_DOORBELL, 4, (uint32_t)ivflat_device_id(told.dev) << 16);
        ivflat_device_write(told.dev, IVFLAT_REG_INTRSTATUS, 4, 0);
        MUST(ivflat_device_wants(told.dev) <= 8);
        ivflat_device_wake(told.dev);
    }
    if (told.behaviour & CALLS_FORBIDDEN) {
        call_forbidden(told.dev);
    }
    told.depth--;
}

/* The hooks. */

static void interrupt(void *user, uint32_t vector, uint64_t count)
{
    enter_hook(user);
    MUST(told.call == CALL_DISPATCH && count >= 1);
    MUST(!told.config.no_interrupts && !told.config.revision0);
    MUST(vector < ivflat_device_peer_vectors(told.dev, (uint32_t)ivflat_device_id(told.dev)));
    MUST(vector >= BOUND_MAX || told.taken[vector] < 0);
}

static void line(void *user, uint32_t level)
{
    MUST(told.config.revision0 && level <= 1);
    MUST(level != told.line || told.call == CALL_RESET);
    told.line = level;
    enter_hook(user);
}

static int32_t memory_attached(void *user, int32_t fd, uint64_t size)
{
    enter_hook(user);
    MUST(told.link == IVFLAT_LINK_GREETING && is_open(fd) && size > 0);
    MUST(told.memory_size == 0 || size == told.memory_size);
    told.memory_seen = true;
    return told.behaviour & REFUSES_MEMORY;
}

static void became_ready(void)
{
    MUST(told.link == IVFLAT_LINK_GREETING && told.memory_seen);
    MUST(told.taken_count == 0 && told.bound_count == 0 && told.peer_count == 0);
    MUST(ivflat_device_next_peer(told.dev, -1) == -1);
    MUST(ivflat_device_id(told.dev) >= 0 && ivflat_device_id(told.dev) <= 65535);
    MUST(ivflat_device_memory_size(told.dev) > 0);
    told.memory_size = ivflat_device_memory_size(told.dev);
}

static void link_changed(void *user, uint32_t link, int32_t error)
{
    MUST(ivflat_device_link(told.dev) == link);
    MUST(error <= 0 && (link == IVFLAT_LINK_DOWN || error == 0));
    if (link == IVFLAT_LINK_READY) {
        became_ready();
    } else {
        MUST(link == IVFLAT_LINK_DOWN ? told.link != IVFLAT_LINK_DOWN : told.link == IVFLAT_LINK_DOWN);
        told.memory_seen = false;
    }
    if (error) {
        MUST(*ivflat_last_error());
    }
    told.link = link;
    enter_hook(user);
}

static void peer_changed(void *user, uint32_t id, uint32_t vectors)
{
    MUST(id < IVFLAT_MAX_PEERS && !told.config.no_interrupts);
    MUST(vectors ? vectors == told.peers[id] + 1 : told.peers[id] > 0);
    MUST(vectors <= told.config.max_vectors && ivflat_device_peer_vectors(told.dev, id) == vectors);
    told.peer_count += vectors == 1;
    told.peer_count -= vectors == 0;
    told.peers[id] = vectors;
    enter_hook(user);
}

static int32_t vector_added(void *user, uint32_t vector, int32_t fd)
{
    enter_hook(user);
    MUST(!told.config.no_interrupts && !told.config.revision0 && is_open(fd));
    MUST(vector < told.config.max_vectors);
    MUST(vector + 1 == ivflat_device_peer_vectors(told.dev, (uint32_t)ivflat_device_id(told.dev)));
    if (!(told.behaviour & TAKES_VECTORS) || vector >= BOUND_MAX) {
        return 0;
    }
    MUST(told.taken[vector] < 0);
    told.taken[vector] = fd;
    told.taken_count++;
    return 1;
}

static void vector_removed(void *user, uint32_t vector, int32_t fd)
{
    MUST(vector < BOUND_MAX && told.taken[vector] == fd && is_open(fd));
    told.taken[vector] = -1;
    told.taken_count--;
    enter_hook(user);
}

static int32_t doorbell_added(void *user, uint32_t value, int32_t fd)
{
    enter_hook(user);
    MUST(!told.config.no_interrupts && is_open(fd));
    MUST((value & 0xffff) + 1 == ivflat_device_peer_vectors(told.dev, value >> 16));
    for (uint32_t i = 0; i < told.bound_count; i++) {
        MUST(told.bound[i].value != value);
    }
    if (!(told.behaviour & BINDS_DOORBELLS) || told.bound_count == BOUND_MAX) {
        return 0;
    }
    told.bound[told.bound_count].value = value;
    told.bound[told.bound_count++].fd = fd;
    return 1;
}

static void doorbell_removed(void *user, uint32_t value, int32_t fd)
{
    uint32_t i = 0;

    while (i < told.bound_count && told.bound[i].value != value) {
        i++;
    }
    MUST(i < told.bound_count && told.bound[i].fd == fd && is_open(fd));
    told.bound[i] = told.bound[--told.bound_count];
    enter_hook(user);
}

static void guest_error(void *user, const char *text)
{
    enter_hook(user);
    MUST(*text && !strchr(text, '\n'));
}

static void log_line(void *user, uint32_t level, const char *text)
{
    /* No line that a guest can cause: but what was forbidden to a hook is logged, if the guest's access led there. */
    MUST(told.call != CALL_GUEST || told.depth > 0);
    MUST(level >= IVFLAT_LOG_ERROR && level <= IVFLAT_LOG_DEBUG && *text && !strchr(text, '\n'));
    enter_hook(user);
}

static void trace(void *user, uint32_t event, uint64_t a, uint64_t b, uint64_t c)
{
    (void)a, (void)b, (void)c;
    MUST(strcmp(ivflat_trace_name(event), "unknown") != 0);
    if (told.depth == 0 && event != IVFLAT_TRACE_READ && event != IVFLAT_TRACE_WRITE) {
        enter_hook(user);
    }
}

/* Life. */

ivflat_device *oracle_new(const ivflat_config *config, uint8_t behaviour)
{
    const ivflat_hooks hooks = {
        .struct_size = sizeof(hooks),
        .user = &told,
        .interrupt = interrupt,
        .line = line,
        .memory_attached = memory_attached,
        .link_changed = link_changed,
        .peer_changed = peer_changed,
        .vector_added = vector_added,
        .vector_removed = vector_removed,
        .doorbell_added = doorbell_added,
        .doorbell_removed = doorbell_removed,
        .guest_error = guest_error,
        .log = log_line,
        .trace = trace,
    };
    ivflat_device *dev;

    memset(&told, 0, sizeof(told));
    memset(told.taken, -1, sizeof(told.taken));
    told.config = *config;
    told.config.max_vectors = config->max_vectors ? config->max_vectors : 64;
    told.memory_size = config->memory_size;
    told.behaviour = behaviour;
    oracle_enter(CALL_LINK);
    if (ivflat_device_new(&dev, config, &hooks) < 0) {
        MUST(!dev && *ivflat_last_error());
        return NULL;
    }
    told.dev = dev;
    told.memory = ivflat_device_memory(dev);
    MUST(!told.memory == (config->memory_size == 0 || config->no_mapping));
    oracle_leave(dev);
    return dev;
}

void oracle_free(ivflat_device *dev)
{
    oracle_enter(CALL_LINK);
    ivflat_device_free(dev);
    told.dev = NULL;
    told.call = CALL_NONE;
    MUST(told.link == IVFLAT_LINK_DOWN);
    MUST(told.taken_count == 0 && told.bound_count == 0 && told.peer_count == 0);
}

void oracle_enter(enum call call)
{
    told.call = call;
}

void oracle_check_peers(const ivflat_device *dev)
{
    uint32_t count = 0;

    for (int32_t id = -1, next; (next = ivflat_device_next_peer(dev, id)) != -1; id = next) {
        MUST(next > id && next <= 65535);
        if (next != ivflat_device_id(dev)) {
            MUST(ivflat_device_peer_vectors(dev, (uint32_t)next) == told.peers[next]);
            count++;
        }
    }
    MUST(count == told.peer_count);
}

static void check_memory(ivflat_device *dev)
{
    volatile uint8_t *memory = ivflat_device_memory(dev);

    MUST(!told.memory || memory == told.memory);
    told.memory = (void *)(uintptr_t)memory;
    if (memory) {
        MUST(!told.config.no_mapping);
        memory[ivflat_device_memory_size(dev) - 1]++;
    }
}

/* What must be true after every call. */
void oracle_leave(ivflat_device *dev)
{
    uint32_t mask, status;

    told.call = CALL_GUEST; /* for the accesses that follow */
    MUST(ivflat_device_link(dev) == told.link);
    MUST(told.link != IVFLAT_LINK_DOWN || ivflat_device_wants(dev) == 0);
    MUST(ivflat_device_wants(dev) <= 8);
    ivflat_device_get_state(dev, &mask, &status);
    MUST(!told.config.revision0 || told.line == (mask & status));
    check_memory(dev);
    check_registers(dev);
    told.call = CALL_NONE;
}

void oracle_behave(uint8_t behaviour)
{
    told.behaviour = behaviour;
}
