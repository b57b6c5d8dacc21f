/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has which id.  Ids go up from 0; a freed one is given again only when 65,535 is past, for some clients corrupt
 * their heap when one comes back (P11): or, where that was asked for, at once. */
#ifndef IVF_SERVER_IDS_H
#define IVF_SERVER_IDS_H

#include <stdbool.h>
#include <stdint.h>

struct ivf_ids {
    void **holders; /* 65,536, NULL: free */
    uint32_t next;  /* to look at first */
    bool lowest;    /* the lowest free one is next */
    uint32_t count; /* that are held or reserved */
    bool *reserved; /* never next */
};

void ivf_ids_init(struct ivf_ids *ids, bool lowest);
void ivf_ids_fini(struct ivf_ids *ids);

/* The free id that is next; -1: all are held. */
int32_t ivf_ids_next(struct ivf_ids *ids);

/* Nobody gets it by ivf_ids_next() from now on. */
void ivf_ids_reserve(struct ivf_ids *ids, uint32_t id);

void ivf_ids_hold(struct ivf_ids *ids, uint32_t id, void *holder);

void ivf_ids_release(struct ivf_ids *ids, uint32_t id);

/* Who holds it; NULL: nobody, or it is no id. */
void *ivf_ids_holder(const struct ivf_ids *ids, uint64_t id);

#endif
