/* SPDX-License-Identifier: BSD-3-Clause */
/* How much may lie unread in the clients' sockets.  The kernel lets a user without privileges have only so many
 * descriptors under way, over all sockets: those who do not read must not use them up for the others. */
#ifndef IVF_SERVER_FLOW_H
#define IVF_SERVER_FLOW_H

#include "server-state.h"

void ivf_flow_init(ivflat_server *server);

/* A client comes, or goes. */
void ivf_flow_join(struct ivf_client *client);
void ivf_flow_leave(ivflat_server *server, struct ivf_client *client);

/* How many messages may be sent to it now: at most @most; 0: it has to read first. */
uint32_t ivf_flow_room(ivflat_server *server, struct ivf_client *client, uint32_t most);

/* @count were. */
void ivf_flow_sent(ivflat_server *server, struct ivf_client *client, uint32_t count);

#endif
