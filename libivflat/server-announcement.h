/* SPDX-License-Identifier: BSD-3-Clause */
/* What a client is to the others: its id and its eventfds.  Counted, for a queue may need the eventfds of one that is
 * gone already. */
#ifndef IVF_SERVER_ANNOUNCEMENT_H
#define IVF_SERVER_ANNOUNCEMENT_H

#include <glib.h>
#include <stdint.h>

struct ivf_announcement {
    uint64_t key; /* of the first eventfd, for whoever keeps them for us; the others follow */
    GArray *gone; /* lent: where the keys go when they are closed; NULL: nobody keeps them */
    uint32_t id;
    uint32_t count;
    int fds[];
};

/* With @count eventfds.  NULL: errno says why there are not so many. */
struct ivf_announcement *ivf_announcement_new(uint32_t id, uint32_t count);

/* With none yet: each is -1. */
struct ivf_announcement *ivf_announcement_empty(uint32_t id, uint32_t count);

struct ivf_announcement *ivf_announcement_ref(struct ivf_announcement *announcement);

/* The last one closes the eventfds. */
void ivf_announcement_unref(struct ivf_announcement *announcement);

#endif
