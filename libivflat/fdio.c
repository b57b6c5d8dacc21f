/* SPDX-License-Identifier: BSD-3-Clause */
#include "fdio.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

/* For calls that answer -1 and errno. */
static int or_errno(int result)
{
    return result < 0 ? -errno : result;
}

void ivf_fd_close(int fd)
{
    int saved = errno;

    if (fd >= 0) {
        close(fd);
    }
    errno = saved;
}

void ivf_fd_close_foreign(int fd)
{
    const struct linger dont = {0};
    int saved = errno;

    if (fd >= 0) {
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &dont, sizeof(dont)); /* ENOTSOCK: all the better */
        close(fd);
    }
    errno = saved;
}

/* Sockets. */

int32_t ivf_fd_check_path(const char *path)
{
    size_t length = path ? strlen(path) : 0;

    if (length == 0) {
        return ivf_fail(IVFLAT_ERR_INVALID, "no socket path given; a UNIX socket's takes 1 to %u bytes", IVF_PATH_MAX);
    }
    if (length > IVF_PATH_MAX) {
        return ivf_fail(IVFLAT_ERR_INVALID,
                        "socket path of %zu bytes (%.40s...) is too long; a UNIX socket's takes at "
                        "most %u, so use a shorter folder",
                        length, path, IVF_PATH_MAX);
    }
    return 0;
}

static socklen_t address_of(struct sockaddr_un *address, const char *path)
{
    size_t length = strlen(path);

    memset(address, 0, sizeof(*address));
    address->sun_family = AF_UNIX;
    memcpy(address->sun_path, path, length);
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length + 1);
}

static int new_socket(int type)
{
    return or_errno(socket(AF_UNIX, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
}

static int int_option(int fd, int name, int *value)
{
    socklen_t length = sizeof(*value);

    return or_errno(getsockopt(fd, SOL_SOCKET, name, value, &length));
}

int ivf_fd_check_socket(int fd)
{
    struct sockaddr_un address;
    socklen_t length = sizeof(address);
    int domain = 0, type = 0;
    int result = int_option(fd, SO_DOMAIN, &domain);

    if (result == 0) {
        result = int_option(fd, SO_TYPE, &type);
    }
    if (result == 0 && (domain != AF_UNIX || type != SOCK_STREAM)) {
        result = -EPROTOTYPE;
    }
    return result < 0 ? result : or_errno(getpeername(fd, (struct sockaddr *)&address, &length));
}

static int connect_as(int type, const char *path)
{
    struct sockaddr_un address;
    socklen_t length = address_of(&address, path);
    int fd = new_socket(type);
    int result;

    if (fd < 0) {
        return fd;
    }
    do {
        result = or_errno(connect(fd, (struct sockaddr *)&address, length));
    } while (result == -EINTR);
    if (result < 0) {
        ivf_fd_close(fd);
        return result;
    }
    return fd;
}

int ivf_fd_connect(const char *path)
{
    return connect_as(SOCK_STREAM, path);
}

/* A datagram socket cannot connect to a stream socket, but is told so only where there is one (EPROTOTYPE): the server there sees no client come and go. */
int ivf_fd_remove_stale(const char *path)
{
    struct stat status;
    int fd;

    if (lstat(path, &status) < 0) {
        return errno == ENOENT ? 0 : -errno;
    }
    if (!S_ISSOCK(status.st_mode)) {
        return -EEXIST;
    }
    fd = connect_as(SOCK_DGRAM, path);
    if (fd == -ECONNREFUSED) {
        return or_errno(unlink(path));
    }
    ivf_fd_close(fd);
    return fd >= 0 || fd == -EPROTOTYPE ? -EADDRINUSE : fd;
}

void ivf_fd_remember_file(const char *path, struct ivf_file *file)
{
    struct stat status;

    *file = (struct ivf_file){0};
    if (lstat(path, &status) == 0) {
        *file = (struct ivf_file){.device = status.st_dev, .inode = status.st_ino};
    }
}

void ivf_fd_remove_file(const char *path, const struct ivf_file *file)
{
    struct ivf_file now;

    ivf_fd_remember_file(path, &now);
    if (now.inode && now.inode == file->inode && now.device == file->device) {
        unlink(path);
    }
}

int ivf_fd_accept(int listener)
{
    int fd;

    do {
        fd = or_errno(accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC));
    } while (fd == -EINTR || fd == -ECONNABORTED);
    return fd;
}

/* Messages. */

static void collect(struct msghdr *message, struct ivf_received *received)
{
    for (struct cmsghdr *part = CMSG_FIRSTHDR(message); part; part = CMSG_NXTHDR(message, part)) {
        size_t bytes = part->cmsg_len - CMSG_LEN(0);

        if (part->cmsg_level != SOL_SOCKET || part->cmsg_type != SCM_RIGHTS) {
            continue;
        }
        memcpy(received->fds + received->fd_count, CMSG_DATA(part), bytes);
        received->fd_count += (uint32_t)(bytes / sizeof(int));
    }
    received->lost = message->msg_flags & MSG_CTRUNC;
}

int ivf_fd_receive(int sock, uint8_t *bytes, uint32_t want, struct ivf_received *received)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(IVF_FDS_MAX * sizeof(int))];
    } control;
    struct iovec piece = {.iov_base = bytes, .iov_len = want};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    int result;

    received->fd_count = 0;
    received->lost = false;
    do {
        result = or_errno((int)recvmsg(sock, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC));
    } while (result == -EINTR);
    if (result >= 0) {
        collect(&message, received);
    }
    return result;
}

