/* SPDX-License-Identifier: BSD-3-Clause */
/* A crowd of clients in one process, which join a server one after the other, read what it tells them 8 bytes at a time,
 * check its order, count, and close what came with it.
 *
 * usage: crowd SOCKET CLIENTS VECTORS [STUCK]   STUCK join first and read nothing
 *        crowd --bare CLIENTS VECTORS           the same messages from a bare loop of sendmmsg()
 *
 * Prints: messages, seconds, the median of the last ten joins in microseconds. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MOST  4096
#define BATCH 32
#define LAST  10

struct client {
    int sock;
    uint32_t id;
    uint32_t messages;
};

static struct client clients[MOST];
static uint32_t vectors, stuck;
static uint64_t total;
static int epoll;

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void fail(const char *what)
{
    fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
    exit(EXIT_FAILURE);
}

/* What comes at this place: version, id, memory, then each of those that were there and that came, in order. */
static int64_t wanted(const struct client *client)
{
    uint32_t at = client->messages;

    return at == 0 ? 0 : at == 1 ? (int64_t)client->id : at == 2 ? -1 : (int64_t)((at - 3) / vectors);
}

static void take(struct client *client)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    int64_t number;
    struct iovec piece = {&number, sizeof(number)};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t count;

    while ((count = recvmsg(client->sock, &message, MSG_DONTWAIT)) == sizeof(number)) {
        bool has_fd = CMSG_FIRSTHDR(&message) != NULL;

        if (number != wanted(client) || has_fd != (client->messages >= 2)) {
            errno = EPROTO;
            fail("a message that does not belong there");
        }
        if (has_fd) {
            int fd;

            memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
            close(fd);
        }
        client->messages++;
        total++;
        message.msg_controllen = sizeof(control);
    }
    if (count >= 0 || errno != EAGAIN) {
        fail("a connection that ended");
    }
}

static void watch(struct client *client)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = client};

    if (epoll_ctl(epoll, EPOLL_CTL_ADD, client->sock, &event) < 0) {
        fail("epoll");
    }
}

static void connect_one(struct client *client, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    client->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (client->sock < 0 || connect(client->sock, (struct sockaddr *)&address, sizeof(address)) < 0) {
        fail(path);
    }
}

/* Until so many came, over all. */
static void read_until(uint64_t messages)
{
    struct epoll_event events[64];

    while (total < messages) {
        int count = epoll_wait(epoll, events, 64, 20000);

        if (count == 0) {
            fprintf(stderr, "crowd: %llu of %llu messages came, and no more\n", (unsigned long long)total,
                    (unsigned long long)messages);
            exit(EXIT_FAILURE);
        }
        for (int i = 0; i < count; i++) {
            take(events[i].data.ptr);
        }
    }
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;

    return (x > y) - (x < y);
}

static void report(double seconds, double *joins, uint32_t count)
{
    uint32_t last = count < LAST ? count : LAST;

    qsort(joins + count - last, last, sizeof(*joins), by_size);
    printf("%llu %.6f %.1f\n", (unsigned long long)total, seconds, joins[count - last + last / 2] * 1e6);
}

static void join_all(const char *path, uint32_t count)
{
    static double joins[MOST];
    double begin;

    for (uint32_t i = 0; i < stuck; i++) {
        connect_one(&clients[count + i], path);
    }
    begin = now();
    for (uint32_t i = 0; i < count; i++) {
        double before = now();

        clients[i].id = stuck + i;
        connect_one(&clients[i], path);
        watch(&clients[i]);
        /* 3, all that are there and itself; each of the others that read, once a vector */
        read_until(total + 3 + (uint64_t)(stuck + i + 1) * vectors + (uint64_t)i * vectors);
        joins[i] = now() - before;
    }
    report(now() - begin, joins, count);
}

/* The bare loop: what a server has to send, with nothing else to do. */

struct parcel {
    struct iovec piece;
    int64_t number;
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control; /* last: its own last field has no size */
};

static void pack(struct parcel *parcel, struct msghdr *header, int64_t number, int fd)
{
    parcel->number = number;
    parcel->piece = (struct iovec){&parcel->number, sizeof(parcel->number)};
    *header = (struct msghdr){.msg_iov = &parcel->piece, .msg_iovlen = 1};
    if (fd >= 0) {
        header->msg_control = &parcel->control;
        header->msg_controllen = sizeof(parcel->control);
        parcel->control.align =
            (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(&parcel->control.align), &fd, sizeof(fd));
    }
}

/* Messages @from to @to of the client's stream. */
static void send_range(int sock, uint32_t id, uint32_t from, uint32_t to, int fd)
{
    static struct parcel parcels[BATCH];
    static struct mmsghdr headers[BATCH];

    while (from < to) {
        uint32_t count = to - from < BATCH ? to - from : BATCH;
        int sent;

        for (uint32_t i = 0; i < count; i++) {
            struct client place = {.id = id, .messages = from + i};

            pack(&parcels[i], &headers[i].msg_hdr, wanted(&place), from + i < 2 ? -1 : fd);
        }
        sent = sendmmsg(sock, headers, count, 0);
        if (sent < 0) {
            fail("sendmmsg");
        }
        from += (uint32_t)sent;
    }
}

static void send_bare(const int *socks, uint32_t count, int orders)
{
    int fd = eventfd(0, 0);
    char byte;

    for (uint32_t i = 0; i < count && read(orders, &byte, 1) == 1; i++) {
        for (uint32_t j = 0; j < i; j++) {
            send_range(socks[j], j, 3 + i * vectors, 3 + (i + 1) * vectors, fd);
        }
        send_range(socks[i], i, 0, 3 + (i + 1) * vectors, fd);
    }
    _exit(EXIT_SUCCESS);
}

static void join_bare(uint32_t count)
{
    static double joins[MOST];
    static int socks[MOST];
    int orders[2];
    double begin;
    int ends[2];

    if (pipe(orders) < 0) {
        fail("pipe");
    }
    for (uint32_t i = 0; i < count; i++) {
        if (socketpair(AF_UNIX, SOCK_STREAM, 0, ends) < 0) {
            fail("socketpair");
        }
        clients[i] = (struct client){.sock = ends[0], .id = i};
        socks[i] = ends[1];
    }
    if (fork() == 0) {
        send_bare(socks, count, orders[0]);
    }
    begin = now();
    for (uint32_t i = 0; i < count; i++) {
        double before = now();

        watch(&clients[i]);
        if (write(orders[1], "", 1) != 1) {
            fail("write");
        }
        read_until(total + 3 + (uint64_t)(2 * i + 1) * vectors);
        joins[i] = now() - before;
    }
    report(now() - begin, joins, count);
    wait(NULL);
}

int main(int argc, char **argv)
{
    struct rlimit limit;
    uint32_t count = argc > 2 ? (uint32_t)atoi(argv[2]) : 0;

    vectors = argc > 3 ? (uint32_t)atoi(argv[3]) : 0;
    stuck = argc > 4 ? (uint32_t)atoi(argv[4]) : 0;
    if (count == 0 || vectors == 0 || count + stuck > MOST) {
        fprintf(stderr, "usage: crowd SOCKET|--bare CLIENTS VECTORS [STUCK]\n");
        return 2;
    }
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    if (strcmp(argv[1], "--bare") == 0) {
        join_bare(count);
    } else {
        join_all(argv[1], count);
    }
    return EXIT_SUCCESS;
}
