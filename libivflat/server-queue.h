/* SPDX-License-Identifier: BSD-3-Clause */
/* Messages that wait for one client, in order.  An entry of 16 bytes stands for all vectors of a peer. */
#ifndef IVF_SERVER_QUEUE_H
#define IVF_SERVER_QUEUE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "server-announcement.h"

struct ivf_message {
    int32_t number;
    int fd; /* -1: none */
};

struct ivf_queue {
    GArray *entries;   /* NULL: empty */
    uint32_t first;    /* of the entries: those before it are done */
    uint64_t messages; /* that wait */
};

void ivf_queue_clear(struct ivf_queue *queue);

/* @fd is lent until the message is popped. */
void ivf_queue_push(struct ivf_queue *queue, int32_t number, int fd);

/* A message for each vector, none if there are no vectors. */
void ivf_queue_push_vectors(struct ivf_queue *queue, struct ivf_announcement *announcement);

/* The next message; false: none. */
bool ivf_queue_front(const struct ivf_queue *queue, struct ivf_message *message);

/* It is sent. */
void ivf_queue_pop(struct ivf_queue *queue);

#endif
