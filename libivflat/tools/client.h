/* SPDX-License-Identifier: BSD-3-Clause */
/* What ivflat-client's files share: one peer and its loop. */
#ifndef TOOLS_CLIENT_H
#define TOOLS_CLIENT_H

#include <glib.h>
#include <libivflat/ivflat.h>

/* Exit statuses, as the man page has them. */
enum {
    STATUS_DONE = 0,
    STATUS_LINK = 1, /* could not join, or the link was lost, or the output */
    STATUS_USAGE = 2,
    STATUS_TIMEOUT = 3, /* of a --wait */
    STATUS_NO_PEER = 4  /* to be rung */
};

struct client {
    ivflat_device *device;
    GMainLoop *loop;
    int status;
    gboolean joined;
    uint64_t *pending; /* interrupts that came and no --wait took, by vector */

    uint32_t changed;         /* a peer whose vectors came and were not told of yet */
    uint32_t changed_vectors; /* 0: nobody */
    gboolean woken;           /* on_wake() will come */

    GQueue *script; /* of struct action; NULL: commands come by standard input */
    gint64 limit;   /* milliseconds for each of the script; -1: not given */
    guint timer;    /* the limit of the first; 0: none */
};

/* client-peer.c: joining, and what the hooks tell.  Answers STATUS_DONE, or another when it is said why not. */
int client_join(struct client *client, const char *path);
void client_settle(struct client *client); /* until the peers that are there are known, or nearly so */
void client_leave(struct client *client);
void client_tell_peer(struct client *client); /* who came, if that was not said yet: before anything else is said */
void client_wake(struct client *client);      /* something happened: tell of it, and the script may go on */
void client_quit(struct client *client, int status);

/* client-script.c: goes on with the options' actions. */
void client_script_step(struct client *client);

/* client-commands.c: begins to read standard input. */
void client_commands_begin(struct client *client);

#endif
