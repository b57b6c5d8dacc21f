/* SPDX-License-Identifier: BSD-3-Clause */
/* The only file of the server that calls a hook.  Whoever comes here has the tables in order. */
#include "server-hooks.h"

#include <stdarg.h>

void ivf_server_tell_joined(ivflat_server *server, uint32_t id, int32_t pid)
{
    if (server->hooks.client_joined) {
        server->in_hook = true;
        server->hooks.client_joined(server->hooks.user, id, pid);
        server->in_hook = false;
    }
}

void ivf_server_tell_left(ivflat_server *server, uint32_t id, const char *reason)
{
    if (server->hooks.client_left) {
        server->in_hook = true;
        server->hooks.client_left(server->hooks.user, id, reason);
        server->in_hook = false;
    }
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
