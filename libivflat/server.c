/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's life, and what may be asked of it. */
#include <libivflat/ivflat-server.h>

#include "abi.h"
#include "error.h"
#include "fdio.h"
#include "region-create.h"
#include "server-clients.h"
#include "server-dispatch.h"
#include "server-doors.h"
#include "server-flow.h"
#include "server-hooks.h"
#include "server-io.h"
#include "server-restore.h"
#include "server-save.h"
#include "server-state.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#define DEFAULT_MODE  0600u
#define DEFAULT_SIZE  ((uint64_t)4 << 20)
#define DEFAULT_BYTES ((uint64_t)16 << 20) /* what may wait for a client */
#define MOST_MESSAGES (1u << 20)
#define JOINS         4u    /* or those of so many peers */
#define EACH_BYTES    1024u /* more than a message takes */
/* The structs' sizes in the first release: later ones only get longer. */
#define FIRST_CONFIG ((uint32_t)(offsetof(ivflat_server_config, handed_fd) + sizeof(int32_t)))
#define FIRST_HOOKS  ((uint32_t)(offsetof(ivflat_server_hooks, log) + sizeof(void (*)(void))))

#define INVALID(...) ivf_fail(IVFLAT_ERR_INVALID, __VA_ARGS__)

static uint64_t size_of(const ivflat_server_config *config)
{
    return config->memory_size ? config->memory_size : DEFAULT_SIZE;
}

static int32_t check_memory(const ivflat_server_config *config)
{
    uint64_t page = config->huge_page;

    if (config->memory_size > INT64_MAX) {
        return INVALID("ivflat_server_config.memory_size is %" PRIu64 " bytes, at most %" PRId64 " is right",
                       config->memory_size, INT64_MAX);
    }
    if (!!config->memory_name + !!config->memory_dir + !!config->memory_file + (page > 0) > 1) {
        return INVALID("of ivflat_server_config.memory_name, .memory_dir, .memory_file and .huge_page more than one is "
                       "set, one of them is right");
    }
    if (page & (page - 1)) {
        return INVALID("ivflat_server_config.huge_page is %" PRIu64 " bytes, a power of two is right", page);
    }
    if (page && size_of(config) % page) {
        return INVALID("ivflat_server_config.memory_size is %" PRIu64 " bytes, a multiple of .huge_page (%" PRIu64
                       ") is right",
                       size_of(config), page);
    }
    return 0;
}

static int32_t check_users(const ivflat_server_config *config)
{
    if ((config->allow_uid_count && !config->allow_uids) || (config->allow_gid_count && !config->allow_gids)) {
        return INVALID("ivflat_server_config.allow_uids or .allow_gids is NULL, and its count is not 0");
    }
    return 0;
}

static int32_t check_socket(const ivflat_server_config *config)
{
    if (config->socket_mode > 0777) {
        return INVALID("ivflat_server_config.socket_mode is %o, permissions from 1 to 777 are right",
                       config->socket_mode);
    }
    if (config->listen_fd < 0) {
        return INVALID("ivflat_server_config.listen_fd is %d, a listening socket or 0 is right", config->listen_fd);
    }
    if (config->listen_fd && config->socket_path) {
        return INVALID("ivflat_server_config.listen_fd and .socket_path are both set, one of them is right");
    }
    if (config->handed_fd < 0) {
        return INVALID("ivflat_server_config.handed_fd is %d, what was handed over or 0 is right", config->handed_fd);
    }
    return config->listen_fd ? 0 : ivf_fd_check_path(config->socket_path);
}

static int32_t check_limits(const ivflat_server_config *config)
{
    if (config->vectors > IVFLAT_MAX_VECTORS) {
        return INVALID("ivflat_server_config.vectors is %u, at most %u is right", config->vectors, IVFLAT_MAX_VECTORS);
    }
    if (config->max_clients > IVFLAT_MAX_PEERS) {
        return INVALID("ivflat_server_config.max_clients is %u, at most %u is right", config->max_clients,
                       IVFLAT_MAX_PEERS);
    }
    return ivf_abi_at_most(config->no_interrupts, 1, "ivflat_server_config.no_interrupts");
}

