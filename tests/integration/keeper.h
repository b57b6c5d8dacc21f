/* SPDX-License-Identifier: BSD-3-Clause */
/* What a manager of services does for ivflat-server: starts it, hears from it, keeps descriptors for it, and hands them
 * to the next one when it has been killed. */
#ifndef KEEPER_H
#define KEEPER_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct keeper {
    const char *const *argv;
    int notify;        /* where it tells us */
    int pid;           /* 0: it does not run */
    GPtrArray *names;  /* of sockets that it is handed to listen on */
    GArray *listeners; /* these */
    GHashTable *store; /* name -> descriptor */
    uint32_t asked;    /* how often it was asked to keep one */
    uint32_t readies;
    GString *status; /* the last one */
};

/* @argv lives as long as it. */
void keeper_begin(struct keeper *keeper, const char *const *argv);
void keeper_end(struct keeper *keeper); /* asserts that it does not run */

/* From now on it is handed a socket that listens at @path, under @name. */
void keeper_listen(struct keeper *keeper, const char *name, const char *path);

void keeper_start(struct keeper *keeper);

/* There is no room for anything more that it tells, until the next keeper_hear(). */
void keeper_fill(void);

/* Takes all that it has told so far. */
void keeper_hear(struct keeper *keeper);

/* Kills it at once, and takes what it still told. */
void keeper_kill(struct keeper *keeper, int signal);

#endif
