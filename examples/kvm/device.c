/* SPDX-License-Identifier: BSD-3-Clause */
#include "device.h"

#include "board.h"

enum { RECONNECT_MS = 200, GREETING_MS = 5000 };

/* The ordinary way of an own vector: the library has read it. */
static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)count;
    machine_interrupt(((struct device *)user)->machine, vector);
}

static void on_link(void *user, uint32_t link, int32_t error)
{
    const struct device *device = user;

    if (link == IVFLAT_LINK_DOWN && error != 0)
        say(FAILED, "the link is down, the guest goes on with the peers that it has");
    else if (link == IVFLAT_LINK_READY && device->verbose)
        say(STOPPED, "linked as peer %d", ivflat_device_id(device->library));
}

static void on_peer(void *user, uint32_t id, uint32_t vectors)
{
    if (((struct device *)user)->verbose)
        say(STOPPED, "peer %u: %u vectors", id, vectors);
}

static void on_log(void *user, uint32_t level, const char *text)
{
    (void)user;
    if (level <= IVFLAT_LOG_WARNING)
        say(FAILED, "%s", text);
}

static enum status greet(struct device *device, const ivflat_hooks *hooks, const char *path)
{
    const ivflat_config config = {
        .struct_size = sizeof config, .max_vectors = KVM_BOARD_VECTORS, .reconnect_ms = RECONNECT_MS};

    if (ivflat_device_new(&device->library, &config, hooks) == 0 && ivflat_device_connect(device->library, path) == 0 &&
        ivflat_device_greet(device->library, GREETING_MS) == 0)
        return STOPPED;
    return say(FAILED, "%s", ivflat_last_error());
}

enum status device_open(struct device *device, struct machine *machine, const char *path, bool fast, bool verbose)
{
    ivflat_hooks hooks = {.struct_size = sizeof hooks,
                          .user = device,
                          .interrupt = on_interrupt,
                          .link_changed = on_link,
                          .peer_changed = on_peer,
                          .log = on_log};
    enum status status;

    *device = (struct device){.machine = machine, .verbose = verbose};
    pthread_mutex_init(&device->lock, NULL);
    if (fast)
        fast_path_take(&device->fast_path, machine, &hooks);
    status = greet(device, &hooks, path);
    if (status == STOPPED)
        status =
            machine_share(machine, ivflat_device_memory(device->library), ivflat_device_memory_size(device->library));
    return status;
}

void device_close(struct device *device)
{
    ivflat_device_free(device->library);
    pthread_mutex_destroy(&device->lock);
}

void device_serve(struct device *device)
{
    ivflat_device_wait(device->library, -1);
    pthread_mutex_lock(&device->lock);
    ivflat_device_dispatch(device->library); /* what goes wrong is told by the hooks */
    pthread_mutex_unlock(&device->lock);
}

void device_wake(const struct device *device)
{
    ivflat_device_wake(device->library);
}

uint32_t device_read(struct device *device, uint64_t offset, uint32_t width)
{
    uint32_t value;

    pthread_mutex_lock(&device->lock);
    value = ivflat_device_read(device->library, offset, width);
    pthread_mutex_unlock(&device->lock);
    return value;
}

void device_write(struct device *device, uint64_t offset, uint32_t width, uint64_t value)
{
    /* A doorbell needs no lock, so processors ring at once; what it does not ring is for the library to tell of. */
    if (offset == IVFLAT_REG_DOORBELL && width == 4 && ivflat_device_doorbell(device->library, (uint32_t)value))
        return;
    pthread_mutex_lock(&device->lock);
    ivflat_device_write(device->library, offset, width, value);
    pthread_mutex_unlock(&device->lock);
}
