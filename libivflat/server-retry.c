/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-retry.h"

#include "fdio.h"
#include "server-hooks.h"

#include <errno.h>

#define RETRY_MS 100

void ivf_retry_later(ivflat_server *server)
{
    ivf_fd_timer_set(server->timer, ivf_fd_now() + RETRY_MS);
}

void ivf_retry_pause(ivflat_server *server, const char *what, int error)
{
    server->paused = true;
    ivf_fd_unwatch(server->epoll, server->listener);
    ivf_retry_later(server);
    if (!server->told) {
        server->told = true;
        ivf_server_log(server, IVFLAT_LOG_WARNING, "%s: %s; there are %u clients", what,
                       error == -EUSERS ? "all 65,536 ids are taken" : g_strerror(-error), server->all.length);
    }
}

void ivf_retry_accepting(ivflat_server *server)
{
    if (server->paused && ivf_fd_watch(server->epoll, server->listener, IVF_TAG_LISTENER) == 0) {
        server->paused = false;
    }
}

void ivf_retry_over(ivflat_server *server)
{
    ivf_fd_timer_set(server->timer, 0);
    ivf_retry_accepting(server);
}
