/* SPDX-License-Identifier: BSD-3-Clause */
/* All clients: who hears what of whom, and whose turn it is. */
#ifndef IVF_SERVER_CLIENTS_H
#define IVF_SERVER_CLIENTS_H

#include "server-state.h"

/* Greets who connected at @door by @sock (given when this answers 0) as @id, and tells the others, unless they know it
 * already.  -errno: what lacks for it. */
int ivf_clients_add(ivflat_server *server, int sock, uint32_t id, struct ivf_door *door,
                    const struct ivf_identity *who);

/* One that another process had: 0, or -errno. */
int ivf_clients_restore(ivflat_server *server, struct ivf_client *client);

/* Those that are in the news as being there, and are not: the others are told that they left. */
void ivf_clients_told_gone(ivflat_server *server);

/* How many of a user there are. */
uint32_t ivf_clients_of(const ivflat_server *server, uint32_t uid);

/* It is to go, for @reason (IVFLAT_LEFT_...), in words @text (given): ivf_clients_reap() does it. */
void ivf_clients_drop(ivflat_server *server, struct ivf_client *client, uint32_t reason, char *text);

/* Sends to those that can be sent to, in turn, a bounded share. */
void ivf_clients_send(ivflat_server *server);

/* Nobody is left to be sent to: what waits, waits for who does not read.  Before that no more news is made, lest those
 * who read cannot keep up with us. */
bool ivf_clients_settled(const ivflat_server *server);

/* Takes out those that are doomed, and tells the others; one by one, each when the last one's news is sent. */
void ivf_clients_reap(ivflat_server *server);

/* All of them at once, for there will be no next time. */
void ivf_clients_reap_all(ivflat_server *server);

/* Events: what @client sent, or that it left; room in its socket; time to try again. */
void ivf_clients_readable(ivflat_server *server, struct ivf_client *client);
void ivf_clients_writable(ivflat_server *server, struct ivf_client *client);
void ivf_clients_retry(ivflat_server *server);

/* Closes all, and says nothing to anybody (P22).  Where they are not @ours but another process's, it is left in peace:
 * what is unread in them is its to read. */
void ivf_clients_close(ivflat_server *server, bool ours);

#endif
