/* SPDX-License-Identifier: BSD-3-Clause */
#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#ifdef HAVE_VALGRIND_H
#include <valgrind/valgrind.h>
#else
#define RUNNING_ON_VALGRIND 0
#endif

#define NOEXEC_SEAL 0x0008U /* Linux 6.3: a memory that is never to be run says so */

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

/* A poll of a memory: it has no poll to wait with, so it is ready at once, and that is its completion, which signals.  Of
 * what the kernel completes at once this is the cheapest (docs/performance.md). */
static struct iocb poll_of(int memory)
{
    return (struct iocb){
        .aio_lio_opcode = IOCB_CMD_POLL,
        .aio_fildes = (uint32_t)memory,
        .aio_buf = POLLIN,
        .aio_flags = IOCB_FLAG_RESFD,
    };
}

/* A read of no bytes from an eventfd: it fails at once, which completes it as well. */
static struct iocb read_of(int eventfd)
{
    return (struct iocb){
        .aio_lio_opcode = IOCB_CMD_PREAD,
        .aio_fildes = (uint32_t)eventfd,
        .aio_flags = IOCB_FLAG_RESFD,
    };
}

static int submit(const struct ivf_notifier *notifier, struct iocb *request, int fd)
{
    struct iocb *list[1] = {request};

    request->aio_resfd = (uint32_t)fd;
    return syscall(SYS_io_submit, notifier->asking, 1, list) == 1 ? 0 : -errno;
}

/* -EOPNOTSUPP: the kernel looked at the eventfd, found it to be one, and then saw the flag.  Nothing is signalled. */
static int probe(struct ivf_notifier *notifier, int fd)
{
    struct iocb request = read_of(notifier->wake);

    request.aio_rw_flags = UNKNOWN_RW_FLAG;
    return submit(notifier, &request, fd);
}

/* What a sandbox answers that was put up after we began. */
static bool is_refusal(int result)
{
    return result == -EPERM || result == -ENOSYS;
}

/* Nobody reads the completions: they are taken as seen, or the ring would be full some day. */
static void forget_completions(const struct ivf_notifier *notifier)
{
    struct completion_ring *ring = (struct completion_ring *)notifier->asking;

    __atomic_store_n(&ring->head, __atomic_load_n(&ring->tail, __ATOMIC_RELAXED), __ATOMIC_RELEASE);
}

/* Contexts that nobody uses: the kernel takes tens of milliseconds to destroy one (it waits for all processors to have
 * passed by), so that a few are kept for the next device, and none is destroyed at the end.  A slot is taken and given by
 * one exchange, and whose context it is, is its alone. */
#define SPARE 8
static _Atomic unsigned long spare[SPARE];

/* Rings the device's own wake-up for a trial. */
static bool rings_by(struct ivf_notifier *notifier, struct iocb request)
{
    bool rung = submit(notifier, &request, notifier->wake) == 0;

    if (rung) {
        forget_completions(notifier);
    }
    notifier->request = request;
    return ivf_notify_drain(notifier->wake, IVF_NOTIFY_EVENTFD) == 1 && rung;
}

/* Kernels before 4.20 cannot poll so, those before 5.8 cannot fail the read that they are asked for; a sandbox may let us set
 * up and not submit, and what was kept before a fork() is of no use in the child. */
static bool works(struct ivf_notifier *notifier)
{
    return probe(notifier, notifier->wake) == -EOPNOTSUPP &&
           ((notifier->memory >= 0 && rings_by(notifier, poll_of(notifier->memory))) ||
            rings_by(notifier, read_of(notifier->wake)));
}

