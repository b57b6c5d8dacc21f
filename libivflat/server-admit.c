/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-admit.h"

#include "fdio.h"
#include "server-clients.h"
#include "server-hooks.h"
#include "server-io.h"
#include "server-retry.h"

#include <errno.h>
#include <inttypes.h>

/* What the program's hooks hear of who is no client yet. */
static ivflat_server_client info_of(const ivflat_server *server, const struct ivf_identity *who, int32_t id)
{
    return (ivflat_server_client){
        .struct_size = sizeof(ivflat_server_client),
        .id = id < 0 ? IVFLAT_NOBODY_KNOWN : (uint32_t)id,
        .pid = who->pid,
        .uid = who->uid,
        .gid = who->gid,
        .vectors = server->vectors,
    };
}

/* -1 where it is not known. */
static int64_t number_of(uint32_t id)
{
    return id == IVFLAT_NOBODY_KNOWN ? -1 : (int64_t)id;
}

static void refuse(ivflat_server *server, const ivflat_server_client *info, uint32_t reason, const char *text)
{
    server->counters[IVFLAT_SERVER_COUNT_REFUSED]++;
    ivf_server_tell_refused(server, info, reason, text);
    if (ivf_retry_may_tell(server, IVF_LACK_REFUSED)) {
        ivf_server_log(server, IVFLAT_LOG_WARNING,
                       "refused a client (process %d, user %" PRId64 ", group %" PRId64 "): %s; there are %u clients",
                       info->pid, number_of(info->uid), number_of(info->gid), text, server->all.length);
    }
}

static bool has(const GArray *list, uint32_t number)
{
    for (uint32_t i = 0; list && i < list->len; i++) {
        if (g_array_index(list, uint32_t, i) == number) {
            return true;
        }
    }
    return false;
}

static bool may_join(const ivflat_server *server, const struct ivf_identity *who)
{
    bool all = !server->allow_uids && !server->allow_gids;

    return all || has(server->allow_uids, who->uid) || has(server->allow_gids, who->gid);
}

/* Whom a bound keeps out: one of IVFLAT_REFUSED_..., and in words; 0: nobody. */
static uint32_t bound_of(const ivflat_server *server, const struct ivf_identity *who, char **text)
{
    const struct ivf_limits *limits = &server->limits;

    if (!may_join(server, who)) {
        *text = g_strdup("neither its user nor its group may join");
        return IVFLAT_REFUSED_USER;
    }
    if (server->all.length - server->own >= limits->max_clients) {
        *text = g_strdup_printf("no more than %u clients may be there", limits->max_clients);
        return IVFLAT_REFUSED_CLIENTS;
    }
    if (limits->max_per_uid && ivf_clients_of(server, who->uid) >= limits->max_per_uid) {
        *text = g_strdup_printf("no more than %u clients of one user may be there", limits->max_per_uid);
        return IVFLAT_REFUSED_PER_UID;
    }
    return 0;
}

/* The same for the id that it would have. */
static uint32_t id_of(ivflat_server *server, const struct ivf_door *door, int32_t *id, char **text)
{
    *id = door->id < 0 ? ivf_ids_next(&server->ids) : door->id;
    if (*id < 0) {
        *text = g_strdup("all 65,536 ids are taken");
        return IVFLAT_REFUSED_ID;
    }
    if (ivf_ids_holder(&server->ids, (uint64_t)*id)) {
        *text = g_strdup_printf("id %d, which is the only one at its socket, is taken", *id);
        return IVFLAT_REFUSED_ID;
    }
    return 0;
}

/* Answers IVFLAT_REFUSED_..., and sets @text; 0: it is a client now. */
static uint32_t let_in(ivflat_server *server, int sock, struct ivf_door *door, ivflat_server_client *info, char **text)
{
    struct ivf_identity who;
    uint32_t reason;
    int32_t id;
    int result;

    ivf_io_identify(sock, &who);
    reason = id_of(server, door, &id, text);
    *info = info_of(server, &who, id);
    if (reason == 0) {
        reason = bound_of(server, &who, text);
    }
    if (reason == 0 && ivf_server_ask(server, info) != 0) {
        *text = g_strdup("the program that runs the server does not want it");
        reason = IVFLAT_REFUSED_HOOK;
    }
    if (reason) {
        return reason;
    }
    result = ivf_clients_add(server, sock, (uint32_t)id, door, &who);
    *text = result < 0 ? g_strdup(g_strerror(-result)) : NULL;
    return result < 0 ? IVFLAT_REFUSED_DESCRIPTORS : 0;
}

/* What may pass by itself is not asked for again at once. */
static bool may_pass(const struct ivf_door *door, uint32_t reason)
{
    return reason == IVFLAT_REFUSED_DESCRIPTORS || (reason == IVFLAT_REFUSED_ID && door->id < 0);
}

static void take(ivflat_server *server, int sock, struct ivf_door *door)
{
    ivflat_server_client info;
    char *text = NULL;
    uint32_t reason = let_in(server, sock, door, &info, &text);

    if (reason) {
        refuse(server, &info, reason, text);
        ivf_fd_close_stream(sock);
    } else {
        ivf_retry_good(server, IVF_LACK_ACCEPT);
    }
    if (may_pass(door, reason)) {
        ivf_retry_pause(server);
    }
    g_free(text);
}

void ivf_admit_next(ivflat_server *server, uint64_t number)
{
    struct ivf_door *door = g_ptr_array_index(server->doors, number);
    int sock = ivf_clients_settled(server) && !server->paused ? ivf_fd_accept(door->listener) : -EAGAIN;

    if (sock >= 0) {
        take(server, sock, door);
    } else if (sock != -EAGAIN) {
        ivf_retry_pause(server);
        ivf_retry_tell(server, IVF_LACK_ACCEPT, "cannot accept a client now, it has to wait", sock);
    }
}
