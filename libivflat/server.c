/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's life, and what may be asked of it. */
#include <libivflat/ivflat-server.h>

#include "abi.h"
#include "error.h"
#include "fdio.h"
#include "region-create.h"
#include "server-clients.h"
#include "server-dispatch.h"
#include "server-hooks.h"
#include "server-state.h"

#include <errno.h>
#include <inttypes.h>
#include <stddef.h>

#define DEFAULT_SIZE ((uint64_t)4 << 20)
/* The structs' sizes in the first release: later ones only get longer. */
#define FIRST_CONFIG ((uint32_t)(offsetof(ivflat_server_config, max_queue) + sizeof(uint32_t)))
#define FIRST_HOOKS  ((uint32_t)(offsetof(ivflat_server_hooks, log) + sizeof(void (*)(void))))

#define INVALID(...) ivf_fail(IVFLAT_ERR_INVALID, __VA_ARGS__)

static int32_t check_memory(const ivflat_server_config *config)
{
    if (config->memory_size > INT64_MAX) {
        return INVALID("ivflat_server_config.memory_size is %" PRIu64 " bytes, at most %" PRId64 " is right",
                       config->memory_size, INT64_MAX);
    }
    if (config->memory_name && config->memory_dir) {
        return INVALID("ivflat_server_config.memory_name and .memory_dir are both set, one of them is right");
    }
    return 0;
}

static int32_t check_config(const ivflat_server_config *config)
{
    int32_t error = ivf_fd_check_path(config->socket_path);

    if (error == 0) {
        error = ivf_abi_at_most(config->no_interrupts, 1, "ivflat_server_config.no_interrupts");
    }
    if (error == 0 && config->vectors > IVFLAT_MAX_VECTORS) {
        error = INVALID("ivflat_server_config.vectors is %u, at most %u is right", config->vectors, IVFLAT_MAX_VECTORS);
    }
    return error ? error : check_memory(config);
}

static int32_t open_socket(ivflat_server *server, const char *path)
{
    server->listener = ivf_fd_listen(path);
    switch (server->listener) {
    case -EADDRINUSE:
        return ivf_fail(IVFLAT_ERR_SYSTEM, "a server listens on %s already: stop it, or use another path", path);
    case -EEXIST:
        return ivf_fail(IVFLAT_ERR_SYSTEM, "%s is there and is no socket: remove it, or use another path", path);
    default:
        break;
    }
    if (server->listener < 0) {
        return ivf_fail_errno(-server->listener, "cannot listen on %s", path);
    }
    server->socket_path = g_strdup(path);
    ivf_fd_remember_file(path, &server->socket_file);
    return 0;
}

static int32_t open_memory(ivflat_server *server, const ivflat_server_config *config)
{
    server->memory_size = config->memory_size ? config->memory_size : DEFAULT_SIZE;
    if (config->memory_name) {
        server->memory = ivf_region_create_named(config->memory_name, server->memory_size);
        server->memory_name = server->memory >= 0 ? g_strdup(config->memory_name) : NULL;
    } else if (config->memory_dir) {
        server->memory = ivf_region_create_in(config->memory_dir, server->memory_size);
    } else {
        server->memory = ivf_region_create_sealed(server->memory_size);
    }
    return server->memory < 0 ? server->memory : 0;
}

/* A descriptor of our own: keeps it in @place and watches it.  Or passes on why there is none. */
static int keep(const ivflat_server *server, int *place, int fd, uint64_t tag)
{
    *place = fd;
    return fd < 0 ? fd : ivf_fd_watch(server->epoll, fd, tag);
}

static int32_t open_loop(ivflat_server *server)
{
    int result = server->epoll = ivf_fd_epoll();

    if (result >= 0) {
        result = ivf_fd_watch(server->epoll, server->listener, IVF_TAG_LISTENER);
    }
    if (result >= 0) {
        result = keep(server, &server->wake, ivf_fd_event(), IVF_TAG_WAKE);
    }
    if (result >= 0) {
        result = keep(server, &server->timer, ivf_fd_timer(), IVF_TAG_TIMER);
    }
    return result < 0 ? ivf_fail_errno(-result, "cannot make the server's event descriptors") : 0;
}

/* The socket first: who finds it taken must not touch a named memory. */
static int32_t open_all(ivflat_server *server, const ivflat_server_config *config)
{
    int32_t error = open_socket(server, config->socket_path);

    if (error == 0) {
        error = open_memory(server, config);
    }
    return error ? error : open_loop(server);
}

