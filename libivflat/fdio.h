/* SPDX-License-Identifier: BSD-3-Clause */
/* Sockets, messages with descriptors, waiting, time.  With notify (vectors) and region (memory) the only files that
 * touch the kernel.  What answers an int answers -errno for a failure; nothing here blocks but ivf_fd_poll(). */
#ifndef IVF_FDIO_H
#define IVF_FDIO_H

#include <stdbool.h>
#include <stdint.h>

#define IVF_PATH_MAX 107u /* bytes that a UNIX socket's address takes */
#define IVF_FDS_MAX  253u /* descriptors that the kernel lets travel with one message */

/* NULL and "" and what is too long for a UNIX socket: IVFLAT_ERR_INVALID with the sentence. */
int32_t ivf_fd_check_path(const char *path);

/* Negative numbers are fine. */
void ivf_fd_close(int fd);

/* The same for what came from somebody else: a socket that is told to linger would make close() wait. */
void ivf_fd_close_foreign(int fd);

/* The same for a connected UNIX stream socket: what lies in it unread may hold descriptors that linger, and is closed
 * first; the other end can put no more there. */
void ivf_fd_close_stream(int sock);

/* A stream socket of the UNIX family, connected: answers 0.  Takes any descriptor. */
int ivf_fd_check_socket(int fd);

/* Connects without blocking.  -EAGAIN: the server's queue is full, try again. */
int ivf_fd_connect(const char *path);

/* Removes the file of a socket that nobody listens on any more.  -EADDRINUSE: somebody does; -EEXIST: it is no socket. */
int ivf_fd_remove_stale(const char *path);

/* Which file a path named, so as to remove no other that took its place. */
struct ivf_file {
    uint64_t device;
    uint64_t inode; /* 0: none */
};
void ivf_fd_remember_file(const char *path, struct ivf_file *file);
void ivf_fd_remove_file(const char *path, const struct ivf_file *file);

/* The next client, non-blocking; -EAGAIN: none. */
int ivf_fd_accept(int listener);

/* One recvmsg of at most @want bytes.  Answers the bytes, 0 at the end of the stream.  Ask for no more than the rest of
 * the message in hand: a larger read gives the descriptor of a later message (measured; P2). */
struct ivf_received {
    uint32_t fd_count;
    bool lost; /* MSG_CTRUNC (P14) */
    int fds[IVF_FDS_MAX];
};
int ivf_fd_receive(int sock, uint8_t *bytes, uint32_t want, struct ivf_received *received);

/* Waiting.  A @tag comes back with each event. */
struct ivf_ready {
    uint64_t tag;
    bool readable; /* or at its end, or broken: reading will tell */
    bool writable;
};
int ivf_fd_epoll(void);
int ivf_fd_watch(int epoll, int fd, uint64_t tag);
int ivf_fd_watch_writable(int epoll, int fd, uint64_t tag, bool writable); /* of one that is watched: more, or less */
void ivf_fd_unwatch(int epoll, int fd);
/* At most @max that are ready now, in @ready; answers how many. */
int ivf_fd_ready(int epoll, struct ivf_ready *ready, int max);

/* The same, and waits for the first, if there is none, until @timeout_ms (-1: none) is up. */
int ivf_fd_ready_within(int epoll, struct ivf_ready *ready, int max, int32_t timeout_ms);
/* Waits for @fd to be readable: 1, or 0 when @timeout_ms (-1: none) is up.  Signals do not end it. */
int ivf_fd_poll(int fd, int32_t timeout_ms);
/* The same for an epoll, which is waited for in itself at less than by poll(). */
int ivf_fd_wait(int epoll, int32_t timeout_ms);

/* Lets every other thread have the processor for a moment, also those that come after us. */
void ivf_fd_nap(void);

/* An event counter of our own, for waking: set from any thread and any signal handler, and taken back. */
int ivf_fd_event(void);
void ivf_fd_event_set(int fd);
void ivf_fd_event_clear(int fd);

/* A timer of our own: readable from @at_ms on; 0 disarms it. */
int ivf_fd_timer(void);
void ivf_fd_timer_set(int fd, int64_t at_ms);

/* Which process this is. */
int32_t ivf_fd_process(void);

/* Milliseconds of a clock that only goes forward. */
int64_t ivf_fd_now(void);

#endif