static bool take_spare(struct ivf_notifier *notifier)
{
    for (int i = 0; i < SPARE; i++) {
        notifier->asking = atomic_exchange(&spare[i], 0);
        if (notifier->asking && works(notifier)) {
            return true;
        }
    }
    notifier->asking = 0;
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

/* Valgrind knows no such poll, and would say so at each ring. */
static int make_memory(void)
{
    int fd;

    if (RUNNING_ON_VALGRIND) {
        return -1;
    }
    fd = memfd_create("ivflat-ring", MFD_CLOEXEC | NOEXEC_SEAL);
    return fd < 0 && errno == EINVAL ? memfd_create("ivflat-ring", MFD_CLOEXEC) : fd;
}

static int take_context(struct ivf_notifier *notifier)
{
    if (take_spare(notifier)) {
        return 0;
    }
    if (syscall(SYS_io_setup, 1, &notifier->asking) < 0) {
        notifier->asking = 0;
        return -errno;
    }
    if (!works(notifier)) {
        syscall(SYS_io_destroy, notifier->asking);
        notifier->asking = 0;
        return -EPERM;
    }
    return 0;
}

static bool polls(const struct ivf_notifier *notifier)
{
    return notifier->request.aio_lio_opcode == IOCB_CMD_POLL;
}

int ivf_notifier_init(struct ivf_notifier *notifier, int wake_fd, bool plain)
{
    int result;

    *notifier = (struct ivf_notifier){
        .wake = wake_fd, .memory = plain ? -1 : make_memory(), .plain = plain, .list = {&notifier->request}};
    result = take_context(notifier);
    if (plain) {
        result = 0; /* it only helps to ask */
    } else {
        notifier->context = notifier->asking;
    }
    if (notifier->memory >= 0 && !polls(notifier)) {
        close(notifier->memory);
        notifier->memory = -1;
    }
    return result;
}

/* Also one of zeros, which was never begun. */
void ivf_notifier_fini(struct ivf_notifier *notifier)
{
    if (notifier->asking && !keep_spare(notifier->asking)) {
        syscall(SYS_io_destroy, notifier->asking);
    }
    if (polls(notifier)) {
        close(notifier->memory);
    }
    *notifier = (struct ivf_notifier){0};
}

static int make_nonblocking(int fd)
{
    int flags = fcntl(fd, F_GETFL);

    if (flags < 0 || (flags & O_NONBLOCK)) {
        return flags;
    }
    return fcntl(fd, F_SETFL, flags | O_NONBLOCK);
}

/* Without asynchronous I/O to ask by: by its name, and where there is no /proc, by being a file without a kind. */
static bool is_eventfd_by_name(int fd)
{
    char link[32], target[32];
    struct stat status;
    ssize_t length;

    if (fstat(fd, &status) < 0 || (status.st_mode & S_IFMT) != 0) {
        return false;
    }
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    length = readlink(link, target, sizeof(target) - 1);
    if (length < 0) {
        return errno == ENOENT;
    }
    target[length] = '\0';
    return strcmp(target, "anon_inode:[eventfd]") == 0;
}

/* One end of a pipe or FIFO; the kernel never changes which. */
static bool is_open_for(int fd, int mode)
{
    return (fcntl(fd, F_GETFL) & O_ACCMODE) == mode;
}

/* By a request where that is possible: it is one system call, and who joins a crowd asks for each of its vectors. */
static bool is_eventfd(struct ivf_notifier *notifier, int fd)
{
    int result = notifier->asking ? probe(notifier, fd) : -ENOSYS;

    if (!is_refusal(result)) {
        return result == -EOPNOTSUPP;
    }
    notifier->refused = notifier->context != 0;
    return is_eventfd_by_name(fd);
}

/* What a write() will ring must not block. */
static bool rings_by_write(const struct ivf_notifier *notifier)
{
    return !notifier->context || notifier->refused;
}

/* Nothing here asks a file system, which could be slow to answer, or never answer. */
enum ivf_notify_kind ivf_notify_classify(struct ivf_notifier *notifier, int fd)
{
    if (is_eventfd(notifier, fd)) {
        return rings_by_write(notifier) && make_nonblocking(fd) < 0 ? IVF_NOTIFY_UNUSABLE : IVF_NOTIFY_EVENTFD;
    }
    /* A pipe that is open both ways cannot be read without waiting: vmsplice() would write to it. */
    return fcntl(fd, F_GETPIPE_SZ) >= 0 && !is_open_for(fd, O_RDWR) ? IVF_NOTIFY_PIPE : IVF_NOTIFY_UNUSABLE;
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

/* Where a request cannot be had, a write that a hostile peer might just now make block is better than a ring lost. */
static int ring_by_looking(int fd)
{
    struct pollfd room = {.fd = fd, .events = POLLOUT};

    return poll(&room, 1, 0) == 1 ? ring_by_write(fd) : 0; /* no room: it is rung */
}

/* EAGAIN: the kernel has no memory just now.  EPERM, ENOSYS: a sandbox was put up, and it stays. */
static __attribute__((noinline, cold)) int request_failed(struct ivf_notifier *notifier)
{
    int err = errno;

    forget_completions(notifier);
    if (is_refusal(-err)) {
        notifier->refused = true;
    } else if (err != EAGAIN) {
        return -err;
    }
    return ring_by_looking((int)notifier->request.aio_resfd);
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

int ivf_notify_ring_apart(const struct ivf_notifier *notifier, int fd)
{
    struct iocb request = notifier->memory >= 0 ? poll_of(notifier->memory) : read_of(notifier->wake);
    int result;

    if (!notifier->context) {
        return notifier->plain ? ring_by_write(fd) : -EAGAIN;
    }
    result = submit(notifier, &request, fd);
    forget_completions(notifier);
    return result;
}

/* Of what can be done with a pipe only splicing takes its "do not wait" from the call: O_NONBLOCK is any holder's to
 * clear, and RWF_NOWAIT is refused by a FIFO, and by a pipe that was ever spliced (measured). */
static int splice_ring(int fd)
{
    static const uint64_t one = 1; /* the pipe refers to it until it is read */
    struct iovec piece = {.iov_base = (void *)(uintptr_t)&one, .iov_len = sizeof(one)};

    if (!is_open_for(fd, O_WRONLY)) {
        return -EBADF;
    }
    return vmsplice(fd, &piece, 1, SPLICE_F_NONBLOCK) >= 0 || errno == EAGAIN ? 0 : -errno;
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
    result = splice_ring(fd);
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

/* Before Linux 5.8 an eventfd cannot be told not to wait either. */
static ssize_t read_eventfd(int fd, uint64_t *count)
{
    struct iovec piece = {.iov_base = count, .iov_len = sizeof(*count)};
    struct pollfd there = {.fd = fd, .events = POLLIN};
    ssize_t result = preadv2(fd, &piece, 1, -1, RWF_NOWAIT);

    if (result < 0 && errno == EOPNOTSUPP && poll(&there, 1, 0) == 1) {
        result = read(fd, count, sizeof(*count));
    }
    return result;
}

static int64_t drain_eventfd(int fd)
{
    uint64_t count = 0;
    ssize_t bytes = read_eventfd(fd, &count);

    if (bytes < 0) {
        return errno == EAGAIN || errno == EINTR || errno == EOPNOTSUPP ? 0 : -errno;
    }
    if (bytes != sizeof(count)) {
        return -EINVAL;
    }
    return count > INT64_MAX ? INT64_MAX : (int64_t)count;
}

static int64_t drain_pipe(int fd)
{
    uint64_t words[512];
    struct iovec piece = {.iov_base = words, .iov_len = sizeof(words)};
    ssize_t bytes;

    if (!is_open_for(fd, O_RDONLY)) {
        return -EBADF;
    }
    bytes = vmsplice(fd, &piece, 1, SPLICE_F_NONBLOCK);
    if (bytes < 0) {
        return errno == EAGAIN || errno == EINTR ? 0 : -errno;
    }
    return bytes == 0 ? -EPIPE : (bytes + 7) / 8; /* an 8-byte 1 for each ring */
}

int64_t ivf_notify_drain(int fd, enum ivf_notify_kind kind)
{
    return kind == IVF_NOTIFY_EVENTFD ? drain_eventfd(fd) : drain_pipe(fd);
}
