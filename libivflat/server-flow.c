/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-flow.h"

#include "fdio.h"
#include "server-io.h"

#define ROOMY       277u /* messages a client, where there is room enough for all: the kernel's default */
#define TIGHT_MOST  6u   /* when there is not: what the kernel's smallest buffer takes */
#define TIGHT_LEAST 2u   /* the socket is writable again when one is left unread */
#define LOOK_MS     100  /* between two looks at all sockets */

void ivf_flow_init(ivflat_server *server)
{
    server->flow = (struct ivf_flow){.most = ivf_io_descriptors()};
}

static void set_room(const ivflat_server *server, const struct ivf_client *client)
{
    ivf_io_set_room(client->sock, server->flow.tight ? TIGHT_MOST : ROOMY);
}

void ivf_flow_join(const ivflat_server *server, const struct ivf_client *client)
{
    set_room(server, client);
}

void ivf_flow_leave(ivflat_server *server, struct ivf_client *client)
{
    server->flow.under_way -= client->unread;
    client->unread = 0;
}

static void look_at(ivflat_server *server, struct ivf_client *client)
{
    uint32_t unread = ivf_io_unread(client->sock);

    server->flow.under_way += unread;
    server->flow.under_way -= client->unread;
    client->unread = unread;
}

static void set_tight(ivflat_server *server, bool tight)
{
    if (server->flow.tight == tight) {
        return;
    }
    server->flow.tight = tight;
    for (GList *link = server->all.head; link; link = link->next) {
        set_room(server, link->data);
    }
}

static void look_at_all(ivflat_server *server)
{
    int64_t now = ivf_fd_now();

    if (server->flow.looked && now < server->flow.looked + LOOK_MS) {
        return;
    }
    server->flow.looked = now;
    for (GList *link = server->all.head; link; link = link->next) {
        look_at(server, link->data);
    }
    if (server->flow.under_way < server->flow.most / 8) {
        set_tight(server, false);
    }
}

/* All of them together could not fill half of what the kernel allows. */
static bool is_plenty(const ivflat_server *server)
{
    return server->all.length * (uint64_t)ROOMY <= server->flow.most / 2;
}

uint32_t ivf_flow_room(ivflat_server *server, struct ivf_client *client, uint32_t most)
{
    uint64_t each = server->flow.most / 2 / MAX(server->all.length, 1);

    if (is_plenty(server)) {
        return most;
    }
    look_at_all(server);
    look_at(server, client);
    if (server->flow.under_way >= server->flow.most / 4) {
        set_tight(server, true);
    }
    each = server->flow.tight ? CLAMP(each, TIGHT_LEAST, TIGHT_MOST) : ROOMY;
    return (uint32_t)MIN(most, each - MIN(each, client->unread));
}

void ivf_flow_sent(ivflat_server *server, struct ivf_client *client, uint32_t count)
{
    if (!is_plenty(server)) {
        server->flow.under_way += count;
        client->unread += count;
    }
}