static int32_t check_config(const ivflat_server_config *config)
{
    int32_t error = check_socket(config);

    if (error == 0) {
        error = check_limits(config);
    }
    if (error == 0) {
        error = ivf_abi_at_most(config->ids, IVFLAT_IDS_LOWEST, "ivflat_server_config.ids");
    }
    if (error == 0) {
        error = ivf_abi_at_most(config->keep_state, 1, "ivflat_server_config.keep_state");
    }
    if (error == 0) {
        error = check_users(config);
    }
    return error ? error : check_memory(config);
}

static int32_t make_memory(ivflat_server *server, const ivflat_server_config *config)
{
    uint64_t size = server->memory_size;

    if (config->memory_name) {
        return ivf_region_create_named(config->memory_name, size);
    }
    if (config->memory_dir) {
        return ivf_region_create_in(config->memory_dir, size);
    }
    if (config->memory_file) {
        return ivf_region_create_file(config->memory_file, size);
    }
    return ivf_region_create_sealed(size, config->huge_page);
}

static int32_t open_memory(ivflat_server *server, const ivflat_server_config *config)
{
    server->memory = make_memory(server, config);
    if (server->memory < 0) {
        return server->memory;
    }
    server->memory_name = g_strdup(config->memory_name);
    ivf_save_added(server, IVF_KEY_MEMORY, server->memory);
    if (config->memory_name || config->memory_dir || config->memory_file) {
        ivf_server_log(
            server, IVFLAT_LOG_WARNING,
            "whoever may open the shared memory, and each peer, can cut it short, which kills all who use it "
            "(SIGBUS); without a name, a folder or a file it would be sealed");
    }
    return 0;
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
        result = keep(server, &server->wake, ivf_fd_event(), IVF_TAG_WAKE);
    }
    if (result >= 0) {
        result = keep(server, &server->timer, ivf_fd_timer(), IVF_TAG_TIMER);
    }
    return result < 0 ? ivf_fail_errno(-result, "cannot make the server's event descriptors") : 0;
}

static int32_t begin_keeping(ivflat_server *server)
{
    int result = ivf_save_begin(server);

    return result < 0 ? ivf_fail_errno(-result, "cannot make the memory that keeps the server's state") : 0;
}

/* Another process's work goes on.  The name of its memory is ours to remove, if it is still that. */
static int32_t take_over(ivflat_server *server, const ivflat_server_config *config)
{
    ivf_fd_close(config->listen_fd > 0 ? config->listen_fd : -1);
    server->memory_name = g_strdup(config->memory_name);
    if (!server->keeper.on) {
        ivf_map_close(&server->keeper.map);
    }
    ivf_fd_event_set(server->wake); /* there is work left */
    return 0;
}

/* The socket first: who finds it taken must not touch a named memory. */
static int32_t open_all(ivflat_server *server, const ivflat_server_config *config)
{
    int32_t error = open_loop(server);

    if (error == 0 && config->handed_fd && ivf_restore(server, config->handed_fd)) {
        return take_over(server, config);
    }
    if (error == 0 && server->keeper.on) {
        error = begin_keeping(server);
        ivf_fd_event_set(server->wake); /* what is kept is written down before anybody comes */
    }
    if (error == 0) {
        error = ivf_doors_add(server, config->socket_path, config->listen_fd, -1, "ivflat_server_config.listen_fd");
    }
    return error ? error : open_memory(server, config);
}

static GArray *list_of(const uint32_t *numbers, uint32_t count)
{
    return count > 0 ? g_array_append_vals(g_array_sized_new(FALSE, FALSE, sizeof(*numbers), count), numbers, count)
                     : NULL;
}

/* Who reads is not to be dropped for some joins at once; who does not is not to use up all descriptors. */
static struct ivf_limits limits_of(const ivflat_server_config *config, uint32_t vectors)
{
    uint64_t joins = (uint64_t)JOINS * vectors;
    uint64_t messages = MAX(ivf_io_descriptors() / 2, joins);

