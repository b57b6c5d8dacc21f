/* SPDX-License-Identifier: BSD-3-Clause */
/* The library's server in a test, and clients of it with nothing of the library in them.  One thread: served_run() does
 * all that is due, so that what a client does not have then, it was not sent.
 *
 *   static struct served served;
 *   struct guest guest;
 *   served_begin(&served, &(ivflat_server_config){.vectors = 1});
 *   guest_join(&guest, &served);
 *   guest_expect(&guest, "0; 0; -1 memory 4194304; 0 eventfd"); */
#ifndef SERVED_H
#define SERVED_H

#include "support.h"

#include <glib.h>
#include <libivflat/ivflat-server.h>

struct served {
    ivflat_server *server;
    const char *path;
    GString *said;   /* by the hooks, since the last served_expect(): "0 joined; 0 left: it closed the connection" */
    GString *logged; /* "warning: text\n" */
    uint32_t reason; /* of the last one that left, or was refused */
    /* Asked for each that connects; NULL: all may come. */
    int32_t (*refuse)(const ivflat_server_client *client);
    /* Of one that keeps its state; set before served_begin(). */
    void (*keep)(void *user, const char *name, int32_t fd);
    void (*forget)(void *user, const char *name);
    /* Called in each hook. */
    void (*inside)(struct served *served);
};

/* @config may lack struct_size and socket_path; NULL: defaults.  It ends with the test, so @served is static. */
void served_begin(struct served *served, const ivflat_server_config *config);
/* Ends it now. */
void served_end(struct served *served);

/* Lets clients send it descriptors, as on a kernel that cannot refuse them. */
void served_take_descriptors(struct served *served);

/* Another one in its place, which is gone: what the hooks said goes on. */
void served_restart(struct served *served, const ivflat_server_config *config);

/* The same, where the server is not to come up: asserts @error, and that the sentence has @words in it. */
void served_refused(const ivflat_server_config *config, int32_t error, const char *words);

/* Dispatches until nothing is due.  Fails when that takes for ever. */
void served_run(struct served *served);

/* What the hooks said since the last time, exactly. */
#define served_expect(served, expected) ck_assert_str_eq(served_take(served), expected)
const char *served_take(struct served *served);

struct guest {
    int sock;
    GArray *fds; /* that came, the memory first */
};

/* Connects, and runs the server. */
void guest_join(struct guest *guest, struct served *served);
/* Connects, and no more. */
void guest_connect(struct guest *guest, const char *path);
/* Closes all, and, if not NULL, runs the server. */
void guest_leave(struct guest *guest, struct served *served);

/* A byte with a descriptor: 1, or -errno. */
int guest_send_fd(const struct guest *guest, int fd);

int guest_fd(const struct guest *guest, uint32_t index);

/* One message is there: its number, and what came with it into guest->fds.  False: nothing is there. */
bool guest_take(struct guest *guest, int64_t *number);

/* How many messages are there, read and dropped. */
uint32_t guest_skip(struct guest *guest);

/* All that is there, read 8 bytes at a time: "0; 3; -1 memory 4096; 5 eventfd", and "end" when the server closed. */
#define guest_expect(guest, expected) guest_expect_at(guest, expected, __FILE__, __LINE__)
void guest_expect_at(struct guest *guest, const char *expected, const char *file, int line);

#endif
