/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-dispatch.h"

#include "fdio.h"
#include "server-admit.h"
#include "server-clients.h"
#include "server-retry.h"
#include "server-save.h"
#include "server-seats.h"

#define EVENTS 64 /* in a dispatch */

static void on_client(ivflat_server *server, const struct ivf_ready *ready)
{
    struct ivf_client *client = ivf_ids_holder(&server->ids, ready->tag);

    if (client && ready->readable) {
        ivf_clients_readable(server, client);
    }
    if (client && ready->writable) {
        ivf_clients_writable(server, client);
    }
}

static void on_ready(ivflat_server *server, const struct ivf_ready *ready)
{
    switch (ready->tag) {
    case IVF_TAG_WAKE: /* is cleared already */
        break;
    case IVF_TAG_TIMER:
        ivf_retry_over(server);
        ivf_clients_retry(server);
        break;
    default:
        on_client(server, ready);
        break;
    }
}

int ivf_server_dispatch(ivflat_server *server)
{
    struct ivf_ready ready[EVENTS];
    uint64_t knocked = 0;
    int count;

    ivf_save_take_back(server);
    ivf_seats_asked(server);
    ivf_fd_event_clear(server->wake);
    count = ivf_fd_ready(server->epoll, ready, EVENTS);
    for (int i = 0; i < count; i++) {
        on_ready(server, &ready[i]);
        knocked = knocked < IVF_TAG_DOOR ? ready[i].tag : knocked;
    }
    if (knocked >= IVF_TAG_DOOR) { /* after all others: those that can be sent to go first; epoll takes turns */
        ivf_admit_next(server, knocked - IVF_TAG_DOOR);
    }
    ivf_clients_reap(server);
    ivf_clients_send(server);
    ivf_clients_reap(server);
    ivf_save_now(server);
    if (!ivf_clients_settled(server) || !g_queue_is_empty(&server->doomed)) {
        ivf_fd_event_set(server->wake); /* work is left */
    }
    return count < 0 ? count : 0;
}
