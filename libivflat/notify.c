/* SPDX-License-Identifier: BSD-3-Clause */
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

/* A flag of reads and writes that no kernel knows: a request with it is refused, but only after its eventfd was found
 * to be one. */
#define UNKNOWN_RW_FLAG 0x40000000

/* What lies at the start of the page that the kernel shares with who asked for a context (stable ABI, aio_abi.h leaves
 * it out).  Completions are put at tail; whoever has seen them moves head. */
struct completion_ring {
    unsigned id;
    unsigned count;
    unsigned head;
    unsigned tail;
};

/* A read of no bytes from an eventfd of ours: it fails at once, and that is its completion, which signals. */
static void prepare_request(struct ivf_notifier *notifier, int wake_fd)
{
    notifier->request = (struct iocb){
        .aio_lio_opcode = IOCB_CMD_PREAD,
        .aio_fildes = (uint32_t)wake_fd,
        .aio_flags = IOCB_FLAG_RESFD,
    };
    notifier->list[0] = &notifier->request;
}

static int submit(struct ivf_notifier *notifier, int fd)
{
    notifier->request.aio_resfd = (uint32_t)fd;
    return __builtin_expect(syscall(SYS_io_submit, notifier->context, 1, notifier->list) == 1, 1) ? 0 : -errno;
}

/* The kernel looks at the eventfd before it looks at the flags. */
static bool can_be_signalled(struct ivf_notifier *notifier, int fd)
{
    int result;

    notifier->request.aio_rw_flags = UNKNOWN_RW_FLAG;
    result = submit(notifier, fd);
    notifier->request.aio_rw_flags = 0;
    return result == -EOPNOTSUPP;
}

/* Contexts that nobody uses: the kernel takes tens of milliseconds to destroy one (it waits for all processors to have
 * passed by), so that a few are kept for the next device.  A slot is taken and given by one exchange, and whose context
 * it is, is its alone. */
#define SPARE 8
static _Atomic unsigned long spare[SPARE];

/* One that works: what was kept before a fork() does not, in the child. */
static bool take_spare(struct ivf_notifier *notifier)
{
    for (int i = 0; i < SPARE; i++) {
        notifier->context = atomic_exchange(&spare[i], 0);
        if (notifier->context && can_be_signalled(notifier, (int)notifier->request.aio_fildes)) {
            return true;
        }
    }
    notifier->context = 0;
    return false;
}

static bool keep_spare(unsigned long context)
{
    for (int i = 0; i < SPARE; i++) {
        unsigned long none = 0;

        if (atomic_compare_exchange_strong(&spare[i], &none, context)) {
            return true;
        }
    }
    return false;
}

int ivf_notifier_init(struct ivf_notifier *notifier, int wake_fd, bool plain)
{
    notifier->context = 0;
    prepare_request(notifier, wake_fd);
    if (plain || take_spare(notifier)) {
        return 0;
    }
    if (syscall(SYS_io_setup, 1, &notifier->context) < 0) {
        notifier->context = 0;
        return -errno;
    }
    if (!can_be_signalled(notifier, wake_fd)) { /* a sandbox that lets us set up, but not submit */
        syscall(SYS_io_destroy, notifier->context);
        notifier->context = 0;
        return -EPERM;
    }
    return 0;
}

void ivf_notifier_fini(struct ivf_notifier *notifier)
{
    if (notifier->context && !keep_spare(notifier->context)) {
        syscall(SYS_io_destroy, notifier->context);
    }
    notifier->context = 0;
}

/* Nobody reads the completions: they are taken as seen, or the ring would be full some day. */
static void forget_completions(struct ivf_notifier *notifier)
{
    struct completion_ring *ring = (struct completion_ring *)notifier->context;

    __atomic_store_n(&ring->head, __atomic_load_n(&ring->tail, __ATOMIC_RELAXED), __ATOMIC_RELEASE);
}

static int make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || (flags & O_NONBLOCK)) {
        return flags;
    }
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

static bool is_eventfd_by_name(int fd)
{
    char link[32], target[32];
    ssize_t length;

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, target, sizeof(target) - 1);
    if (length < 0) {
        return errno == ENOENT; /* no /proc here: believe the server */
    }
    target[length] = '\0';
    return strcmp(target, "anon_inode:[eventfd]") == 0;
}

enum ivf_notify_kind ivf_notify_classify(struct ivf_notifier *notifier, int fd)
{
    struct stat status;

