/* SPDX-License-Identifier: BSD-3-Clause */
/* Where clients connect, and who is let in. */
#ifndef IVF_SERVER_DOOR_H
#define IVF_SERVER_DOOR_H

#include "server-state.h"

/* Listens.  0, or IVFLAT_ERR_... with the sentence. */
int32_t ivf_door_open(ivflat_server *server, const ivflat_server_config *config);

/* Takes the next one in, or refuses it: one, for the others are to hear of it before the next one comes. */
void ivf_door_accept(ivflat_server *server);

/* Listens no more.  Where the socket is @ours and not another process's, its file is removed. */
void ivf_door_close(ivflat_server *server, bool ours);

#endif
