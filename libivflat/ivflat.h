/* SPDX-License-Identifier: BSD-3-Clause */
/** @file
 * The ivshmem-flat device, for any emulator: a memory shared with other machines, and doorbells between them.
 *
 * Four promises, for every call and hook below:
 *
 * THREADS    The library starts none and takes no lock.  One thread at a time per device; two devices share nothing.
 *            The exceptions are ivflat_device_doorbell(), ivflat_device_wait() and ivflat_device_wake(), which any
 *            thread may call until you call ivflat_device_free(): wake and join your threads first.  A device does
 *            not survive a fork(): in the child, only free it.
 * HOOKS      run on your thread, inside your call, when the device is in order again; never after
 *            ivflat_device_free() has returned.  From a hook you may call what is marked [hook].  Anything else does
 *            nothing: it answers #IVFLAT_ERR_BUSY, or, where it returns nothing, logs.  Return from a hook: no longjmp,
 *            no exception.
 * OWNERSHIP  Config and hooks are copied.  A descriptor is *given* to the library (it closes it, also when the call
 *            fails) or *lent* to a hook: for that call, or for as long as the hook's comment says (dup() to keep it).
 *            No allocated memory crosses this border.
 * ERRORS     0 or one of the negative numbers below; the sentence for people is ivflat_last_error(), in hooks too.
 *            What the guest calls never fails.  A NULL device is #IVFLAT_ERR_INVALID, 0, NULL or nothing.
 *
 * GROWTH     Set struct_size.  What lies beyond it is taken as zero; a struct longer than the library's own is taken
 *            when the rest is zero, and else refused.
 *
 * R1..R9, P1..P23 and C1..C4 name the statements of the specification as docs/protocol.md numbers them; what names
 * none is the library's own.
 */
#ifndef IVFLAT_H
#define IVFLAT_H

#include <stdint.h>

#include <libivflat/ivflat-version.h>

/** Marks what the library exports. */
#ifndef IVFLAT_API
#define IVFLAT_API
#endif

