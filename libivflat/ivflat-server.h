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

/** One server: its sockets, one memory.  Opaque; made by ivflat_server_new(). */
typedef struct ivflat_server ivflat_server;

/** In place of a user or group id: the kernel does not tell. */
#define IVFLAT_NOBODY_KNOWN 0xffffffff

/** Which id a newcomer gets (P11). */
enum {
    IVFLAT_IDS_ONCE = 0,  /**< the next one up: none comes back before 65,535 was given */
    IVFLAT_IDS_LOWEST = 1 /**< the lowest that is free: for guests that take few, like 0 and 1 */
};

/** Why a client left. */
enum {
    IVFLAT_LEFT_CLOSED = 1,  /**< it closed the connection, or its process ended */
    IVFLAT_LEFT_BROKEN = 2,  /**< its connection does not work any more */
    IVFLAT_LEFT_SLOW = 3,    /**< it does not read: more waits for it than is allowed */
    IVFLAT_LEFT_LOUD = 4,    /**< it sent more than anybody has to say (P20) */
    IVFLAT_LEFT_DROPPED = 5, /**< ivflat_server_drop() */
    IVFLAT_LEFT_UNSURE = 6   /**< after a crash nobody can tell how much it was sent, or not all of it was kept */
};

/** Why one who connected was not let in. */
enum {
    IVFLAT_REFUSED_HOOK = 1,       /**< client_connected() said so */
    IVFLAT_REFUSED_USER = 2,       /**< neither its user nor its group is among those that are allowed */
    IVFLAT_REFUSED_CLIENTS = 3,    /**< max_clients are there */
    IVFLAT_REFUSED_PER_UID = 4,    /**< max_per_uid of its user are there */
    IVFLAT_REFUSED_ID = 5,         /**< no id is free, or the one that it came for is taken */
    IVFLAT_REFUSED_DESCRIPTORS = 6 /**< no descriptors, or no memory, for its vectors */
};

/** What ivflat_server_counter() counts. */
enum {
    IVFLAT_SERVER_COUNT_JOINED = 0,   /**< clients that came in */
    IVFLAT_SERVER_COUNT_LEFT = 1,     /**< of these, those that are gone */
    IVFLAT_SERVER_COUNT_DROPPED = 2,  /**< of these, those that we ended the connection of */
    IVFLAT_SERVER_COUNT_REFUSED = 3,  /**< who was not let in */
    IVFLAT_SERVER_COUNT_MESSAGES = 4, /**< sent, to all of them */
    IVFLAT_SERVER_COUNT_RESTARTS = 5  /**< how often the server was handed on */
};

/** A client, as hooks and ivflat_server_next_client() tell it.  Later releases append to it: what lies beyond
 *  struct_size is not there. */
typedef struct ivflat_server_client {
    uint32_t struct_size; /**< sizeof(ivflat_server_client) of who fills it in, or has it filled in */
    uint32_t id;          /**< its id (P4) */
    int32_t pid;          /**< of the process that connected; 0: not known (another namespace) */
    uint32_t uid;         /**< its user, or #IVFLAT_NOBODY_KNOWN */
    uint32_t gid;         /**< its group, or #IVFLAT_NOBODY_KNOWN */
    uint32_t vectors;     /**< that it has */
    uint64_t sent;        /**< messages that it was sent */
    uint64_t waiting;     /**< messages that wait for it here */
    uint64_t received;    /**< bytes that it sent, which mean nothing (P20) */
    uint64_t age_ms;      /**< milliseconds since it came */
} ivflat_server_client;

/** What the server is to be.  Zero it, set struct_size and socket_path. */
typedef struct ivflat_server_config {
    uint32_t struct_size;    /**< sizeof(ivflat_server_config) */
    uint32_t vectors;        /**< vectors of each client, 1..65536; 0: 1 */
    uint64_t memory_size;    /**< bytes, exact; 0: 4 MiB.  QEMU's PCI device aborts on what is no power of two */
    const char *socket_path; /**< 1..107 bytes, required unless listen_fd is set; a stale socket file is replaced, a
                                    live one is an error */
    const char *memory_name; /**< POSIX shared memory object to create, removed at the end; NULL: none */
    const char *memory_dir;  /**< folder for a nameless file as memory; NULL: none */
    const char *memory_file; /**< file as memory; created if it is not there, and stays; NULL: none.  With none of the
                                   three it is a sealed memfd; these three can be cut short by whoever may open them, or
                                   is a peer, and log() has one warning of that */
    uint64_t huge_page; /**< bytes of the sealed memfd's pages, as 2 MiB or 1 GiB; taken at once; 0: ordinary ones */
    const uint32_t *allow_uids; /**< users that may join; with allow_gids: one of both; lent to ivflat_server_new() */
    const uint32_t *allow_gids; /**< groups (the process's main one) that may join */
    uint32_t allow_uid_count;   /**< 0: no bound, when allow_gid_count is 0 too */
    uint32_t allow_gid_count;   /**< likewise */
    uint64_t max_queue_bytes;   /**< memory, ours and the kernel's, that what waits for a client may keep, beside its
                                    greeting, before it is dropped; 0: 16 MiB, or four joins' if that is more */
    uint32_t max_queue;         /**< messages that may wait for a client, beside its greeting, before it is dropped; 0:
                                    half the descriptors that the process may have, or four joins' if that is more */
    uint32_t max_clients;       /**< at the same time; 0: as many as there are ids and descriptors */
    uint32_t max_per_uid;       /**< of one user at the same time; 0: no bound */
    uint32_t no_interrupts;     /**< 1: no vectors at all: joins are not announced, leaves are (P9) */
    int32_t listen_fd;    /**< given: a UNIX stream socket that listens already, in place of socket_path; its file is
                                    not removed at the end; 0: none */
    uint32_t socket_mode; /**< permissions of the socket's file, as 0660: who may write it may join; 0: 0600 */
    uint32_t socket_gid;  /**< group of the socket's file; 0: the process's */
    uint32_t ids;         /**< one of IVFLAT_IDS_... */
    uint32_t keep_state;  /**< 1: keep all that a process needs that goes on where this one is killed, and tell it by
                                    descriptor_added(), for a manager of services that keeps descriptors */
    int32_t handed_fd;    /**< given: what ivflat_server_hand_over() gave another process, or a file in memory with
                                    a line "17 NAME" for each descriptor that descriptor_added() told: go on from there.
                                    What cannot be used is closed, log() says so, and the server begins as any; 0: none */
} ivflat_server_config;