static ivflat_server *new_closed(const ivflat_server_config *config, const ivflat_server_hooks *hooks)
{
    ivflat_server *server = g_new0(ivflat_server, 1);

    server->hooks = *hooks;
    server->process = ivf_fd_process();
    server->vectors = config->no_interrupts ? 0 : MAX(config->vectors, 1);
    server->max_queue = config->max_queue;
    server->epoll = server->listener = server->wake = server->timer = server->memory = -1;
    ivf_ids_init(&server->ids);
    return server;
}

int32_t ivflat_server_new(ivflat_server **out, const ivflat_server_config *config, const ivflat_server_hooks *hooks)
{
    ivflat_server_config our_config;
    ivflat_server_hooks our_hooks;
    ivflat_server *server;
    int32_t error;

    if (!out || !config) {
        return INVALID("ivflat_server_new() needs somewhere to put the server, and a config with a socket_path");
    }
    *out = NULL;
    error = ivf_abi_take(&our_config, sizeof(our_config), config, FIRST_CONFIG, "ivflat_server_config");
    if (error == 0) {
        error = ivf_abi_take(&our_hooks, sizeof(our_hooks), hooks, FIRST_HOOKS, "ivflat_server_hooks");
    }
    if (error == 0) {
        error = ivf_abi_at_most(our_hooks.reserved, 0, "ivflat_server_hooks.reserved");
    }
    if (error == 0) {
        error = check_config(&our_config);
    }
    if (error) {
        return error;
    }
    server = new_closed(&our_config, &our_hooks);
    error = open_all(server, &our_config);
    if (error) {
        ivflat_server_free(server);
        return error;
    }
    *out = server;
    return 0;
}

/* Who connected and was not accepted is emptied too. */
static void close_door(ivflat_server *server)
{
    int sock;

    if (server->socket_path) { /* another server may have put its own there since */
        ivf_fd_remove_file(server->socket_path, &server->socket_file);
    }
    while (server->listener >= 0 && (sock = ivf_fd_accept(server->listener)) >= 0) {
        ivf_fd_close_stream(sock);
    }
}

void ivflat_server_free(ivflat_server *server)
{
    bool ours;

    if (!server) {
        return;
    }
    if (server->in_hook) {
        ivf_server_log(server, IVFLAT_LOG_ERROR, "ivflat_server_free() was called from inside a hook: nothing is done");
        return;
    }
    ours = ivf_fd_process() == server->process; /* a forked child has copies: the server goes on without it */
    if (ours) {
        close_door(server);
    }
    ivf_clients_close(server, ours);
    if (ours && server->memory_name) {
        ivf_region_remove_named(server->memory_name, server->memory);
    }
    ivf_ids_fini(&server->ids);
    ivf_fd_close(server->memory);
    ivf_fd_close(server->timer);
    ivf_fd_close(server->wake);
    ivf_fd_close(server->listener);
    ivf_fd_close(server->epoll);
    g_free(server->memory_name);
    g_free(server->socket_path);
    g_free(server);
}

int32_t ivflat_server_get_fd(const ivflat_server *server)
{
    return server ? server->epoll : IVFLAT_ERR_INVALID;
}

int32_t ivflat_server_dispatch(ivflat_server *server)
{
    int result;

    if (!server) {
        return INVALID("ivflat_server_dispatch() needs a server");
    }
    if (server->in_hook) {
        return ivf_fail(IVFLAT_ERR_BUSY, "ivflat_server_dispatch() was called from inside a hook");
    }
    result = ivf_server_dispatch(server);
    if (result < 0) {
        ivf_fail_errno(-result, "the server cannot wait for events any more");
        ivf_server_log(server, IVFLAT_LOG_ERROR, "%s", ivflat_last_error());
        return IVFLAT_ERR_SYSTEM;
    }
    return 0;
}

int32_t ivflat_server_wait(const ivflat_server *server, int32_t timeout_ms)
{
    int result;

    if (!server) {
        return INVALID("ivflat_server_wait() needs a server");
    }
    result = ivf_fd_poll(server->epoll, timeout_ms);
    return result < 0 ? ivf_fail_errno(-result, "cannot wait for the server") : result;
}

void ivflat_server_wake(const ivflat_server *server)
{
    if (server) {
        ivf_fd_event_set(server->wake);
    }
}

uint32_t ivflat_server_clients(const ivflat_server *server)
{
    return server ? server->all.length : 0;
}

uint64_t ivflat_server_memory_size(const ivflat_server *server)
{
    return server ? server->memory_size : 0;
}

int32_t ivflat_server_memory_fd(const ivflat_server *server)
{
    return server ? server->memory : IVFLAT_ERR_INVALID;
}
