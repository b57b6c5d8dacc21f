/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-clients.h"

#include "fdio.h"
#include "server-hooks.h"
#include "server-retry.h"

#include <errno.h>

#define SEND_TURN  32u  /* messages to a client before the next one's turn */
#define SEND_SHARE 512u /* messages in a dispatch */

/* The list of those in a state; NULL: there is none. */
static GQueue *list_of(ivflat_server *server, enum ivf_client_state state)
{
    switch (state) {
    case IVF_CLIENT_RUNNING:
        return &server->running;
    case IVF_CLIENT_STALLED:
        return &server->stalled;
    case IVF_CLIENT_DOOMED:
        return &server->doomed;
    default:
        return NULL;
    }
}

static void set_state(ivflat_server *server, struct ivf_client *client, enum ivf_client_state state)
{
    GQueue *before = list_of(server, client->state);
    GQueue *after = list_of(server, state);

    if ((client->state == IVF_CLIENT_FULL) != (state == IVF_CLIENT_FULL)) {
        ivf_fd_watch_writable(server->epoll, client->sock, client->id, state == IVF_CLIENT_FULL);
    }
    if (before) {
        g_queue_unlink(before, &client->in_state);
    }
    client->state = state;
    if (after) {
        g_queue_push_tail_link(after, &client->in_state);
    }
}

/* It is dropped in ivf_clients_reap(): here somebody may be going through the lists. */
static void doom(ivflat_server *server, struct ivf_client *client, char *reason)
{
    if (client->state == IVF_CLIENT_DOOMED) {
        g_free(reason);
        return;
    }
    if (reason) {
        g_free(client->reason);
        client->reason = reason;
    }
    set_state(server, client, IVF_CLIENT_DOOMED);
    ivf_fd_unwatch(server->epoll, client->sock);
}

/* The bound is for who does not read.  Where nothing was refused yet, the delay is our own. */
static void check_bound(ivflat_server *server, struct ivf_client *client)
{
    bool refused = client->state == IVF_CLIENT_FULL || client->state == IVF_CLIENT_STALLED;

    if (refused && ivf_client_over(client, server->max_queue)) {
        doom(server, client, g_strdup_printf("more than %u messages wait for it", server->max_queue));
    }
}

/* Something was put into its queue. */
static void pushed(ivflat_server *server, struct ivf_client *client)
{
    if (client->state == IVF_CLIENT_IDLE && client->queue.messages > 0) {
        set_state(server, client, IVF_CLIENT_RUNNING);
    }
    check_bound(server, client);
}

/* P6: those that are there, in the order in which they came, then its own; P21: they hear of it first. */
static void introduce(ivflat_server *server, struct ivf_client *client)
{
    ivf_client_greet(client, server->memory);
    for (GList *link = server->all.head; link; link = link->next) {
        struct ivf_client *other = link->data;

        ivf_queue_push_vectors(&client->queue, other->announcement);
        if (other->state != IVF_CLIENT_DOOMED) {
            ivf_queue_push_vectors(&other->queue, client->announcement);
            pushed(server, other);
        }
    }
    ivf_client_greet_end(client);
    g_queue_push_tail_link(&server->all, &client->in_all);
    pushed(server, client);
}

/* Its id, its eventfds, and a place in epoll; or -errno. */
static int new_client(ivflat_server *server, int sock, struct ivf_client **client)
{
    int32_t id = ivf_ids_next(&server->ids);
    struct ivf_announcement *announcement;
    int result;

    if (id < 0) {
        return -EUSERS;
    }
    announcement = ivf_announcement_new((uint32_t)id, server->vectors);
    if (!announcement) {
        return -errno;
    }
    result = ivf_fd_watch(server->epoll, sock, (uint64_t)id);
    if (result < 0) {
        ivf_announcement_unref(announcement);
        return result;
    }
    *client = ivf_client_new(sock, announcement);
    ivf_ids_hold(&server->ids, (uint32_t)id, *client);
    return 0;
}

