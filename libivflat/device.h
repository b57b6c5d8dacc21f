/* SPDX-License-Identifier: BSD-3-Clause */
/* The device's insides, for the files that make it up: device (life, asking), guest (the registers), link (the server),
 * vectors (peers and doorbells as the hooks see them) and hooks (calling out). */
#ifndef IVF_DEVICE_H
#define IVF_DEVICE_H

#include "fdio.h"
#include "notify.h"
#include "peers.h"
#include "region.h"
#include "regs.h"
#include "ringers.h"
#include "session.h"
#include "trace.h"
#include "wire.h"

#include <libivflat/ivflat.h>

enum ivf_way {
    IVF_WAY_NONE,   /* DOWN */
    IVF_WAY_SOCKET, /* way 1: the socket is ours */
    IVF_WAY_FED     /* way 2: bytes come by ivflat_device_feed() */
};

struct ivf_link {
    uint32_t state; /* IVFLAT_LINK_... */
    enum ivf_way way;
    int sock;                    /* -1: none, or none yet */
    char path[IVF_PATH_MAX + 1]; /* where to connect again; "": nowhere */
    int64_t deadline;            /* the greeting has to be done by then; 0: none */
    int64_t retry;               /* connect again at; 0: never */
    bool grace;                  /* way 2: the deadline was put off once */
    uint32_t outage_told;        /* bit -error: in this time without a server that was said, once */
    struct ivf_wire wire;
    struct ivf_session session;
};

struct ivflat_device {
    ivflat_config config;
    ivflat_hooks hooks;
    uint32_t in_hook; /* how deep */
    bool observed;    /* log(), trace() or guest_error() runs */

    struct ivf_regs regs;
    uint32_t line;     /* what line() was told last */
    bool line_telling; /* line() runs */
    int32_t id;        /* the last READY's, or -1 */
    struct ivf_peers peers;
    struct ivf_ringers ringers; /* threads in ivflat_device_doorbell() */
    struct ivf_notifier notifier;

    int epoll; /* the one descriptor: all that follows, the socket and our own vectors are in it */
    int wake;
    int timer;
    struct ivf_link link;

    struct ivf_region region;
    uint64_t memory_size; /* 0: not known yet */
    bool unsealed_told;
    bool unusable_told; /* since the last READY */
    bool refused_told;
    bool woken; /* ivflat_device_wake() was seen by the last dispatch */
    int32_t process;

    uint64_t counters[IVF_COUNTERS];
};

/* What an event of the epoll descriptor is for. */
enum ivf_tag {
    IVF_TAG_WAKE,
    IVF_TAG_TIMER,
    IVF_TAG_SOCKET,
    IVF_TAG_VECTOR /* and those above it: vector 0, 1, ... */
};

/* For a call that hooks may not make: IVFLAT_ERR_BUSY, or _INVALID for NULL, with the sentence. */
int32_t ivf_device_enter(const ivflat_device *dev, const char *call);

/* The same for one that returns nothing: false, and the log tells. */
bool ivf_device_may(ivflat_device *dev, const char *call);

#endif
