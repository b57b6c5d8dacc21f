/* SPDX-License-Identifier: BSD-3-Clause */
/* Writing the server's state down, for a process that goes on where this one ends. */
#ifndef IVF_SERVER_SAVE_H
#define IVF_SERVER_SAVE_H

#include "server-state.h"

/* Keys and names of descriptors: the next @count free keys; a name for a key, to be freed, and back (0: it is none). */
uint64_t ivf_save_keys(ivflat_server *server, uint32_t count);
char *ivf_save_name(uint64_t key);
uint64_t ivf_save_key(const char *name);

#define IVF_STATE_NAME "+state"

/* From now on the state is kept, so that a process that is killed can be replaced.  -errno: it cannot be. */
int ivf_save_begin(ivflat_server *server);

/* Something is not as it was written: it will be, before the next message goes out. */
void ivf_save_changed(ivflat_server *server);

/* Writes what has changed, if it is kept, and lets go of what no record names any more. */
void ivf_save_now(ivflat_server *server);

/* New descriptors, for whoever keeps them for us. */
void ivf_save_added(ivflat_server *server, uint64_t key, int fd);
void ivf_save_announced(ivflat_server *server, const struct ivf_announcement *announcement);
/* One that is closed, or soon will be. */
void ivf_save_gone(ivflat_server *server, uint64_t key);

/* The server ends, and nobody is to go on. */
void ivf_save_end(ivflat_server *server);

/* A list of all descriptors for a program in place of this one, with the state; -errno. */
int ivf_save_hand_over(ivflat_server *server);

/* If it was not started after all: they are ours alone again. */
void ivf_save_take_back(ivflat_server *server);

#endif
