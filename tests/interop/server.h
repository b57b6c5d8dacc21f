/* SPDX-License-Identifier: BSD-3-Clause */
/* Our server as a program, and QEMU's example in its place. */
#ifndef SERVER_H
#define SERVER_H

struct process;

/* Runs ivflat-server with @vectors vectors and @size bytes of memory (as its options take them), at socket_path(), in
 * the foreground; it listens when this returns.  Asked to end at the test's end, and must do so with success. */
struct process *server_start(const char *vectors, const char *size);

/* The same with one @option more. */
struct process *server_start_with(const char *vectors, const char *size, const char *option, const char *value);

/* QEMU's example server, which the environment names, or NULL: then it is not to be tested.  It does not say when it
 * listens, so the first to join has to try until it does, as peer_start() does; and its memory would be an object of
 * the whole machine, were it not told a folder. */
const char *example_server(void);
struct process *example_server_start(const char *vectors, const char *size);

/* A socket's path in the test's folder. */
const char *socket_path(void);

#endif
