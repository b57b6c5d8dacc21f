/* SPDX-License-Identifier: BSD-3-Clause */
/* Ringing a vector and serving it, without ever blocking, whatever the other holders of the descriptor do to it.
 *
 * O_NONBLOCK belongs to the open file, which every peer shares: any of them can clear it and fill the counter, and then
 * a plain write() blocks (P16).  So an eventfd is rung by a request of asynchronous I/O that is complete at once and whose
 * completion signals the eventfd: the kernel adds 1 and never waits. */
#ifndef IVF_NOTIFY_H
#define IVF_NOTIFY_H

#include <linux/aio_abi.h>
#include <stdbool.h>
#include <stdint.h>

enum ivf_notify_kind {
    IVF_NOTIFY_UNUSABLE, /* neither of: */
    IVF_NOTIFY_EVENTFD,
    IVF_NOTIFY_PIPE
};

struct ivf_notifier {
    unsigned long context; /* of asynchronous I/O, to ring with; 0: none, a plain write() rings */
    unsigned long asking;  /* the same, or one only to ask by what is an eventfd; 0: none */
    struct iocb request;   /* the one that is complete at once, all but which eventfd it signals */
    struct iocb *list[1];  /* as io_submit wants it */
    int wake;              /* an eventfd of our own, lent */
    int memory;            /* what the request polls; -1: it reads from the wake */
    bool plain;            /* a write() rings because it was asked for */
    bool refused;          /* a sandbox came later: it rings by write() now */
};

/* @wake_fd: an eventfd of our own, lent for the notifier's life.  @plain: ring with write().  The notifier stays where it
 * is from now on.  Answers 0, or -errno when asynchronous I/O is not to be had: then it works, with write(). */
int ivf_notifier_init(struct ivf_notifier *notifier, int wake_fd, bool plain);
void ivf_notifier_fini(struct ivf_notifier *notifier);

/* What @fd is.  Makes an eventfd non-blocking where a plain write() will ring it; else leaves it as it is. */
enum ivf_notify_kind ivf_notify_classify(struct ivf_notifier *notifier, int fd);

/* Adds 1 (C1).  A full counter is rung already (C3).  Answers 0, or -errno: that vector is broken. */
int ivf_notify_ring(struct ivf_notifier *notifier, int fd, enum ivf_notify_kind kind);

/* The same for an eventfd and from any thread, also while another rings or makes sure of one.  A negative answer says no more
 * than that it was not rung. */
int ivf_notify_ring_apart(const struct ivf_notifier *notifier, int fd);

/* Takes what is there (C2): answers how often it was rung, 0 for not at all, or -errno: it can be read no more
 * (-EPIPE: at its end). */
int64_t ivf_notify_drain(int fd, enum ivf_notify_kind kind);

#endif
