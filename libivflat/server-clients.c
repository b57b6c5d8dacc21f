/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-clients.h"

#include "fdio.h"
#include "server-flow.h"
#include "server-hooks.h"
#include "server-retry.h"
#include "server-save.h"

#include <errno.h>
#include <inttypes.h>

#define SEND_TURN  IVF_IO_MOST /* messages to a client before the next one's turn */
#define SEND_SHARE 512u        /* messages in a dispatch */

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
static void doom(ivflat_server *server, struct ivf_client *client)
{
    if (client->state != IVF_CLIENT_DOOMED) {
        set_state(server, client, IVF_CLIENT_DOOMED);
        ivf_fd_unwatch(server->epoll, client->sock);
        ivf_reader_end(&client->reader, &server->news); /* what is published from now on is not for it */
    }
}

void ivf_clients_drop(ivflat_server *server, struct ivf_client *client, uint32_t reason, char *text)
{
    ivf_client_blame(client, reason, text);
    doom(server, client);
}

/* The bounds are for who does not read.  Where nothing was refused yet, the delay is our own. */
static void check_bounds(ivflat_server *server, struct ivf_client *client)
{
    const struct ivf_limits *limits = &server->limits;

    if (client->state != IVF_CLIENT_FULL && client->state != IVF_CLIENT_STALLED) {
        return;
    }
    if (ivf_client_news(client) > limits->max_queue) {
        ivf_clients_drop(server, client, IVFLAT_LEFT_SLOW,
                         g_strdup_printf("more than %u messages wait for it", limits->max_queue));
    } else if (client->reader.bytes > limits->max_queue_bytes) {
        ivf_clients_drop(
            server, client, IVFLAT_LEFT_SLOW,
            g_strdup_printf("what waits for it takes more than %" PRIu64 " bytes of memory", limits->max_queue_bytes));
    }
}

/* There may be something new for it. */
static void pushed(ivflat_server *server, struct ivf_client *client)
{
    if (client->state == IVF_CLIENT_IDLE && ivf_client_waiting(client) > 0) {
        set_state(server, client, IVF_CLIENT_RUNNING);
    }
    check_bounds(server, client);
}

/* All but the doomed ones are to be told. */
static void publish(ivflat_server *server, struct ivf_item *item)
{
    item->wanted++; /* by us: who is dropped for it must not be the last one to let it go */
    for (GList *link = server->all.head; link; link = link->next) {
        struct ivf_client *client = link->data;

        if (client->state != IVF_CLIENT_DOOMED) {
            ivf_reader_add(&client->reader, item);
            pushed(server, client);
        }
    }
    item->wanted--;
    ivf_news_tidy(&server->news, item);
}

/* P6: those that are there, in the order in which they came, then its own; P21: they hear of it first.  Of one that has
 * its place back they hear nothing: they never heard that it left. */
static void introduce(ivflat_server *server, struct ivf_client *client)
{
    struct ivf_item *kept = client->door->item;
    struct ivf_item *item = ivf_news_join(&server->news, client->announcement, kept ? IVF_ITEM_OWN : IVF_ITEM_JOIN);

    client->item = kept ? kept : item;
    if (client->door->keep) {
        client->door->item = client->item;
    }
    ivf_reader_begin(&client->reader, &server->news, client->announcement);
    publish(server, item);
    g_queue_push_tail_link(&server->all, &client->in_all);
    ivf_flow_join(client);
    pushed(server, client);
}

/* We ourselves take nobody's place. */
static void count_user(ivflat_server *server, const struct ivf_client *client, int32_t more)
{
    uint32_t uid = client->who.uid;
    uint32_t count = ivf_clients_of(server, uid) + (uint32_t)more;

    if (client->door->listener < 0) {
        server->own += (uint32_t)more;
    } else if (count > 0) {
        g_hash_table_insert(server->users, GUINT_TO_POINTER(uid), GUINT_TO_POINTER(count));
    } else {
        g_hash_table_remove(server->users, GUINT_TO_POINTER(uid));
    }
}

uint32_t ivf_clients_of(const ivflat_server *server, uint32_t uid)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(server->users, GUINT_TO_POINTER(uid)));
}

/* Its eventfds: new ones, or those that the others have already. */
static struct ivf_announcement *announcement_for(const ivflat_server *server, uint32_t id, const struct ivf_door *door)
{
    return door->item ? ivf_announcement_ref(door->item->announcement) : ivf_announcement_new(id, server->vectors);
}

/* For another process, should this one be killed. */
static void keep_descriptors(ivflat_server *server, struct ivf_client *client)
{
    struct ivf_announcement *announcement = client->announcement;

    if (!client->door->item) {
        announcement->key = ivf_save_keys(server, announcement->count);
        announcement->gone = server->keeper.gone;
        ivf_save_announced(server, announcement);
    }
    client->key = ivf_save_keys(server, 1);
    if (client->door->listener >= 0) {
        ivf_save_added(server, client->key, client->sock);
    }
    ivf_map_sent(&server->keeper.map, client->id, 0);
    ivf_save_changed(server);
}

int ivf_clients_add(ivflat_server *server, int sock, uint32_t id, struct ivf_door *door, const struct ivf_identity *who)
{
    struct ivf_announcement *announcement = announcement_for(server, id, door);
    struct ivf_client *client;
    int result = announcement ? ivf_fd_watch(server->epoll, sock, id) : -errno;

    if (result < 0) {
        g_clear_pointer(&announcement, ivf_announcement_unref);
        return result;
    }
    client = ivf_client_new(sock, announcement);
    client->who = *who;
    client->door = door;
    ivf_ids_hold(&server->ids, id, client);
    count_user(server, client, 1);
    keep_descriptors(server, client);
    introduce(server, client);
    server->counters[IVFLAT_SERVER_COUNT_JOINED]++;
    ivf_server_tell_joined(server, client);
    return 0;
}

