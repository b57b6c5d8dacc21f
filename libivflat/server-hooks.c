/* SPDX-License-Identifier: BSD-3-Clause */
/* The only file of the server that calls a hook.  Whoever comes here has the tables in order. */
#include "server-hooks.h"

#include <stdarg.h>

void ivf_server_describe(const ivflat_server *server, const struct ivf_client *client, ivflat_server_client *info)
{
    *info = (ivflat_server_client){
        .struct_size = sizeof(*info),
        .id = client->id,
        .pid = client->who.pid,
        .uid = client->who.uid,
        .gid = client->who.gid,
        .vectors = server->vectors,
        .sent = client->sent,
        .waiting = ivf_client_waiting(client),
        .received = client->received,
        .age_ms = (uint64_t)(ivf_fd_now() - client->since),
    };
}

int32_t ivf_server_ask(ivflat_server *server, const ivflat_server_client *info)
{
    int32_t answer = 0;

    if (server->hooks.client_connected) {
        server->in_hook = true;
        answer = server->hooks.client_connected(server->hooks.user, info);
        server->in_hook = false;
    }
    return answer;
}

void ivf_server_tell_joined(ivflat_server *server, const struct ivf_client *client)
{
    ivflat_server_client info;

    if (server->hooks.client_joined) {
        ivf_server_describe(server, client, &info);
        server->in_hook = true;
        server->hooks.client_joined(server->hooks.user, &info);
        server->in_hook = false;
    }
}

void ivf_server_tell_left(ivflat_server *server, const struct ivf_client *client)
{
    ivflat_server_client info;

    if (server->hooks.client_left) {
        ivf_server_describe(server, client, &info);
        server->in_hook = true;
        server->hooks.client_left(server->hooks.user, &info, client->reason, client->text);
        server->in_hook = false;
    }
}

void ivf_server_tell_refused(ivflat_server *server, const ivflat_server_client *info, uint32_t reason, const char *text)
{
    if (server->hooks.client_refused) {
        server->in_hook = true;
        server->hooks.client_refused(server->hooks.user, info, reason, text);
        server->in_hook = false;
    }
}

void ivf_server_tell_stored(ivflat_server *server, const char *name, int fd)
{
    bool before = server->in_hook;

    server->in_hook = true;
    if (fd >= 0 && server->hooks.descriptor_added) {
        server->hooks.descriptor_added(server->hooks.user, name, fd);
    } else if (fd < 0 && server->hooks.descriptor_removed) {
        server->hooks.descriptor_removed(server->hooks.user, name);
    }
    server->in_hook = before;
}

static void tell_log(ivflat_server *server, uint32_t level, const char *text)
{
    if (server->hooks.log) {
        bool before = server->in_hook; /* ivflat_server_free() logs from inside one */

        server->in_hook = true;
        server->hooks.log(server->hooks.user, level, text);
        server->in_hook = before;
    }
}

void ivf_server_log(ivflat_server *server, uint32_t level, const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    tell_log(server, level, text);
    g_free(text);
}
