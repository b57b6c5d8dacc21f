/* SPDX-License-Identifier: BSD-3-Clause */
/* A server's end with nothing of the library in it: the bytes and descriptors that a test wants to be sent. */
#ifndef RAW_H
#define RAW_H

#include <stdbool.h>
#include <stdint.h>

#define RAW_FDS_MAX 16

/* One message as a story writes it: "0", "3 eventfd", "-1 memory 4096", "3 eventfd eventfd", "0 +lost".
 * Descriptors: eventfd, eventfd:5 (rung 5 times already), pipe (what the receiver needs of it, see @own), memory SIZE, sealed SIZE, readonly SIZE,
 * socket, file; "+lost": one whose way is cut by the receiver's full table. */
struct raw_message {
    int64_t number;
    uint8_t bytes[8];
    int fds[RAW_FDS_MAX];  /* the message's, the test's to send and close */
    int ends[RAW_FDS_MAX]; /* the test's end of each: the same eventfd or memory, the pipe's other end; -1: none */
    uint32_t fd_count;
    int lost; /* 1: the one descriptor is to be lost */
};

/* @own: the id of who receives it: a pipe for its own vector is read by it, any other is written. */
struct raw_message raw_parse(const char *text, int64_t own);
void raw_close(struct raw_message *message); /* the fds, not the ends */

/* Sends @count bytes with the descriptors, which stay the caller's; asserts that all went. */
void raw_send(int sock, const uint8_t *bytes, uint32_t count, const int *fds, uint32_t fd_count);

/* A listening socket, and the next client of it: asserts that it comes. */
int raw_listen(const char *path, int backlog);
int raw_accept(int listener);

/* False, and a line that says so, where the process's limit is not the kernel's, as under valgrind: nothing that is sent
 * to us gets lost then. */
bool can_lose_fds(void);

/* A TCP connection whose last close waits for half a minute: it was told to linger and has unsent data. */
int make_lingering(int *other);

#endif
