/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The numbers that ivflat_hooks.trace and ivflat_device_counter() speak in.  Numbers are never used again for
 * another meaning; new ones are added at the end.
 */
#ifndef IVFLAT_TRACE_H
#define IVFLAT_TRACE_H

#include <stdint.h>

#include <libivflat/ivflat.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Events; in brackets what the hook's a, b, c are, 0 where not named.  A negative number comes as its 64-bit two's
 *  complement. */
enum {
    IVFLAT_TRACE_LINK = 1,            /**< the link changed (IVFLAT_LINK_..., error) */
    IVFLAT_TRACE_MESSAGE = 2,         /**< a message from the server (number, 1: with a descriptor) */
    IVFLAT_TRACE_MEMORY = 3,          /**< shared memory was taken (bytes, 1: nobody can shrink it) */
    IVFLAT_TRACE_VECTOR_ADDED = 4,    /**< a vector of a peer, or of ours (id, vector, descriptor) */
    IVFLAT_TRACE_VECTOR_REFUSED = 5,  /**< a surplus or unusable one was closed (id, vector) */
    IVFLAT_TRACE_PEER_LEFT = 6,       /**< (id, vectors that it had: 0 if it was never announced) */
    IVFLAT_TRACE_READ = 7,            /**< the guest read (offset, width, value) */
    IVFLAT_TRACE_WRITE = 8,           /**< the guest wrote (offset, width, value) */
    IVFLAT_TRACE_BAD_ACCESS = 9,      /**< an access that does not count (offset, width, 1: a write) */
    IVFLAT_TRACE_RING = 10,           /**< a doorbell was rung (id, vector) */
    IVFLAT_TRACE_RING_NO_PEER = 11,   /**< ignored: nobody has this id (id, vector) */
    IVFLAT_TRACE_RING_NO_VECTOR = 12, /**< ignored: the peer has fewer vectors (id, vector, how many) */
    IVFLAT_TRACE_RING_FAILED = 13,    /**< that vector is broken (id, vector, errno) */
    IVFLAT_TRACE_INTERRUPT = 14,      /**< we were rung (vector, times) */
    IVFLAT_TRACE_RESET = 15           /**< the machine was reset */
};

/** Counters, each since ivflat_device_new(). */
enum {
    IVFLAT_COUNT_RINGS_SENT = 0,     /**< doorbells rung through ivflat_device_write() */
    IVFLAT_COUNT_RINGS_IGNORED = 1,  /**< doorbells at nobody, or at a vector that is not there or broken */
    IVFLAT_COUNT_RINGS_RECEIVED = 2, /**< the sum of the counts that own vectors gave; not those that a hook took */
    IVFLAT_COUNT_MESSAGES = 3,       /**< whole messages from servers */
    IVFLAT_COUNT_LINK_LOSSES = 4,    /**< times that the link went down by itself, failed greetings included */
    IVFLAT_COUNT_BAD_ACCESSES = 5,   /**< guest accesses that do not count */
    IVFLAT_COUNT_VECTORS_REFUSED = 6 /**< surplus or unusable vectors that were closed */
};

/** @param event one of IVFLAT_TRACE_...  @return its name in lower case, for life: "ring_no_peer"; "unknown" for a
 *  number that this library does not send */
IVFLAT_API const char *ivflat_trace_name(uint32_t event);

#ifdef __cplusplus
}
#endif
#endif
