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

/* What epoll gives back: a client's id, or one of these. */
enum { IVF_TAG_LISTENER = IVFLAT_MAX_PEERS, IVF_TAG_WAKE, IVF_TAG_TIMER };

/* What may not be had for a while, as log() hears of it. */
enum ivf_lack { IVF_LACK_ACCEPT, IVF_LACK_SEND, IVF_LACKS };

struct ivflat_server {
    ivflat_server_hooks hooks;
    bool in_hook;
    int32_t process;  /* that made it */
    uint32_t vectors; /* of each client */
    uint32_t max_queue;

    int epoll; /* the one descriptor; it watches: */
    int listener;
    int wake;  /* somebody's, or our own: work is left */
    int timer; /* try again what lacked resources */
    int memory;
    uint64_t memory_size;
    char *memory_name; /* to remove at the end, or NULL */
    char *socket_path;
    struct ivf_file socket_file; /* that we made at socket_path */

    struct ivf_ids ids;
    GQueue all;     /* clients in the order in which they came */
    GQueue running; /* by state: who is to be sent to, in turn */
    GQueue stalled;
    GQueue doomed;
    bool paused; /* nobody is accepted until the timer */
    bool armed;  /* the timer will come */
    bool left;   /* a client has, since it was armed, and it was tried again */
    bool told[IVF_LACKS];
    int64_t quiet_until[IVF_LACKS];
};

#endif
