/* SPDX-License-Identifier: BSD-3-Clause */
/* The system calls that only a server makes: its socket and whoever connects there, messages by the dozen.  What answers
 * an int answers -errno for a failure; nothing here blocks, but for the lock of a folder, and that for a moment. */
#ifndef IVF_SERVER_IO_H
#define IVF_SERVER_IO_H

#include <stdbool.h>
#include <stdint.h>

#include "server-news.h"

#define IVF_IO_MOST 32u /* messages at once */

/* A listening, non-blocking socket at @path, whose file has the permissions @mode and, if not 0, the group @group.  A
 * stale socket file is replaced: two servers that start at the same time do not replace each other's.  -EADDRINUSE:
 * somebody listens there; -EEXIST: what is there is no socket; -EDEADLK: somebody holds the folder's lock. */
int ivf_io_listen(const char *path, uint32_t mode, uint32_t group);

/* Takes any descriptor.  0: a UNIX stream socket that listens; it does not block from now on, nor take descriptors. */
int ivf_io_check_listener(int fd);

/* Two ends of a connection that needs no file; closed on exec; neither blocks. */
int ivf_io_pair(int ends[2]);

/* Who connected. */
struct ivf_identity {
    int32_t pid;  /* 0: not known */
    uint32_t uid; /* UINT32_MAX: not known */
    uint32_t gid;
};
void ivf_io_identify(int sock, struct ivf_identity *identity);

/* Sends @count messages, at most IVF_IO_MOST, each by itself (P2), in one call.  Answers how many went out, and -errno
 * where not even one did. */
int ivf_io_send(int sock, const struct ivf_message *messages, uint32_t count);

/* Ends a connection of ours and closes @sock: what is under way is still read at the other end, and then it is over, even
 * where somebody else keeps a copy. */
void ivf_io_end(int sock);

/* How many messages may lie unread in @sock: fewer where the kernel wants that. */
void ivf_io_set_room(int sock, uint32_t messages);

/* How many do. */
uint32_t ivf_io_unread(int sock);

/* How many descriptors we may have open, and how many a user without privileges may have under way. */
uint64_t ivf_io_descriptors(void);

#endif