int ivf_clients_add(ivflat_server *server, int sock)
{
    int32_t pid = ivf_fd_peer_pid(sock);
    struct ivf_client *client = NULL;
    int result = new_client(server, sock, &client);

    if (result < 0) {
        ivf_fd_close_stream(sock);
        return result;
    }
    introduce(server, client);
    ivf_server_tell_joined(server, client->id, pid);
    return 0;
}

/* What becomes of it after a turn. */
static void after_send(ivflat_server *server, struct ivf_client *client, int result)
{
    switch (result) {
    case 0:
        set_state(server, client, client->queue.messages > 0 ? IVF_CLIENT_RUNNING : IVF_CLIENT_IDLE);
        break;
    case -EAGAIN:
        set_state(server, client, IVF_CLIENT_FULL);
        break;
    case -ETOOMANYREFS: /* our descriptors in flight, over all clients: somebody has to read */
    case -ENOBUFS:
    case -ENOMEM:
        set_state(server, client, IVF_CLIENT_STALLED);
        ivf_retry_send(server, result);
        break;
    case -EPIPE:
    case -ECONNRESET:
        doom(server, client, g_strdup("it closed the connection"));
        break;
    default:
        doom(server, client, g_strdup_printf("cannot send to it: %s", g_strerror(-result)));
        break;
    }
    check_bound(server, client);
}

void ivf_clients_send(ivflat_server *server)
{
    for (uint32_t share = SEND_SHARE; share >= SEND_TURN && !g_queue_is_empty(&server->running); share -= SEND_TURN) {
        struct ivf_client *client = server->running.head->data;

        after_send(server, client, ivf_client_send(client, SEND_TURN));
    }
    if (g_queue_is_empty(&server->running) && g_queue_is_empty(&server->stalled)) {
        ivf_retry_good(server, IVF_LACK_SEND);
    }
}

/* Nobody hears of it before all of its vectors: the same queue has both. */
static void announce_leave(ivflat_server *server, uint32_t id)
{
    for (GList *link = server->all.head; link; link = link->next) {
        struct ivf_client *other = link->data;

        if (other->state != IVF_CLIENT_DOOMED) {
            ivf_queue_push(&other->queue, (int32_t)id, -1);
            pushed(server, other);
        }
    }
}

static void drop(ivflat_server *server, struct ivf_client *client)
{
    g_queue_unlink(&server->doomed, &client->in_state);
    g_queue_unlink(&server->all, &client->in_all);
    ivf_ids_release(&server->ids, client->id);
    announce_leave(server, client->id);
    ivf_server_tell_left(server, client->id, client->reason);
    ivf_client_free(client);
}

bool ivf_clients_settled(const ivflat_server *server)
{
    return server->running.length == 0;
}

void ivf_clients_reap(ivflat_server *server)
{
    while (!g_queue_is_empty(&server->doomed) && ivf_clients_settled(server)) {
        drop(server, server->doomed.head->data);
        if (ivf_retry_left(server)) { /* there are descriptors again */
            ivf_clients_retry(server);
        }
    }
}

void ivf_clients_readable(ivflat_server *server, struct ivf_client *client)
{
    if (client->state != IVF_CLIENT_DOOMED && !ivf_client_read(client)) {
        doom(server, client, NULL);
    }
}

void ivf_clients_writable(ivflat_server *server, struct ivf_client *client)
{
    if (client->state == IVF_CLIENT_FULL) {
        set_state(server, client, IVF_CLIENT_RUNNING);
    }
}

void ivf_clients_retry(ivflat_server *server)
{
    while (!g_queue_is_empty(&server->stalled)) {
        set_state(server, server->stalled.head->data, IVF_CLIENT_RUNNING);
    }
}

void ivf_clients_close(ivflat_server *server, bool ours)
{
    GList *link;

    while ((link = g_queue_pop_head_link(&server->all))) {
        struct ivf_client *client = link->data;

        if (!ours) {
            ivf_fd_close(client->sock);
            client->sock = -1;
        }
        ivf_client_free(client);
    }
}
