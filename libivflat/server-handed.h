/* SPDX-License-Identifier: BSD-3-Clause */
/* Descriptors that another process had, by their names, until somebody takes them. */
#ifndef IVF_SERVER_HANDED_H
#define IVF_SERVER_HANDED_H

#include "server-state.h"

struct ivf_handed {
    GHashTable *fds;  /* name -> descriptor, those that nobody took yet */
    GPtrArray *names; /* of all that there were */
};

/* Reads a list of them (given): lines of "17 +3kf". */
void ivf_handed_read(struct ivf_handed *handed, int list);

/* The one of that name, or key, which is the caller's from now on; -1: there is none. */
int ivf_handed_take(struct ivf_handed *handed, const char *name);
int ivf_handed_take_key(struct ivf_handed *handed, uint64_t key);

/* Nothing of it is of use: whoever kept it may let go of all. */
void ivf_handed_disown(const struct ivf_handed *handed, ivflat_server *server);

/* Closes what nobody took: whoever kept it may let go of that, too. */
void ivf_handed_end(struct ivf_handed *handed, ivflat_server *server);

#endif
