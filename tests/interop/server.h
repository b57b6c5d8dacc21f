/* SPDX-License-Identifier: BSD-3-Clause */
/* Our server's program, and a foreign one in its place. */
#ifndef SERVER_H
#define SERVER_H

struct process;

/* Runs ivflat-server with @vectors vectors and @size bytes of memory (as its options take them), at socket_path(), in
 * the foreground; it listens when this returns. */
struct process *server_start(const char *vectors, const char *size);

/* A socket's path in the test's folder. */
const char *socket_path(void);

#endif