    return (struct ivf_limits){
        .max_clients = config->max_clients ? config->max_clients : IVFLAT_MAX_PEERS,
        .max_per_uid = config->max_per_uid,
        .max_queue = config->max_queue ? config->max_queue : (uint32_t)MIN(messages, MOST_MESSAGES),
        .max_queue_bytes = config->max_queue_bytes ? config->max_queue_bytes : MAX(DEFAULT_BYTES, joins * EACH_BYTES),
    };
}

static void make_empty(ivflat_server *server, bool lowest)
{
    server->memory = -1;
    server->users = g_hash_table_new(NULL, NULL);
    server->doors = g_ptr_array_new();
    server->keeper.map = IVF_MAP_NONE;
    server->keeper.gone = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    server->keeper.next_key = IVF_KEY_MEMORY + 1;
    ivf_ids_init(&server->ids, lowest);
    ivf_news_init(&server->news);
    ivf_flow_init(server);
}

static ivflat_server *new_closed(const ivflat_server_config *config, const ivflat_server_hooks *hooks)
{
    ivflat_server *server = g_new0(ivflat_server, 1);

    server->hooks = *hooks;
    server->process = ivf_fd_process();
    server->vectors = config->no_interrupts ? 0 : MAX(config->vectors, 1);
    server->limits = limits_of(config, server->vectors);
    server->epoll = server->wake = server->timer = -1;
    server->socket_mode = config->socket_mode ? config->socket_mode : DEFAULT_MODE;
    server->socket_gid = config->socket_gid;
    server->allow_uids = list_of(config->allow_uids, config->allow_uid_count);
    server->allow_gids = list_of(config->allow_gids, config->allow_gid_count);
    server->keeper.on = config->keep_state;
    server->memory_size = size_of(config);
    make_empty(server, config->ids == IVFLAT_IDS_LOWEST);
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
        ivf_fd_close(our_config.listen_fd > 0 ? our_config.listen_fd : -1);
        ivf_fd_close(our_config.handed_fd > 0 ? our_config.handed_fd : -1);
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

/* All but its loop. */
static void close_all(ivflat_server *server, bool ours)
{
    ivf_doors_close(server, ours);
    ivf_clients_close(server, ours);
    ivf_news_clear(&server->news);
    ivf_map_close(&server->keeper.map);
    g_array_unref(server->keeper.gone);
    ivf_ids_fini(&server->ids);
    g_hash_table_unref(server->users);
    ivf_fd_close(server->memory);
}

void ivf_server_empty(ivflat_server *server)
{
    bool lowest = server->ids.lowest;

    close_all(server, true);
    memset(server->counters, 0, sizeof(server->counters));
    g_queue_init(&server->running);
    g_queue_init(&server->doomed);
    make_empty(server, lowest);
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
        ivf_save_end(server);
    }
    if (ours && server->memory_name) { /* while it is open: only ours is removed */
        ivf_region_remove_named(server->memory_name, server->memory);
    }
    close_all(server, ours);
    ivf_fd_close(server->timer);
    ivf_fd_close(server->wake);
    ivf_fd_close(server->epoll);
    g_clear_pointer(&server->allow_uids, g_array_unref);
    g_clear_pointer(&server->allow_gids, g_array_unref);
    g_free(server->memory_name);
    g_free(server);
}

int32_t ivflat_server_hand_over(ivflat_server *server, int32_t *handed_fd)
{
    int result;

    if (!server || !handed_fd) {
        return INVALID("ivflat_server_hand_over() needs a server, and somewhere to put the descriptor");
    }
    *handed_fd = -1;
    if (server->in_hook) {
        return ivf_fail(IVFLAT_ERR_BUSY, "ivflat_server_hand_over() was called from inside a hook");
    }
    ivf_clients_reap_all(server); /* lest they are gone without a word */
    result = ivf_save_hand_over(server);
    if (result < 0) {
        return ivf_fail_errno(-result, "cannot write down what is to be handed over");
    }
    *handed_fd = result;
    return 0;
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