#ifdef __cplusplus
extern "C" {
#endif

/** @name The guest's view: four 32-bit little-endian registers (R1) */ /** @{ */
#define IVFLAT_MMIO_SIZE      0x10u                                     /**< bytes of registers, no more */
#define IVFLAT_REG_INTRMASK   0x00u  /**< revision 0: bit 0 lets the line through; revision 1: reserved (R3, R4) */
#define IVFLAT_REG_INTRSTATUS 0x04u  /**< revision 0: bit 0 says that we were rung, reading clears it; else reserved */
#define IVFLAT_REG_IVPOSITION 0x08u  /**< our id; 0xffffffff until the first READY (R5) */
#define IVFLAT_REG_DOORBELL   0x0cu  /**< peer id << 16 | vector; write only (R6) */
#define IVFLAT_MAX_PEERS      65536u /**< ids are 0..65535 */
#define IVFLAT_MAX_VECTORS    65536u /**< vectors are 0..65535 */
/** @} */

/** What a call answers. */
enum {
    IVFLAT_OK = 0,
    IVFLAT_ERR_INVALID = -1,  /**< an argument, or a call out of order */
    IVFLAT_ERR_BUSY = -2,     /**< called from inside a hook */
    IVFLAT_ERR_SYSTEM = -3,   /**< a system call failed: the sentence names it */
    IVFLAT_ERR_PROTOCOL = -4, /**< the server broke the protocol */
    IVFLAT_ERR_CLOSED = -5,   /**< the server closed the link */
    IVFLAT_ERR_MEMORY = -6,   /**< the shared memory is not what was asked for */
    IVFLAT_ERR_REFUSED = -7,  /**< a hook said no */
    IVFLAT_ERR_TIMEOUT = -8,  /**< the time was up */
    IVFLAT_ERR_NOMEM = -9     /**< out of memory; nothing changed but, where there was one, the link is down */
};

/** The link to the server.  DOWN -> GREETING -> READY -> DOWN ... */
enum {
    IVFLAT_LINK_DOWN = 0,     /**< no server; what we know of peers stays and works (P17) */
    IVFLAT_LINK_GREETING = 1, /**< version, id and memory are still to come, or the server's queue is full */
    IVFLAT_LINK_READY = 2     /**< id and memory are there; peers come and go (P7) */
};

/** How grave a line for ivflat_hooks.log is. */
enum {
    IVFLAT_LOG_ERROR = 1,   /**< what was asked for did not happen */
    IVFLAT_LOG_WARNING = 2, /**< it happened, with less than was asked for */
    IVFLAT_LOG_INFO = 3,    /**< worth a line in a journal */
    IVFLAT_LOG_DEBUG = 4    /**< for who looks for a fault */
};

/** One device: what one machine sees.  Opaque; made by ivflat_device_new(). */
typedef struct ivflat_device ivflat_device;

/** What the device is to be.  Zero it, set struct_size, change what you need. */
typedef struct ivflat_config {
    uint32_t struct_size;    /**< sizeof(ivflat_config) */
    uint32_t max_vectors;    /**< most vectors taken of any peer, ourselves included, 1..65536; 0: 64 (P8) */
    uint64_t memory_size;    /**< bytes, exact; 0: what the server has at the first READY, and the same ever after */
    uint32_t no_interrupts;  /**< 1: memory only; IVPOSITION 0, doorbells ignored, no peers, no vectors (R5, R7) */
    uint32_t revision0;      /**< 1: revision 0's registers: line() until the guest reads INTRSTATUS, no interrupt() */
    uint32_t no_mapping;     /**< 1: map in memory_attached() yourself; 0: see ivflat_device_memory() */
    uint32_t require_sealed; /**< 1: refuse memory that a peer could shrink under us (SIGBUS); 0: warn, once */
    uint32_t greeting_timeout_ms; /**< milliseconds; a greeting that takes longer ends the link; 0: 5,000 (P23) */
    uint32_t reconnect_ms;        /**< way 1: so many milliseconds after a loss, or a refusal, try again; 0: never */
    uint32_t trusted_peers;       /**< 1: ring with a plain write(), faster; a hostile peer could block it (P16) */
    uint32_t reserved;            /**< 0 */
} ivflat_config;

/** What the emulator gives.  Zero it, set struct_size; each may be NULL unless it says required.
 *
 *  READY comes in this order: memory_attached(); doorbell_removed(), vector_removed() and peer_changed(id, 0) for all
 *  that an earlier server left behind, while id and registers are the new server's already; link_changed(READY).  Then
 *  peers and vectors, in any order, at any time.
 *  A greeting that fails leaves everything as it was.  A link that goes down says so and changes nothing else: peers
 *  that we know and vectors that we have go on working.  Only ivflat_device_disconnect() and _free() forget them. */
typedef struct ivflat_hooks {
    uint32_t struct_size; /**< sizeof(ivflat_hooks) */
    uint32_t reserved;    /**< 0 */
    void *user;           /**< first argument of each hook */

    /** Peers rang our @p vector, @p count >= 1 times since you were last told: pulse the line, once.  From
     *  ivflat_device_dispatch() only, ivflat_device_greet(), which dispatches, or ivflat_device_serve().  Required,
     *  unless no_interrupts or revision0.  (R8, C2) */
    void (*interrupt)(void *user, uint32_t vector, uint64_t count);
    /** The line is to be at @p level (0 or 1) from now on: it changed, or the device was reset.
     *  Required with revision0 (unless no_interrupts), else never called.  (R4) */
    void (*line)(void *user, uint32_t level);
    /** The server's memory, before each READY: @p fd is lent for this call, @p size in bytes.  Non-zero refuses it and
     *  ends the link.  Required with no_mapping; else the library maps it after this, before READY.  (P5, P15) */
    int32_t (*memory_attached)(void *user, int32_t fd, uint64_t size);
    /** @p link is one of IVFLAT_LINK_...  READY: id and memory are there.  DOWN: @p error says why, 0: you asked. */
    void (*link_changed)(void *user, uint32_t link, int32_t error);
    /** Peer @p id has @p vectors vectors now; 0: it left.  Not called for ourselves.  (P6, P10) */
    void (*peer_changed)(void *user, uint32_t id, uint32_t vectors);
    /** Our own @p vector waits on @p fd.  Return 1 to wait on it yourself: @p fd is lent until vector_removed(), and
     *  interrupt() is not called for it; what was rung before still waits in it.  Read it yourself (KVM irqfd does), or
     *  only poll it and have it read by ivflat_device_serve().  Return 0 to leave it to the library, which loses
     *  nothing meanwhile.  (Other numbers: as 0 today, do not use them.)  May be a pipe.  Not called with revision0. */
    int32_t (*vector_added)(void *user, uint32_t vector, int32_t fd);
    /** For each that you took: let go of it.  The same @p fd, closed when you return. */
    void (*vector_removed)(void *user, uint32_t vector, int32_t fd);
    /** A guest's write of @p value to DOORBELL (4 bytes, aligned) amounts to writing 1 to @p fd; our own id's too.
     *  Return 1 if you bound it (KVM ioeventfd): lent until doorbell_removed().  Return 0, and the guest's write
     *  comes through ivflat_device_write().  (Other numbers: as 0 today, do not use them.)  May be a pipe. */
    int32_t (*doorbell_added)(void *user, uint32_t value, int32_t fd);
    /** For each that you bound: unbind it.  The same @p fd, closed when you return. */
    void (*doorbell_removed)(void *user, uint32_t value, int32_t fd);
    /** The guest did something pointless: @p text says what, and dies when the hook returns.  Yours to limit or drop:
     *  a guest can cause any number of these, and causes no line for log(). */
    void (*guest_error)(void *user, const char *text);
    /** One line, no newline; @p level is one of IVFLAT_LOG_...; @p text dies when the hook returns.  The only hook
     *  that ivflat_device_new() calls. */
    void (*log)(void *user, uint32_t level, const char *text);
    /** A numbered event (libivflat/ivflat-trace.h) for your emulator's own tracing. */
    void (*trace)(void *user, uint32_t event, uint64_t a, uint64_t b, uint64_t c);
} ivflat_hooks;

/** @name Life */ /** @{ */

/** Makes a device that has no link yet: its registers answer (R3, R5), its memory is zeros.
 *  @param out    the device, yours to ivflat_device_free(); NULL on an error
 *  @param config copied; may be NULL: all defaults
 *  @param hooks  copied; may be NULL only with no_interrupts and without no_mapping
 *  @return 0, or #IVFLAT_ERR_INVALID (a field: the sentence names it), #IVFLAT_ERR_SYSTEM (descriptors, address
 *          space), #IVFLAT_ERR_NOMEM */
IVFLAT_API int32_t ivflat_device_new(ivflat_device **out, const ivflat_config *config, const ivflat_hooks *hooks);

/** ivflat_device_disconnect(), then all is gone, the mapping too.  @param dev NULL is fine */
IVFLAT_API void ivflat_device_free(ivflat_device *dev);

/** The machine was reset: registers 0, line low.  Link, id, memory, peers and rings that still wait stay (R3, R5).
 *  @param dev the device */
IVFLAT_API void ivflat_device_reset(ivflat_device *dev);

/** Sets the two registers that ivflat_device_get_state() gave, bit 0 of each (R4); in revision 1 does nothing.  Calls
 *  line() if it moves, and no other hook.
 *  @param dev the device  @param intrmask the register  @param intrstatus the register */
IVFLAT_API void ivflat_device_set_state(ivflat_device *dev, uint32_t intrmask, uint32_t intrstatus);
/** @} */

/** @name The link, way 1: the library has the socket.  Only while DOWN; again after DOWN to reconnect */ /** @{ */

/** Begins a greeting with the server at @p path; the rest happens in ivflat_device_dispatch().  Never blocks: a server
 *  whose queue is full (EAGAIN) is tried again until the greeting's time is up (P23).
 *  @param dev  the device
 *  @param path of a UNIX stream socket, 1..107 bytes; copied
 *  @return 0, also when reconnect_ms is set and there is no server yet: log() tells, and it is tried again; else
 *          #IVFLAT_ERR_INVALID (the path; not DOWN), #IVFLAT_ERR_SYSTEM (nobody listens, no permission ...),
 *          #IVFLAT_ERR_BUSY */
IVFLAT_API int32_t ivflat_device_connect(ivflat_device *dev, const char *path);

/** The same with a socket that is connected already (P1).  There is no path, so reconnect_ms has no effect.
 *  @param dev       the device
 *  @param socket_fd given; a connected UNIX stream socket
 *  @return 0, or #IVFLAT_ERR_INVALID (no such socket; not DOWN), #IVFLAT_ERR_SYSTEM, #IVFLAT_ERR_BUSY */
IVFLAT_API int32_t ivflat_device_adopt(ivflat_device *dev, int32_t socket_fd);

/** Dispatches until READY, an error, or the time is up: for a realize that must know (R5, P23).
 *  @param dev        the device; way 1 only
 *  @param timeout_ms milliseconds; -1: no limit but the greeting's own (none while reconnect_ms waits for a server)
 *  @return 0: READY; #IVFLAT_ERR_TIMEOUT: not yet, or somebody called ivflat_device_wake(); it goes on: call again, or
 *          disconnect; the error that ended the link; #IVFLAT_ERR_INVALID: nothing to wait for; #IVFLAT_ERR_BUSY */
IVFLAT_API int32_t ivflat_device_greet(ivflat_device *dev, int32_t timeout_ms);
/** @} */

/** @name The link, way 2: you have the socket (a QEMU chardev).  After an error, close it */ /** @{ */

/** Your socket is connected: forget half a message and begin a greeting (P3).  Its time limit needs
 *  ivflat_device_dispatch() to be called.
 *  @param dev the device, DOWN
 *  @return 0, or #IVFLAT_ERR_INVALID (not DOWN), #IVFLAT_ERR_BUSY */
IVFLAT_API int32_t ivflat_device_begin(ivflat_device *dev);

/** Bytes that the message in hand still lacks.  Never read more at once: with a larger read the kernel gives the
 *  descriptor of a later message (P2).  [hook]
 *  @param dev the device
 *  @return 1..8; 0 while DOWN, and in way 1 */
IVFLAT_API uint32_t ivflat_device_wants(const ivflat_device *dev);

/** What your socket gave.  An error ends the link (link_changed() comes first); close the socket then.
 *  @param dev      the device
 *  @param bytes    lent for this call; NULL with @p count 0
 *  @param count    bytes, at most ivflat_device_wants()
 *  @param fds      given: what came with these bytes; -1 among them: one was lost on the way (MSG_CTRUNC, P14)
 *  @param fd_count how many; more than one with a message is the server's error (P13)
 *  @return 0; the error that ended the link; #IVFLAT_ERR_INVALID while DOWN, and for what cannot be: then a link that
 *          was up ends, for the stream cannot be followed any more; #IVFLAT_ERR_BUSY (the descriptors are closed) */
IVFLAT_API int32_t ivflat_device_feed(ivflat_device *dev, const uint8_t *bytes, uint32_t count, const int32_t *fds,
                                      uint32_t fd_count);

/** End of file was seen, or you closed the socket (P17).  Fine while DOWN.  @param dev the device */
IVFLAT_API void ivflat_device_end(ivflat_device *dev);
/** @} */

/** Either way: we leave.  Link down, no reconnecting, peers and vectors forgotten (hooks are told); id and memory stay
 *  (R5).
 *  @param dev the device */
IVFLAT_API void ivflat_device_disconnect(ivflat_device *dev);

/** @name Events, with either way: poll one descriptor, the same one for life, and dispatch */ /** @{ */

/** The descriptor to poll for reading: with poll, epoll, a GLib source, qemu_set_fd_handler ...  [hook]
 *  @param dev the device
 *  @return lent until ivflat_device_free(); readable: dispatch */
IVFLAT_API int32_t ivflat_device_get_fd(const ivflat_device *dev);

/** Way 1's socket, for a loop that polls many descriptors anyway, and in which each costs less than the one of
 *  ivflat_device_get_fd(), which stands for several.  While READY, with every own vector taken by vector_added(), nothing
 *  but a wake comes through that one which does not make this one readable; in any other state poll that one.  Ask
 *  again in each link_changed().  [hook]
 *  @param dev the device
 *  @return lent until link_changed(DOWN), in which it is closed already; readable: dispatch; -1: none (DOWN, way 2) */
IVFLAT_API int32_t ivflat_device_get_socket(const ivflat_device *dev);

/** Does a bounded share of what is due; never blocks; what is left keeps the descriptor readable.  With nothing due
 *  it costs one system call.
 *  @param dev the device
 *  @return 0, or the error that ended the link in this call, or #IVFLAT_ERR_BUSY */
IVFLAT_API int32_t ivflat_device_dispatch(ivflat_device *dev);

/** Waits until there is something to dispatch, and dispatches: for a thread that has the device to itself, which spares a
 *  system call an event.  Others may ring, wait and wake meanwhile, nothing else.
 *  @param dev        the device
 *  @param timeout_ms milliseconds; 0: as ivflat_device_dispatch(); -1: no limit
 *  @return 1: dispatched, which may have been a wake; 0: the time is up; the error that ended the link in this call;
 *          #IVFLAT_ERR_SYSTEM (cannot wait), #IVFLAT_ERR_BUSY */
IVFLAT_API int32_t ivflat_device_run(ivflat_device *dev, int32_t timeout_ms);

/** For an own vector that vector_added() took and that you found readable in a loop of your own: reads it and calls
 *  interrupt(), unless somebody read it before.  Never blocks (P16).  One system call, where waiting through the
 *  device's one descriptor needs two.
 *  @param dev    the device
 *  @param vector as it came to vector_added()
 *  @return 0, also when nothing was there, or when it was broken and vector_removed() came; #IVFLAT_ERR_INVALID (no
 *          such vector was taken), #IVFLAT_ERR_BUSY */
IVFLAT_API int32_t ivflat_device_serve(ivflat_device *dev, uint32_t vector);

/** Waits until there is something to dispatch.  Only looks: any thread, until ivflat_device_free().
 *  @param dev        the device
 *  @param timeout_ms milliseconds; 0: only look; -1: no limit
 *  @return 1: dispatch, or a wake since the last dispatch; 0: time is up; #IVFLAT_ERR_SYSTEM, #IVFLAT_ERR_INVALID */
IVFLAT_API int32_t ivflat_device_wait(const ivflat_device *dev, int32_t timeout_ms);

/** Ends each wait, also one that begins later, until the next dispatch, and ivflat_device_greet() with
 *  #IVFLAT_ERR_TIMEOUT.  A dispatch takes the wake back, maybe before a waiting thread has seen it: who wakes to end a
 *  thread sees to it that nobody dispatches until it has ended.  Any thread, any hook, signal handlers.
 *  @param dev the device */
IVFLAT_API void ivflat_device_wake(const ivflat_device *dev);
/** @} */

/** @name The guest: never fails [hook], for a line may lead to a DMA engine that comes straight back */ /** @{ */

/** The guest loads from the registers.  Only aligned 4-byte accesses count; others read 0, do nothing (R2).
 *  @param dev    the device
 *  @param offset bytes from the region's start; any
 *  @param width  bytes; any
 *  @return the register's value in the host's byte order */
IVFLAT_API uint32_t ivflat_device_read(ivflat_device *dev, uint64_t offset, uint32_t width);

/** The guest stores to the registers.  A ring reaches its peer in this call, with all that the guest wrote to the
 *  memory before it (R9); a ring of oneself comes back by a later dispatch (R8).  Never blocks (P16).
 *  @param dev    the device
 *  @param offset bytes from the region's start; any
 *  @param width  bytes; any
 *  @param value  in the host's byte order */
IVFLAT_API void ivflat_device_write(ivflat_device *dev, uint64_t offset, uint32_t width, uint64_t value);

/** The same for 4 bytes to DOORBELL, from any thread and without your lock, while others do what they do with the device:
 *  two vCPUs then ring at once.  It calls no hook: what one would have to be told of it leaves to ivflat_device_write(), for
 *  which you take your lock when the answer is 0; and a ring is not traced, so call that when you trace.  (R6, R9, P16)
 *  @param dev   the device
 *  @param value peer id << 16 | vector
 *  @return 1: rung; 0: nothing happened (no such peer or vector, a pipe, no request to be had just now) */
IVFLAT_API int32_t ivflat_device_doorbell(ivflat_device *dev, uint32_t value);
/** @} */

/** @name Asking [hook] */ /** @{ */

/** How far the greeting is (P3..P7).  @param dev the device  @return one of IVFLAT_LINK_... */
IVFLAT_API uint32_t ivflat_device_link(const ivflat_device *dev);

/** Our id (R5, P4).  @param dev the device  @return 0..65535: the last READY's; -1 before that */
IVFLAT_API int32_t ivflat_device_id(const ivflat_device *dev);

/** The memory's size (P15).  @param dev the device  @return bytes of shared memory; 0 while not known */
IVFLAT_API uint64_t ivflat_device_memory_size(const ivflat_device *dev);

/** The memory, readable and writable: with memory_size the same address from new() on (zeros until READY, and what is
 *  written before is lost), else from the first READY on (NULL until then); until free(), whatever the link does:
 *  another server's memory is mapped over it (P18).
 *  @param dev the device
 *  @return lent until ivflat_device_free(); NULL with no_mapping */
IVFLAT_API void *ivflat_device_memory(const ivflat_device *dev);

/** A peer's vectors (P6, P8).
 *  @param dev the device  @param id of a peer, or our own  @return its vectors that we took; 0: not there */
IVFLAT_API uint32_t ivflat_device_peer_vectors(const ivflat_device *dev, uint32_t id);

/** Goes through the peers: start with -1, go on with each answer.  Our own id comes too, when we have vectors
 *  (P6, P10).
 *  @param dev the device  @param after an id, or -1  @return the next id above @p after that is there, or -1 */
IVFLAT_API int32_t ivflat_device_next_peer(const ivflat_device *dev, int32_t after);

/** @param dev the device  @param which one of IVFLAT_COUNT_... (libivflat/ivflat-trace.h)
 *  @return how many since ivflat_device_new(); 0 for a number that we do not know */
IVFLAT_API uint64_t ivflat_device_counter(const ivflat_device *dev, uint32_t which);

/** What a snapshot of the machine has to keep: revision 0's two registers (R4; 0 in revision 1).
 *  @param dev the device  @param intrmask set; may be NULL  @param intrstatus set; may be NULL.  It is not cleared. */
IVFLAT_API void ivflat_device_get_state(const ivflat_device *dev, uint32_t *intrmask, uint32_t *intrstatus);
/** @} */

/** @name Of the library */ /** @{ */

/** What went wrong last on this thread: one sentence, what and where and what would be right.
 *  @return never NULL; "" before the first error; lives until this thread's next error */
IVFLAT_API const char *ivflat_last_error(void);

/** @param error one of IVFLAT_ERR_...  @return a few words for it, for life; never NULL */
IVFLAT_API const char *ivflat_strerror(int32_t error);

/** @return the version of the library that runs: major << 16 | minor << 8 | micro; compare with #IVFLAT_VERSION */
IVFLAT_API uint32_t ivflat_version(void);
/** @} */

#ifdef __cplusplus
}
#endif
#endif
