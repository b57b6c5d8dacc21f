/* SPDX-License-Identifier: BSD-3-Clause */
/* One client: its socket, and what waits for it.  Knows of no other client and calls nobody. */
#ifndef IVF_SERVER_CLIENT_H
#define IVF_SERVER_CLIENT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "server-announcement.h"
#include "server-queue.h"

enum ivf_client_state {
    IVF_CLIENT_IDLE,    /* nothing waits */
    IVF_CLIENT_RUNNING, /* something waits, and may be sent */
    IVF_CLIENT_FULL,    /* something waits until the socket has room */
    IVF_CLIENT_STALLED, /* something waits until the kernel has resources */
    IVF_CLIENT_DOOMED   /* is to be dropped */
};

struct ivf_client {
    uint32_t id;
    int sock;
    enum ivf_client_state state;
    struct ivf_announcement *announcement;
    struct ivf_queue queue;
    uint64_t greeting; /* messages of its greeting that still wait: they count for no bound */
    uint64_t bytes;    /* that it sent (P20) */
    char *reason;      /* why it is doomed */
    GList in_all;      /* links of the server's lists */
    GList in_state;
};

/* @sock and @announcement are given. */
struct ivf_client *ivf_client_new(int sock, struct ivf_announcement *announcement);
void ivf_client_free(struct ivf_client *client);

/* Begins the greeting (P3, P4, P5): version, id, @memory.  Vectors of others come next, by ivf_queue_push_vectors(). */
void ivf_client_greet(struct ivf_client *client, int memory);

/* Ends it: our own vectors (P6). */
void ivf_client_greet_end(struct ivf_client *client);

/* More waits than @bound, beside the greeting; 0: there is no bound. */
bool ivf_client_over(const struct ivf_client *client, uint32_t bound);

/* Sends at most @share messages, each in one send (P2).  Answers 0 when that went well, or -errno. */
int ivf_client_send(struct ivf_client *client, uint32_t share);

/* Reads what the client sent, and drops it (P20).  False: it is gone, or sent too much, as client->reason says. */
bool ivf_client_read(struct ivf_client *client);

#endif
