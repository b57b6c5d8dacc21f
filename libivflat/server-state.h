/* SPDX-License-Identifier: BSD-3-Clause */
/* What the server's files share. */
#ifndef IVF_SERVER_STATE_H
#define IVF_SERVER_STATE_H

#include <glib.h>
#include <libivflat/ivflat-server.h>
#include <stdbool.h>

#include "fdio.h"
#include "server-client.h"
#include "server-ids.h"
#include "server-map.h"
#include "server-news.h"

/* What epoll gives back: a client's id, or one of these. */
enum { IVF_TAG_WAKE = IVFLAT_MAX_PEERS, IVF_TAG_TIMER, IVF_TAG_DOOR /* and its number behind it */ };

/* What may be the matter for a while, as log() hears of it. */
enum ivf_lack { IVF_LACK_ACCEPT, IVF_LACK_SEND, IVF_LACK_REFUSED, IVF_LACKS };

#define IVF_COUNTERS (IVFLAT_SERVER_COUNT_RESTARTS + 1)

/* What a client may cost, and who may be one. */
struct ivf_limits {
    uint32_t max_clients;
    uint32_t max_per_uid; /* 0: no bound */
    uint32_t max_queue;
    uint64_t max_queue_bytes;
};

/* Where clients connect: the main one is the first, the others are seats. */
struct ivf_door {
    int listener;          /* -1: a seat of this process itself */
    int32_t id;            /* that a client gets here; -1: any */
    bool keep;             /* who comes back is handed the same eventfds */
    char *path;            /* whose file is ours to remove; NULL: none */
    struct ivf_file file;  /* that we made there */
    uint64_t key;          /* of the listener, for whoever keeps it for us */
    bool restored;         /* from another process, and not asked for yet */
    uint64_t item_serial;  /* of item, while it is not there yet */
    struct ivf_item *item; /* kept: by which the others know who sits here, or sat; NULL: nobody ever did */
};

/* Messages that lie unread in the clients' sockets; the kernel bounds their descriptors, over all of them. */
struct ivf_flow {
    uint64_t most;      /* the kernel's bound */
    uint64_t under_way; /* messages, at most: some may have been read since we looked */
    int64_t looked;     /* at all, when */
    bool tight;         /* each may have a few only */
};

/* What a process needs that goes on where this one ends. */
struct ivf_keeper {
    bool on; /* it is kept at all times, for a crash */
    bool changed;
    bool lent; /* our descriptors would live on in a program that is started */
    struct ivf_map map;
    uint64_t next_key;
    GArray *gone; /* keys (uint64_t) of descriptors that are closed */
};

struct ivflat_server {
    ivflat_server_hooks hooks;
    bool in_hook;
    int32_t process;  /* that made it */
    uint32_t vectors; /* of each client */
    struct ivf_limits limits;
    uint32_t socket_mode;
    uint32_t socket_gid;
    GArray *allow_uids; /* NULL: all */
    GArray *allow_gids;
    uint64_t counters[IVF_COUNTERS];

    int epoll; /* the one descriptor; it watches: */
    int wake;  /* somebody's, or our own: work is left */
    int timer; /* try again what lacked resources */
    int memory;
    uint64_t memory_size;
    char *memory_name; /* to remove at the end, or NULL */

    GPtrArray *doors;
    bool asking; /* it goes on from another one, and seats are still asked for */
    struct ivf_news news;
    struct ivf_ids ids;
    GHashTable *users; /* user id -> clients */
    uint32_t own;      /* clients that are this process itself: no bound counts them */
    GQueue all;        /* clients in the order in which they came */
    GQueue running;    /* by state: who is to be sent to, in turn */
    GQueue stalled;
    GQueue doomed;
    struct ivf_flow flow;
    struct ivf_keeper keeper;
    bool paused; /* nobody is accepted until the timer */
    bool armed;  /* the timer will come */
    bool left;   /* a client has, since it was armed, and it was tried again */
    bool told[IVF_LACKS];
    int64_t quiet_until[IVF_LACKS];
};

/* All that it has is closed, and its files are removed, but for its loop: it is as it began. */
void ivf_server_empty(ivflat_server *server);

#endif