/** A place for one client, with an id of its own and a socket of its own.  Zero it, set struct_size and socket_path. */
typedef struct ivflat_server_seat {
    uint32_t struct_size;    /**< sizeof(ivflat_server_seat) */
    uint32_t id;             /**< 0..65535: nobody else gets it */
    const char *socket_path; /**< as ivflat_server_config.socket_path, or listen_fd is set */
    int32_t listen_fd;       /**< given: as ivflat_server_config.listen_fd */
    uint32_t keep; /**< 1: who comes back is handed the same eventfds, and the others never hear that it left */
} ivflat_server_seat;

/** What the program gives.  Zero it, set struct_size; each may be NULL.  What a @p client points to dies when the hook
 *  returns. */
typedef struct ivflat_server_hooks {
    uint32_t struct_size; /**< sizeof(ivflat_server_hooks) */
    uint32_t reserved;    /**< 0 */
    void *user;           /**< first argument of each hook */

    /** Somebody connected, and all limits would let it in, as @p client.  Return 0 to do so; other numbers refuse it. */
    int32_t (*client_connected)(void *user, const ivflat_server_client *client);
    /** A client has its id; its greeting is under way. */
    void (*client_joined)(void *user, const ivflat_server_client *client);
    /** A client is gone; @p reason is one of IVFLAT_LEFT_..., and @p text says the same in a few words. */
    void (*client_left)(void *user, const ivflat_server_client *client, uint32_t reason, const char *text);
    /** Somebody was not let in; @p reason is one of IVFLAT_REFUSED_..., and @p text says the same in a few words.  Its
     *  id is the one that it would have had.  A user who may connect can cause any number of these; log() has one line
     *  a second for them. */
    void (*client_refused)(void *user, const ivflat_server_client *client, uint32_t reason, const char *text);
    /** With keep_state: keep a dup of @p fd under @p name (short, printable, no colon) beyond this process's end. */
    void (*descriptor_added)(void *user, const char *name, int32_t fd);
    /** Let go of what is kept under @p name; it may be nothing.  ivflat_server_free() lets go of all. */
    void (*descriptor_removed)(void *user, const char *name);
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

/** Adds a seat: before the first dispatch, lest somebody else has its id.  It has the socket's permissions, and the
 *  bounds and the permissions to join, of all.
 *  @param server the server
 *  @param seat   copied
 *  @return 0, or #IVFLAT_ERR_INVALID (a field; the id is taken), #IVFLAT_ERR_SYSTEM (the socket), #IVFLAT_ERR_BUSY */
IVFLAT_API int32_t ivflat_server_add_seat(ivflat_server *server, const ivflat_server_seat *seat);

/** Makes this process a peer: a client that needs no socket's file, in a kept seat of its own.  No bound refuses it.
 *  @param server    the server
 *  @param id        0..65535: nobody else gets it, now or later
 *  @param socket_fd set: yours, for ivflat_device_adopt().  When the device disconnects, call again
 *  @return 0, or #IVFLAT_ERR_INVALID (the id is taken), #IVFLAT_ERR_SYSTEM (descriptors), #IVFLAT_ERR_BUSY */
IVFLAT_API int32_t ivflat_server_join(ivflat_server *server, uint32_t id, int32_t *socket_fd);

/** Writes down all that a program needs that is started in place of this one (execve()), and lets its descriptors live
 *  on in it: sockets, eventfds, memory, who has heard of whom.  Then start it, without ivflat_server_free(), and give
 *  it the descriptor for ivflat_server_config.handed_fd, with the same config and seats; no client notices, but that
 *  ivflat_server_join() has to be called again.  Where it cannot be started, this server goes on.
 *  @param server    the server
 *  @param handed_fd set: yours; it is not closed by execve()
 *  @return 0, or #IVFLAT_ERR_SYSTEM, #IVFLAT_ERR_INVALID, #IVFLAT_ERR_BUSY */
IVFLAT_API int32_t ivflat_server_hand_over(ivflat_server *server, int32_t *handed_fd);

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

/** Goes through the clients: start with -1, go on with each answer.  [hook]
 *  @param server the server
 *  @param after  an id, or -1
 *  @param client filled in, as far as its struct_size says; may be NULL
 *  @return the next id above @p after that is there, or -1; #IVFLAT_ERR_INVALID: struct_size is not set */
IVFLAT_API int32_t ivflat_server_next_client(const ivflat_server *server, int32_t after, ivflat_server_client *client);

/** @param server the server  @param which one of IVFLAT_SERVER_COUNT_...
 *  @return how many so far; 0 for a number that we do not know.  [hook] */
IVFLAT_API uint64_t ivflat_server_counter(const ivflat_server *server, uint32_t which);

/** Ends a client's connection, by the next dispatch; the others are told that it left.  [hook]
 *  @param server the server
 *  @param id     the client's
 *  @return 0, or #IVFLAT_ERR_INVALID: it is not there */
IVFLAT_API int32_t ivflat_server_drop(ivflat_server *server, uint32_t id);

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
