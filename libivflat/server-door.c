/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-door.h"

#include "error.h"
#include "fdio.h"
#include "server-clients.h"
#include "server-hooks.h"
#include "server-io.h"
#include "server-retry.h"

#include <errno.h>

#define DEFAULT_MODE 0600u

/* The socket ------------------------------------------------------------------------------------------------------ */

static int32_t cannot_listen(const char *path, int error)
{
    switch (error) {
    case -EADDRINUSE:
        return ivf_fail(IVFLAT_ERR_SYSTEM, "a server listens on %s already: stop it, or use another path", path);
    case -EEXIST:
        return ivf_fail(IVFLAT_ERR_SYSTEM, "%s is there and is no socket: remove it, or use another path", path);
    case -EDEADLK:
        return ivf_fail(IVFLAT_ERR_SYSTEM,
                        "cannot listen on %s: another program keeps its folder locked, as servers do for a moment when "
                        "they start: use another folder",
                        path);
    default:
        return ivf_fail_errno(-error, "cannot listen on %s", path);
    }
}

static int32_t open_path(ivflat_server *server, const ivflat_server_config *config)
{
    uint32_t mode = config->socket_mode ? config->socket_mode : DEFAULT_MODE;

    server->listener = ivf_io_listen(config->socket_path, mode, config->socket_gid);
    if (server->listener < 0) {
        return cannot_listen(config->socket_path, server->listener);
    }
    server->socket_path = g_strdup(config->socket_path);
    ivf_fd_remember_file(config->socket_path, &server->socket_file);
    return 0;
}

int32_t ivf_door_open(ivflat_server *server, const ivflat_server_config *config)
{
    int result;

    if (!config->listen_fd) {
        return open_path(server, config);
    }
    server->listener = config->listen_fd;
    result = ivf_io_check_listener(config->listen_fd);
    if (result < 0) {
        return ivf_fail_errno(-result, "ivflat_server_config.listen_fd is %d, no UNIX stream socket that listens",
                              config->listen_fd);
    }
    return 0;
}

/* Who connected and was not accepted is emptied too. */
void ivf_door_close(ivflat_server *server, bool ours)
{
    int sock;

    if (ours && server->socket_path) { /* another server may have put its own there since */
        ivf_fd_remove_file(server->socket_path, &server->socket_file);
    }
    while (ours && server->listener >= 0 && (sock = ivf_fd_accept(server->listener)) >= 0) {
        ivf_fd_close_stream(sock);
    }
    ivf_fd_close(server->listener);
    g_free(server->socket_path);
}

/* Who is let in --------------------------------------------------------------------------------------------------- */

/* What the program's hooks hear of who is no client yet. */
static ivflat_server_client info_of(const ivflat_server *server, const struct ivf_identity *who, int32_t id)
{
    return (ivflat_server_client){
        .struct_size = sizeof(ivflat_server_client),
        .id = id < 0 ? IVFLAT_NOBODY_KNOWN : (uint32_t)id,
        .pid = who->pid,
        .uid = who->uid,
        .gid = who->gid,
        .vectors = server->vectors,
    };
}

static void refuse(ivflat_server *server, const ivflat_server_client *info, uint32_t reason, const char *text)
{
    server->counters[IVFLAT_SERVER_COUNT_REFUSED]++;
    ivf_server_tell_refused(server, info, reason, text);
    if (ivf_retry_may_tell(server, IVF_LACK_REFUSED)) {
        ivf_server_log(server, IVFLAT_LOG_WARNING,
                       "refused a client (process %d, user %d, group %d): %s; there are %u clients", info->pid,
                       (int)info->uid, (int)info->gid, text, server->all.length);
    }
}

/* Whom a limit keeps out: one of IVFLAT_REFUSED_..., and in words; 0: nobody. */
static uint32_t limit_of(const ivflat_server *server, const struct ivf_identity *who, int32_t id, char **text)
{
    const struct ivf_limits *limits = &server->limits;

    if (server->all.length >= limits->max_clients) {
        *text = g_strdup_printf("no more than %u clients may be there", limits->max_clients);
        return IVFLAT_REFUSED_CLIENTS;
    }
    if (limits->max_per_uid && ivf_clients_of(server, who->uid) >= limits->max_per_uid) {
        *text = g_strdup_printf("no more than %u clients of one user may be there", limits->max_per_uid);
        return IVFLAT_REFUSED_PER_UID;
    }
    if (id < 0) {
        *text = g_strdup("all 65,536 ids are taken");
        return IVFLAT_REFUSED_ID;
    }
    return 0;
}

/* Answers IVFLAT_REFUSED_..., and sets @text; 0: it is a client now. */
static uint32_t let_in(ivflat_server *server, int sock, const struct ivf_identity *who, int32_t id, char **text)
{
    ivflat_server_client info = info_of(server, who, id);
    uint32_t reason = limit_of(server, who, id, text);
    int result;

    if (reason == 0 && ivf_server_ask(server, &info) != 0) {
        *text = g_strdup("the program that runs the server does not want it");
        reason = IVFLAT_REFUSED_HOOK;
    }
    if (reason) {
        return reason;
    }
    result = ivf_clients_add(server, sock, (uint32_t)id, who);
    if (result < 0) {
        *text = g_strdup(g_strerror(-result));
        return IVFLAT_REFUSED_DESCRIPTORS;
    }
    return 0;
}

/* What may pass by itself is not asked for again at once. */
static bool may_pass(uint32_t reason)
{
    return reason == IVFLAT_REFUSED_ID || reason == IVFLAT_REFUSED_DESCRIPTORS;
}

static void take(ivflat_server *server, int sock)
{
    int32_t id = ivf_ids_next(&server->ids);
    struct ivf_identity who;
    ivflat_server_client info;
    char *text = NULL;
    uint32_t reason;

    ivf_io_identify(sock, &who);
    reason = let_in(server, sock, &who, id, &text);
    if (reason) {
        info = info_of(server, &who, id);
        refuse(server, &info, reason, text);
        ivf_fd_close_stream(sock);
    } else {
        ivf_retry_good(server, IVF_LACK_ACCEPT);
    }
    if (may_pass(reason)) {
        ivf_retry_pause(server);
    }
    g_free(text);
}

void ivf_door_accept(ivflat_server *server)
{
    int sock = ivf_clients_settled(server) && !server->paused ? ivf_fd_accept(server->listener) : -EAGAIN;

    if (sock >= 0) {
        take(server, sock);
    } else if (sock != -EAGAIN) {
        ivf_retry_pause(server);
        ivf_retry_tell(server, IVF_LACK_ACCEPT, "cannot accept a client now, it has to wait", sock);
    }
}