    if (fstat(fd, &status) < 0) {
        return IVF_NOTIFY_UNUSABLE;
    }
    if (S_ISFIFO(status.st_mode)) {
        return make_nonblocking(fd) < 0 ? IVF_NOTIFY_UNUSABLE : IVF_NOTIFY_PIPE;
    }
    if (notifier->context) {
        return can_be_signalled(notifier, fd) ? IVF_NOTIFY_EVENTFD : IVF_NOTIFY_UNUSABLE;
    }
    return is_eventfd_by_name(fd) && make_nonblocking(fd) >= 0 ? IVF_NOTIFY_EVENTFD : IVF_NOTIFY_UNUSABLE;
}

/* Ringing.  The ways that are seldom gone are out of line: what a ring takes is counted (tests/bench). */

static int ring_by_write(int fd)
{
    static const uint64_t one = 1;

    while (write(fd, &one, sizeof(one)) < 0) {
        if (errno == EAGAIN) {
            return 0;
        }
        if (errno != EINTR) {
            return -errno;
        }
    }
    return 0;
}

/* The kernel had no memory for a request: rather a write that a hostile peer might just now make block than a ring lost. */
static int ring_for_want_of_memory(int fd)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};

    return poll(&room, 1, 0) == 1 ? ring_by_write(fd) : 0; /* no room: it is rung */
}

static __attribute__((noinline, cold)) int request_failed(struct ivf_notifier *notifier)
{
    int err = errno;

    forget_completions(notifier);
    return err == EAGAIN ? ring_for_want_of_memory((int)notifier->request.aio_resfd) : -err;
}

static int ring_by_request(struct ivf_notifier *notifier, int fd)
{
    notifier->request.aio_resfd = (uint32_t)fd;
    if (__builtin_expect(syscall(SYS_io_submit, notifier->context, 1, notifier->list) != 1, 0)) {
        return request_failed(notifier);
    }
    forget_completions(notifier);
    return 0;
}

/* One write, that does not wait where the kernel (6.4 on) can be told so for a pipe; where it cannot, one that poll()
 * says has room. */
static int write_pipe(int fd)
{
    uint64_t one = 1;
    struct iovec piece = {.iov_base = &one, .iov_len = sizeof(one)};
    struct pollfd room = {.fd = fd, .events = POLLOUT};

    if (pwritev2(fd, &piece, 1, -1, RWF_NOWAIT) >= 0) {
        return 0;
    }
    if (errno == EOPNOTSUPP && poll(&room, 1, 0) == 1 && write(fd, &one, sizeof(one)) >= 0) {
        return 0;
    }
    return errno == EAGAIN || errno == EOPNOTSUPP ? 0 : -errno;
}

/* A pipe without a reader raises SIGPIPE in the thread that writes (C3): it is kept out, and one that came is taken. */
static __attribute__((noinline)) int ring_pipe(int fd)
{
    const struct timespec at_once = {0, 0};
    sigset_t sigpipe, before, pending;
    bool was_pending;
    int result;

    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    sigpending(&pending);
    was_pending = sigismember(&pending, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe, &before);
    result = write_pipe(fd);
    if (result == -EPIPE && !was_pending) {
        while (sigtimedwait(&sigpipe, NULL, &at_once) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return result;
}

int ivf_notify_ring(struct ivf_notifier *notifier, int fd, enum ivf_notify_kind kind)
{
    if (__builtin_expect(kind != IVF_NOTIFY_EVENTFD, 0)) {
        return ring_pipe(fd);
    }
    return notifier->context ? ring_by_request(notifier, fd) : ring_by_write(fd);
}

/* Serving. */

/* Reads without waiting, though another holder may have cleared O_NONBLOCK; before Linux 6.4 a pipe cannot be told so. */
static ssize_t read_now(int fd, void *bytes, size_t count)
{
    struct iovec piece = {.iov_base = bytes, .iov_len = count};
    struct pollfd there = {.fd = fd, .events = POLLIN};
    ssize_t result = preadv2(fd, &piece, 1, -1, RWF_NOWAIT);

    if (result < 0 && errno == EOPNOTSUPP) {
        if (poll(&there, 1, 0) < 1) {
            errno = EAGAIN;
            return -1;
        }
        result = read(fd, bytes, count);
    }
    return result;
}

int64_t ivf_notify_drain(int fd, enum ivf_notify_kind kind)
{
    uint64_t words[512];
    ssize_t bytes = read_now(fd, words, kind == IVF_NOTIFY_EVENTFD ? sizeof(words[0]) : sizeof(words));

    if (bytes < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    }
    if (bytes == 0) {
        return -EPIPE;
    }
    if (kind == IVF_NOTIFY_EVENTFD) {
        return words[0] > INT64_MAX ? INT64_MAX : (int64_t)words[0];
    }
    return (bytes + 7) / 8; /* a pipe carries an 8-byte 1 for each ring */
}
