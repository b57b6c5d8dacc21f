/* SPDX-License-Identifier: BSD-3-Clause */
#include "descriptors.h"

#include "input.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#define COPIES 8

static int copies[COPIES];
static unsigned copy_count;
static bool may_block;

/* Keeps a copy of @fd, as a peer would; answers @fd. */
static int keep(int fd)
{
    if (fd >= 0 && copy_count < COPIES) {
        copies[copy_count] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
        copy_count += copies[copy_count] >= 0;
    }
    return fd;
}

static int memory(uint64_t size, int seals)
{
    int fd = memfd_create("fuzz", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    if (fd >= 0) {
        MUST(ftruncate(fd, (off_t)size) == 0);
        MUST(!seals || fcntl(fd, F_ADD_SEALS, seals) == 0);
    }
    return fd;
}

static int readonly_memory(void)
{
    int fd = memory(MEMORY_SIZE, 0);
    char path[64];
    int again;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    again = open(path, O_RDONLY | O_CLOEXEC);
    close(fd);
    return again;
}

/* Gives the one end, and keeps the other. */
static int end_of_pair(int ends[2], int given)
{
    keep(ends[!given]);
    close(ends[!given]);
    return ends[given];
}

static int end_of_pipe(int given, int flags)
{
    int ends[2];

    return pipe2(ends, O_CLOEXEC | flags) < 0 ? -1 : end_of_pair(ends, given);
}

static int end_of_socket(int type)
{
    int ends[2];

    return socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0 ? -1 : end_of_pair(ends, 0);
}

int make_fd(uint8_t kind)
{
    switch (kind % FD_KINDS) {
    case 0:
    case 1:
    case 2:
        return keep(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
    case 3: /* it blocks */
        return keep(eventfd(1, EFD_CLOEXEC));
    case 4:
        return keep(eventfd(3, EFD_CLOEXEC | EFD_SEMAPHORE));
    case 5:
    case 6:
    case 7:
        return memory(MEMORY_SIZE, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    case 8:
        return memory(MEMORY_SIZE, 0);
    case 9:
        return memory(2 * MEMORY_SIZE, F_SEAL_SHRINK);
    case 10:
        return memory(MEMORY_SIZE + 1, F_SEAL_SHRINK);
    case 11:
        return memory(0, F_SEAL_SHRINK);
    case 12:
        return readonly_memory();
    case 13:
        return end_of_pipe(0, 0);
    case 14:
        return end_of_pipe(1, 0);
    case 15:
        return end_of_pipe(1, O_NONBLOCK);
    case 16:
        return end_of_socket(SOCK_STREAM);
    case 17:
        return open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    case 18:
        return timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    default:
        return -1;
    }
}

static void fill(int fd)
{
    const uint64_t full = UINT64_MAX - 1;
    int flags = fcntl(fd, F_GETFL);

    fcntl(fd, F_SETFL, flags | O_NONBLOCK);
    while (write(fd, &full, sizeof(full)) > 0) {
    }
    fcntl(fd, F_SETFL, may_block ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
}

static void close_copy(unsigned which)
{
    close(copies[which]);
    copies[which] = copies[--copy_count];
}

static void raised(int number)
{
    (void)number;
    abort();
}

void peers_may_block(bool they_may)
{
    may_block = they_may;
    signal(SIGPIPE, raised);
}

void peer_acts(uint8_t which, uint8_t how)
{
    const uint64_t one = 1;
    struct pollfd room;

    if (copy_count == 0) {
        return;
    }
    which %= copy_count;
    signal(SIGPIPE, SIG_IGN); /* the peer's own affair; raised by the library it is a fault */
    room = (struct pollfd){.fd = copies[which], .events = POLLOUT};
    switch (how % 4) {
    case 0:
        MUST(poll(&room, 1, 0) < 1 || !(room.revents & POLLOUT) || write(room.fd, &one, 1 + how % 8) != 0);
        break;
    case 1:
        MUST(poll(&room, 1, 0) < 1 || !(room.revents & POLLOUT) || write(room.fd, &one, sizeof(one)) != 0);
        break;
    case 2:
        fill(room.fd);
        break;
    case 3:
        close_copy(which);
        break;
    }
    signal(SIGPIPE, raised);
}

void forget_copies(void)
{
    while (copy_count > 0) {
        close_copy(0);
    }
}

/* Counting: one poll() looks at them all. */

static uint8_t open_before[FDS_LIMIT];

static void look(uint8_t is_open[FDS_LIMIT])
{
    struct pollfd all[FDS_LIMIT];

    for (int fd = 0; fd < FDS_LIMIT; fd++) {
        all[fd] = (struct pollfd){.fd = fd};
    }
    MUST(poll(all, FDS_LIMIT, 0) >= 0);
    for (int fd = 0; fd < FDS_LIMIT; fd++) {
        is_open[fd] = !(all[fd].revents & POLLNVAL);
    }
}

void count_descriptors(void)
{
    look(open_before);
}

void check_descriptors(void)
{
    uint8_t now[FDS_LIMIT];

    look(now);
    for (int fd = 0; fd < FDS_LIMIT; fd++) {
        if (now[fd] != open_before[fd]) {
            fprintf(stderr, "descriptor %d is %s\n", fd, now[fd] ? "left open" : "closed, and was not ours");
            abort();
        }
    }
}
