/* SPDX-License-Identifier: BSD-3-Clause */
/* A server that keeps its state, whoever keeps its descriptors, and a kill: what a forked child sees of a server that is
 * not its own, for descriptors are closed then, and nothing else is done. */
#ifndef RESTARTED_H
#define RESTARTED_H

#include "served.h"

#include "server-state.h"

struct restarted {
    struct served served;
    ivflat_server_config config; /* of the next one */
    GHashTable *store;           /* name -> our dup of a descriptor */
};
extern struct restarted restarted;

void restarted_begin(uint32_t vectors);

/* Both of them, or one after the other. */
void restarted_kill(void);
void restarted_restart(void);
void restarted_again(void);

#endif
