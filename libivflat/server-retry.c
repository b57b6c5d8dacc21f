/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-retry.h"

#include "fdio.h"
#include "server-doors.h"
#include "server-hooks.h"

#include <errno.h>

#define RETRY_MS 100
#define QUIET_MS 1000 /* between two lines about the same */

static const char *reason_of(int error)
{
    switch (error) {
    case -ETOOMANYREFS:
        return "too many descriptors are under way to clients that have not read them";
    default:
        return g_strerror(-error);
    }
}

bool ivf_retry_may_tell(ivflat_server *server, enum ivf_lack lack)
{
    int64_t now = ivf_fd_now();

    if (now < server->quiet_until[lack]) {
        return false;
    }
    server->quiet_until[lack] = now + QUIET_MS;
    return true;
}

void ivf_retry_tell(ivflat_server *server, enum ivf_lack lack, const char *what, int error)
{
    if (!server->told[lack] && ivf_retry_may_tell(server, lack)) {
        server->told[lack] = true;
        ivf_server_log(server, IVFLAT_LOG_WARNING, "%s: %s; there are %u clients", what, reason_of(error),
                       server->all.length);
    }
}

/* Never later than it was to come: another lack must not put it off for ever. */
static void retry_later(ivflat_server *server)
{
    if (!server->armed) {
        server->armed = true;
        ivf_fd_timer_set(server->timer, ivf_fd_now() + RETRY_MS);
    }
}

void ivf_retry_pause(ivflat_server *server)
{
    server->paused = true;
    ivf_doors_unwatch(server);
    retry_later(server);
}

void ivf_retry_send(ivflat_server *server, int error)
{
    retry_later(server);
    ivf_retry_tell(server, IVF_LACK_SEND, "cannot send to a client now, it has to wait", error);
}

void ivf_retry_good(ivflat_server *server, enum ivf_lack lack)
{
    server->told[lack] = false;
}

static void accept_again(ivflat_server *server)
{
    if (!server->paused) {
        return;
    }
    if (ivf_doors_watch(server) == 0) {
        server->paused = false;
    } else {
        retry_later(server);
    }
}

void ivf_retry_over(ivflat_server *server)
{
    ivf_fd_timer_set(server->timer, 0);
    server->armed = false;
    server->left = false;
    accept_again(server);
}

bool ivf_retry_left(ivflat_server *server)
{
    if (!server->armed || server->left) {
        return false;
    }
    server->left = true;
    accept_again(server);
    return true;
}
