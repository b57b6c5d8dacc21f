/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-ids.h"

#include <glib.h>
#include <libivflat/ivflat.h>

#define IDS IVFLAT_MAX_PEERS

void ivf_ids_init(struct ivf_ids *ids, bool lowest)
{
    *ids = (struct ivf_ids){.holders = g_new0(void *, IDS), .reserved = g_new0(bool, IDS), .lowest = lowest};
}

void ivf_ids_fini(struct ivf_ids *ids)
{
    g_clear_pointer(&ids->holders, g_free);
    g_clear_pointer(&ids->reserved, g_free);
}

int32_t ivf_ids_next(struct ivf_ids *ids)
{
    if (ids->count == IDS) {
        return -1;
    }
    while (ids->holders[ids->next] || ids->reserved[ids->next]) {
        ids->next = (ids->next + 1) % IDS;
    }
    return (int32_t)ids->next;
}

void ivf_ids_reserve(struct ivf_ids *ids, uint32_t id)
{
    ids->count += !ids->reserved[id] && !ids->holders[id];
    ids->reserved[id] = true;
}

void ivf_ids_hold(struct ivf_ids *ids, uint32_t id, void *holder)
{
    ids->holders[id] = holder;
    if (ids->reserved[id]) {
        return;
    }
    ids->next = ids->lowest ? ids->next : (id + 1) % IDS;
    ids->count++;
}

void ivf_ids_release(struct ivf_ids *ids, uint32_t id)
{
    ids->holders[id] = NULL;
    if (ids->reserved[id]) {
        return;
    }
    ids->count--;
    if (ids->lowest && id < ids->next) {
        ids->next = id;
    }
}

void *ivf_ids_holder(const struct ivf_ids *ids, uint64_t id)
{
    return id < IDS ? ids->holders[id] : NULL;
}
