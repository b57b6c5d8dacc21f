/* SPDX-License-Identifier: BSD-3-Clause */
/* The command line of ivflat-server: the letters, meanings and defaults of QEMU's ivshmem-server. */
#ifndef TOOLS_SERVER_OPTIONS_H
#define TOOLS_SERVER_OPTIONS_H

#include <glib.h>
#include <stdint.h>

struct server_options {
    gboolean verbose;
    gboolean foreground;
    const char *pid_file;
    const char *socket;
    const char *shm_name; /* NULL: none */
    const char *shm_dir;  /* NULL: none; never both */
    uint64_t size;        /* a power of two */
    uint32_t vectors;
    uint32_t max_clients; /* of these and what follows: 0: the library's default */
    uint32_t max_per_uid;
    uint32_t max_queue;
    uint64_t max_queue_bytes;
};

/* Answers -1: go on; or the exit status, when all is said (help, or what is wrong). */
int server_options_parse(struct server_options *options, int argc, char **argv);

#endif
