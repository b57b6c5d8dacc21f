/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of ivflat-server: the letters, meanings and defaults of QEMU's ivshmem-server. */
#ifndef TOOLS_SERVER_OPTIONS_H
#define TOOLS_SERVER_OPTIONS_H

#include <glib.h>
#include <stdint.h>

/* --peer ID=SOCKET[,keep] */
struct server_peer {
    uint32_t id;
    char *socket;
    gboolean keep;
    int listener; /* in place of the socket; 0: none */
};

struct server_options {
    gboolean verbose;
    gboolean foreground;
    gboolean json;
    gboolean keep_state;
    gboolean seccomp;
    const char *pid_file;
    const char *socket;
    const char *shm_name; /* of these three at most one; NULL: none */
    const char *shm_dir;
    const char *file;
    uint64_t huge_page; /* 0: ordinary pages */
    uint64_t size;      /* a power of two, unless exact */
    gboolean exact_size;
    uint32_t vectors;
    uint32_t max_clients; /* of these and what follows: 0: the library's default */
    uint32_t max_per_uid;
    uint32_t max_queue;
    uint64_t max_queue_bytes;
    uint32_t mode;
    uint32_t group;
    GArray *allow_uids; /* uint32_t */
    GArray *allow_gids;
    uint32_t ids;      /* IVFLAT_IDS_... */
    GArray *peers;     /* struct server_peer */
    int32_t host_peer; /* -1: none */
};

/* Answers -1: go on; or the exit status, when all is said (help, or what is wrong). */
int server_options_parse(struct server_options *options, int argc, char **argv);

void server_options_clear(struct server_options *options);

#endif
