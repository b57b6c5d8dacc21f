/* SPDX-License-Identifier: BSD-3-Clause */
/* One client: its socket, who it is, and how far it has been told.  Knows of no other client and calls nobody. */
#ifndef IVF_SERVER_CLIENT_H
#define IVF_SERVER_CLIENT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "server-announcement.h"
#include "server-io.h"
#include "server-map.h"
#include "server-news.h"

struct ivf_door;

enum ivf_client_state {
    IVF_CLIENT_IDLE,    /* nothing waits */
    IVF_CLIENT_RUNNING, /* something waits, and may be sent */
    IVF_CLIENT_FULL,    /* something waits until the socket has room */
    IVF_CLIENT_STALLED, /* something waits until the kernel has resources */
    IVF_CLIENT_DOOMED   /* is to be dropped */
};

struct ivf_client {
    uint64_t key; /* of its socket, for whoever keeps it for us */
    uint32_t id;
    int sock;
    struct ivf_identity who;
    enum ivf_client_state state;
    struct ivf_announcement *announcement;
    struct ivf_item *item; /* by which the others know it; lent; NULL: they were told already that it left */
    struct ivf_door *door; /* by which it came; lent */
    uint32_t greeted;      /* of the greeting's first three messages, those that are sent */
    struct ivf_reader reader;
    int64_t since;     /* it came */
    uint64_t sent;     /* messages */
    uint64_t received; /* bytes that it sent (P20) */
    uint32_t unread;   /* messages in its socket, when last looked at */
    bool narrow;       /* its socket has room for a few only, lest it is writable where we say that it is full */
    uint32_t reason;   /* why it is doomed: IVFLAT_LEFT_..., and in words */
    char *text;
    GList in_all; /* links of the server's lists */
    GList in_state;
};

/* @sock and @announcement are given. */
struct ivf_client *ivf_client_new(int sock, struct ivf_announcement *announcement);
void ivf_client_free(struct ivf_client *client);

/* Messages that wait for it; and without those of its greeting, which count for no bound. */
uint64_t ivf_client_waiting(const struct ivf_client *client);
uint64_t ivf_client_news(const struct ivf_client *client);

/* What it is sent from: the list, the memory, and where it is written down how far it is. */
struct ivf_source {
    struct ivf_news *news;
    int memory;
    struct ivf_map *map;
};

/* Sends what comes next, the greeting first (P3, P4, P5): at most @most messages, each in one send (P2).  Answers how
 * many, or -errno: not even one.  @wanted: how many it tried. */
int ivf_client_send(struct ivf_client *client, const struct ivf_source *source, uint32_t most, uint32_t *wanted);

/* @count of its messages were sent. */
void ivf_client_advance(struct ivf_client *client, struct ivf_news *news, uint32_t count);

/* Reads what the client sent, and drops it (P20).  False: it is gone, or sent too much, as client->reason says. */
bool ivf_client_read(struct ivf_client *client);

/* Why it is to go; @text is given.  The first reason stays. */
void ivf_client_blame(struct ivf_client *client, uint32_t reason, char *text);

#endif
