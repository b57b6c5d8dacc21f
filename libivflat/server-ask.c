/* SPDX-License-Identifier: BSD-3-Clause */
/* What may be asked of a server, and of its clients. */
#include <libivflat/ivflat-server.h>

#include "error.h"
#include "server-clients.h"
#include "server-hooks.h"
#include "server-state.h"

#include <stddef.h>
#include <string.h>

#define FIRST_CLIENT ((uint32_t)(offsetof(ivflat_server_client, age_ms) + sizeof(uint64_t)))

#define INVALID(...) ivf_fail(IVFLAT_ERR_INVALID, __VA_ARGS__)

uint32_t ivflat_server_clients(const ivflat_server *server)
{
    return server ? server->all.length : 0;
}

static struct ivf_client *next_client(const ivflat_server *server, int64_t after)
{
    struct ivf_client *client = NULL;

    for (uint64_t id = (uint64_t)(after + 1); id < IVFLAT_MAX_PEERS && !client; id++) {
        client = ivf_ids_holder(&server->ids, id);
    }
    return client;
}

int32_t ivflat_server_next_client(const ivflat_server *server, int32_t after, ivflat_server_client *client)
{
    const struct ivf_client *next;
    ivflat_server_client info;
    uint32_t size = client ? client->struct_size : 0;

    if (!server || after < -1 || (client && size < FIRST_CLIENT)) {
        return INVALID("ivflat_server_next_client() needs a server, an id or -1, and in the client its struct_size");
    }
    next = next_client(server, after);
    if (next && client) {
        ivf_server_describe(server, next, &info);
        info.struct_size = size;
        memset(client, 0, size);
        memcpy(client, &info, MIN(size, sizeof(info)));
    }
    return next ? (int32_t)next->id : -1;
}

uint64_t ivflat_server_counter(const ivflat_server *server, uint32_t which)
{
    return server && which < IVF_COUNTERS ? server->counters[which] : 0;
}

int32_t ivflat_server_drop(ivflat_server *server, uint32_t id)
{
    struct ivf_client *client = server ? ivf_ids_holder(&server->ids, id) : NULL;

    if (!client) {
        return INVALID("ivflat_server_drop() needs a server, and the id of one of its clients");
    }
    ivf_clients_drop(server, client, IVFLAT_LEFT_DROPPED, g_strdup("the program that runs the server wanted it gone"));
    ivf_fd_event_set(server->wake);
    return 0;
}

uint64_t ivflat_server_memory_size(const ivflat_server *server)
{
    return server ? server->memory_size : 0;
}

int32_t ivflat_server_memory_fd(const ivflat_server *server)
{
    return server ? server->memory : IVFLAT_ERR_INVALID;
}