int ivf_clients_restore(ivflat_server *server, struct ivf_client *client)
{
    ivf_ids_hold(&server->ids, client->id, client);
    count_user(server, client, 1);
    g_queue_push_tail_link(&server->all, &client->in_all);
    ivf_flow_join(client);
    pushed(server, client);
    return client->sock < 0 ? 0 : ivf_fd_watch(server->epoll, client->sock, client->id);
}

void ivf_clients_told_gone(ivflat_server *server)
{
    GHashTable *there = g_hash_table_new(NULL, NULL);
    GList *next;

    for (GList *link = server->all.head; link; link = link->next) {
        g_hash_table_add(there, ((struct ivf_client *)link->data)->item);
    }
    for (uint32_t i = 0; i < server->doors->len; i++) {
        g_hash_table_add(there, ((struct ivf_door *)g_ptr_array_index(server->doors, i))->item);
    }
    for (GList *link = server->news.items.head; link; link = next) {
        struct ivf_item *item = link->data;

        next = link->next; /* what is published comes behind it */
        if (item->kind == IVF_ITEM_JOIN && item->left == 0 && !g_hash_table_contains(there, item)) {
            struct ivf_item *leave = ivf_news_leave(&server->news, item);

            publish(server, leave);
        }
    }
    g_hash_table_unref(there);
    ivf_save_changed(server);
}

static void after_failure(ivflat_server *server, struct ivf_client *client, int error)
{
    switch (error) {
    case -EAGAIN:
        set_state(server, client, IVF_CLIENT_FULL);
        break;
    case -ETOOMANYREFS: /* our descriptors in flight, over all clients: somebody has to read */
    case -ENOBUFS:
    case -ENOMEM:
        set_state(server, client, IVF_CLIENT_STALLED);
        ivf_retry_send(server, error);
        break;
    case -EPIPE:
    case -ECONNRESET:
        ivf_clients_drop(server, client, IVFLAT_LEFT_CLOSED, g_strdup("it closed the connection"));
        break;
    default:
        ivf_clients_drop(server, client, IVFLAT_LEFT_BROKEN,
                         g_strdup_printf("cannot send to it: %s", g_strerror(-error)));
        break;
    }
}

/* What becomes of a client after its turn.  Fewer went out than were tried: what was the matter with the next one, a try when there is room will tell. */
static void after_send(ivflat_server *server, struct ivf_client *client, uint32_t sent, uint32_t wanted)
{
    server->counters[IVFLAT_SERVER_COUNT_MESSAGES] += sent;
    ivf_flow_sent(server, client, sent);
    if (sent < wanted) {
        set_state(server, client, IVF_CLIENT_FULL);
    } else {
        set_state(server, client, ivf_client_waiting(client) > 0 ? IVF_CLIENT_RUNNING : IVF_CLIENT_IDLE);
    }
}

/* One client's turn. */
static void send_to(ivflat_server *server, struct ivf_client *client)
{
    uint32_t room = ivf_flow_room(server, client, SEND_TURN);
    uint32_t wanted = 0;
    const struct ivf_source source = {&server->news, server->memory, &server->keeper.map};
    int sent = room > 0 ? ivf_client_send(client, &source, room, &wanted) : -EAGAIN;

    if (sent < 0) {
        after_failure(server, client, sent);
    } else {
        after_send(server, client, (uint32_t)sent, wanted);
    }
    check_bounds(server, client);
}

void ivf_clients_send(ivflat_server *server)
{
    ivf_save_now(server);
    for (uint32_t share = SEND_SHARE; share >= SEND_TURN && !g_queue_is_empty(&server->running); share -= SEND_TURN) {
        send_to(server, server->running.head->data);
    }
    if (g_queue_is_empty(&server->running) && g_queue_is_empty(&server->stalled)) {
        ivf_retry_good(server, IVF_LACK_SEND);
    }
}

static void drop(ivflat_server *server, struct ivf_client *client)
{
    g_queue_unlink(&server->doomed, &client->in_state);
    g_queue_unlink(&server->all, &client->in_all);
    ivf_flow_leave(server, client);
    ivf_ids_release(&server->ids, client->id);
    count_user(server, client, -1);
    ivf_save_gone(server, client->key);
    ivf_save_changed(server);
    if (!client->door->keep && client->item) {
        publish(server, ivf_news_leave(&server->news, client->item));
    }
    server->counters[IVFLAT_SERVER_COUNT_LEFT]++;
    server->counters[IVFLAT_SERVER_COUNT_DROPPED] += client->reason != IVFLAT_LEFT_CLOSED;
    ivf_server_tell_left(server, client);
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

void ivf_clients_reap_all(ivflat_server *server)
{
    while (!g_queue_is_empty(&server->doomed)) {
        drop(server, server->doomed.head->data);
    }
}

void ivf_clients_readable(ivflat_server *server, struct ivf_client *client)
{
    if (client->state != IVF_CLIENT_DOOMED && !ivf_client_read(client)) {
        doom(server, client);
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

        ivf_reader_end(&client->reader, &server->news);
        if (ours) {
            ivf_fd_unwatch(server->epoll, client->sock); /* others may keep copies of it (P16) */
        } else {
            ivf_fd_close(client->sock);
            client->sock = -1;
        }
        ivf_client_free(client);
    }
}
