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

static void set_narrow(struct ivf_client *client, bool narrow)
{
    client->narrow = narrow;
    ivf_io_set_room(client->sock, narrow ? TIGHT_MOST : ROOMY);
}

void ivf_flow_join(struct ivf_client *client)
{
    set_narrow(client, false);
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

/* Those that were held back for all others' sake are not any more. */
static void loosen(ivflat_server *server)
{
    server->flow.tight = false;
    for (GList *link = server->all.head; link; link = link->next) {
        struct ivf_client *client = link->data;

        if (client->narrow) {
            set_narrow(client, false);
        }
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
    if (server->flow.tight && server->flow.under_way < server->flow.most / 8) {
        loosen(server);
    }
}

/* All of them together could not fill half of what the kernel allows. */
static bool is_plenty(const ivflat_server *server)
{
    return server->all.length * (uint64_t)ROOMY <= server->flow.most / 2;
}

/* How many it may have unread when all together may not have many: a few, for who does not read must not use up what
 * there is; but who has read all gets a share of what is left, for it should not have to wait for each few. */
static uint32_t tight_room(const ivflat_server *server, const struct ivf_client *client)
{
    const struct ivf_flow *flow = &server->flow;
    uint64_t few = CLAMP(flow->most / 2 / MAX(server->all.length, 1), TIGHT_LEAST, TIGHT_MOST);
    uint64_t left = flow->most / 8 * 3 - MIN(flow->most / 8 * 3, flow->under_way);

    return (uint32_t)(client->unread == 0 ? CLAMP(left / 8, few, ROOMY) : few);
}

uint32_t ivf_flow_room(ivflat_server *server, struct ivf_client *client, uint32_t most)
{
    uint32_t each = ROOMY;
    bool narrow = false;

    if (is_plenty(server)) {
        return most;
    }
    look_at_all(server);
    look_at(server, client);
    server->flow.tight |= server->flow.under_way >= server->flow.most / 4;
    if (server->flow.tight) {
        each = tight_room(server, client);
        narrow = client->unread >= each;
    }
    if (client->narrow != narrow) {
        set_narrow(client, narrow);
    }
    return MIN(most, each - MIN(each, client->unread));
}

void ivf_flow_sent(ivflat_server *server, struct ivf_client *client, uint32_t count)
{
    if (!is_plenty(server)) {
        server->flow.under_way += count;
        client->unread += count;
    }
}
