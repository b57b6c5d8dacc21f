/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The server that brings ivshmem devices together: it hands out ids, the memory and everybody's eventfds, and has no
 * part in what they then do (C4).  The four promises of libivflat/ivflat.h (threads, hooks, ownership, errors) and its
 * way of growing hold here word for word, with "server" for "device".
 */
#ifndef IVFLAT_SERVER_H
#define IVFLAT_SERVER_H

#include <stdint.h>

#include <libivflat/ivflat.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One server: one socket, one memory.  Opaque; made by ivflat_server_new(). */
typedef struct ivflat_server ivflat_server;

/** What the server is to be.  Zero it, set struct_size and socket_path. */
typedef struct ivflat_server_config {
    uint32_t struct_size;    /**< sizeof(ivflat_server_config) */
    uint32_t vectors;        /**< vectors of each client, 1..65536; 0: 1 */
    uint64_t memory_size;    /**< bytes, exact; 0: 4 MiB.  QEMU's PCI device aborts on what is no power of two */
    const char *socket_path; /**< 1..107 bytes, required; a stale socket file is replaced, a live one is an error */
    const char *memory_name; /**< POSIX shared memory object to create, removed at the end; NULL: none */
    const char *memory_dir;  /**< folder for a nameless file as memory; NULL: none.  Neither: a sealed memfd */
    uint32_t no_interrupts;  /**< 1: no vectors at all: joins are not announced, leaves are (P9) */
    uint32_t max_queue;      /**< messages that may wait for a client, beside its greeting, before it is
                                  dropped; 0: no bound */
} ivflat_server_config;

/** What the program gives.  Zero it, set struct_size; each may be NULL. */
typedef struct ivflat_server_hooks {
    uint32_t struct_size; /**< sizeof(ivflat_server_hooks) */
    uint32_t reserved;    /**< 0 */
    void *user;           /**< first argument of each hook */

    /** A client has its id; its greeting is under way.  @p pid of the process that connected, 0 if not known. */
    void (*client_joined)(void *user, uint32_t id, int32_t pid);
    /** A client is gone; @p reason says in a few words why, and dies when the hook returns. */
    void (*client_left)(void *user, uint32_t id, const char *reason);
    /** One line, no newline; @p level is one of IVFLAT_LOG_...; @p text dies when the hook returns. */
    void (*log)(void *user, uint32_t level, const char *text);
} ivflat_server_hooks;

/** Makes the memory and listens (P1).  On an error nothing is left behind.
 *  @param out    the server, yours to ivflat_server_free(); NULL on an error
 *  @param config copied
 *  @param hooks  copied; may be NULL
 *  @return 0, or #IVFLAT_ERR_INVALID (a field: the sentence names it), #IVFLAT_ERR_SYSTEM (socket or memory: the
 *          sentence says which).  Where malloc() fails the server, unlike the device, ends the process, as GLib
 *          does */
IVFLAT_API int32_t ivflat_server_new(ivflat_server **out, const ivflat_server_config *config,
                                     const ivflat_server_hooks *hooks);

/** Closes every client's link, says no leaves (P22), and removes the socket file and the memory's name.  In a forked
 *  child it only closes and frees the child's copies.
 *  @param server NULL is fine */
IVFLAT_API void ivflat_server_free(ivflat_server *server);

/** The descriptor to poll for reading.  [hook]
 *  @param server the server
 *  @return lent until ivflat_server_free(); readable: dispatch */
IVFLAT_API int32_t ivflat_server_get_fd(const ivflat_server *server);

/** Does a bounded share of what is due: clients that come, go, can take more of what waits for them
 *  (P2, P6, P9..P11, P20).  Never blocks.
 *  @param server the server
 *  @return 0, or #IVFLAT_ERR_SYSTEM: the server can do nothing more; #IVFLAT_ERR_BUSY */
IVFLAT_API int32_t ivflat_server_dispatch(ivflat_server *server);

/** Waits until there is something to dispatch.  Only looks: any thread, until ivflat_server_free().
 *  @param server     the server
 *  @param timeout_ms milliseconds; 0: only look; -1: no limit
 *  @return 1: dispatch, or a wake since the last dispatch; 0: time is up; #IVFLAT_ERR_SYSTEM, #IVFLAT_ERR_INVALID */
IVFLAT_API int32_t ivflat_server_wait(const ivflat_server *server, int32_t timeout_ms);

/** Ends each wait, also one that begins later, until the next dispatch.  Any thread, any hook, signal handlers.
 *  @param server the server */
IVFLAT_API void ivflat_server_wake(const ivflat_server *server);

/** @param server the server  @return how many clients there are.  [hook] */
IVFLAT_API uint32_t ivflat_server_clients(const ivflat_server *server);

/** @param server the server  @return bytes of shared memory.  [hook] */
IVFLAT_API uint64_t ivflat_server_memory_size(const ivflat_server *server);

/** The shared memory (P5), for a program that is server and peer in one.  [hook]
 *  @param server the server
 *  @return lent until ivflat_server_free(); dup() to keep it */
IVFLAT_API int32_t ivflat_server_memory_fd(const ivflat_server *server);

#ifdef __cplusplus
}
#endif
#endif