void ivf_fd_close_stream(int sock)
{
    struct ivf_received received;
    uint8_t bytes[512];

    if (sock >= 0 && shutdown(sock, SHUT_RD) == 0) {
        while (ivf_fd_receive(sock, bytes, sizeof(bytes), &received) > 0) {
            for (uint32_t i = 0; i < received.fd_count; i++) {
                ivf_fd_close_foreign(received.fds[i]);
            }
        }
    }
    ivf_fd_close(sock);
}

/* Waiting. */

#define EVENTS 64 /* looked at in one call */

int ivf_fd_epoll(void)
{
    return or_errno(epoll_create1(EPOLL_CLOEXEC));
}

int ivf_fd_watch(int epoll, int fd, uint64_t tag)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = tag};

    return or_errno(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event));
}

int ivf_fd_watch_writable(int epoll, int fd, uint64_t tag, bool writable)
{
    struct epoll_event event = {.events = EPOLLIN | (writable ? EPOLLOUT : 0), .data.u64 = tag};

    return or_errno(epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &event));
}

void ivf_fd_unwatch(int epoll, int fd)
{
    epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
}

static int32_t time_left(int64_t end)
{
    int64_t now = ivf_fd_now();

    return now < end ? (int32_t)(end - now) : 0;
}

int ivf_fd_poll(int fd, int32_t timeout_ms)
{
    struct pollfd one = {.fd = fd, .events = POLLIN};
    int64_t end = timeout_ms > 0 ? ivf_fd_now() + timeout_ms : 0;
    int32_t left = timeout_ms;
    int result;

    while ((result = or_errno(poll(&one, 1, left))) == -EINTR) {
        left = timeout_ms < 0 ? timeout_ms : time_left(end);
    }
    return result;
}

static int wait_for_events(int epoll, struct epoll_event *events, int max, int32_t timeout_ms)
{
    int64_t end = timeout_ms > 0 ? ivf_fd_now() + timeout_ms : 0;
    int32_t left = timeout_ms;
    int result;

    while ((result = or_errno(epoll_wait(epoll, events, max < EVENTS ? max : EVENTS, left))) == -EINTR) {
        left = timeout_ms < 0 ? timeout_ms : time_left(end);
    }
    return result;
}

/* Level-triggered: to look takes nothing away, and who was woken wakes the next.  What was looked at goes behind the
 * others: all are looked at, so that they stay in their order. */
int ivf_fd_wait(int epoll, int32_t timeout_ms)
{
    struct epoll_event events[EVENTS];
    int result = wait_for_events(epoll, events, EVENTS, timeout_ms);

    return result > 0 ? 1 : result;
}

int ivf_fd_ready_within(int epoll, struct ivf_ready *ready, int max, int32_t timeout_ms)
{
    struct epoll_event events[EVENTS];
    int count = wait_for_events(epoll, events, max, timeout_ms);

    for (int i = 0; i < count; i++) {
        ready[i].tag = events[i].data.u64;
        ready[i].readable = events[i].events & (EPOLLIN | EPOLLHUP | EPOLLERR);
        ready[i].writable = events[i].events & EPOLLOUT;
    }
    return count;
}

int ivf_fd_ready(int epoll, struct ivf_ready *ready, int max)
{
    return ivf_fd_ready_within(epoll, ready, max, 0);
}

void ivf_fd_nap(void)
{
    const struct timespec moment = {.tv_nsec = 20000};

    nanosleep(&moment, NULL);
}

int ivf_fd_event(void)
{
    return or_errno(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC));
}

void ivf_fd_event_set(int fd)
{
    const uint64_t one = 1;
    int saved = errno; /* a signal handler calls this */

    if (write(fd, &one, sizeof(one)) < 0) {
        errno = saved; /* EAGAIN: set it is */
    }
}

void ivf_fd_event_clear(int fd)
{
    uint64_t count;

    if (read(fd, &count, sizeof(count)) < 0) {
        return; /* EAGAIN: it was not set */
    }
}

int ivf_fd_timer(void)
{
    return or_errno(timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC));
}

void ivf_fd_timer_set(int fd, int64_t at_ms)
{
    struct itimerspec spec = {.it_value = {.tv_sec = at_ms / 1000, .tv_nsec = at_ms % 1000 * 1000000}};

    timerfd_settime(fd, TFD_TIMER_ABSTIME, &spec, NULL);
}

int64_t ivf_fd_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int32_t ivf_fd_process(void)
{
    return getpid();
}
