/* SPDX-License-Identifier: BSD-3-Clause */
/* Joining: from connect() until READY and until all that are there are known, beside a bare loop of recvmsg() that only
 * counts the messages.  Who sends is the same for both: another process, which does nothing else.
 *
 * usage: join --json [--quick] BUILD */
#include "figure.h"
#include "greeted.h"

#include <libivflat/ivflat-trace.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS   41u
#define GREETING 3u /* version, id, memory */
#define BATCH    32u

static const uint32_t crowds[] = {0, 10, 100, 1000};
static struct sockaddr_un address;
static socklen_t address_length;
static uint32_t peers; /* that are there; with ours, each has a vector */

/* The one who sends. */

struct parcel {
    struct iovec piece;
    int64_t number;
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control; /* last: its own last field has no size */
};

static int memory_fd, vector_fd;

static int64_t number_of(uint32_t place)
{
    return place == 0 ? 0 : place == 1 ? (int64_t)peers : place == 2 ? -1 : (int64_t)(place - GREETING);
}

static void pack(struct parcel *parcel, struct msghdr *header, uint32_t place)
{
    int fd = place == 2 ? memory_fd : vector_fd;

    parcel->number = number_of(place);
    parcel->piece = (struct iovec){&parcel->number, sizeof(parcel->number)};
    *header = (struct msghdr){.msg_iov = &parcel->piece, .msg_iovlen = 1};
    if (place >= 2) {
        header->msg_control = &parcel->control;
        header->msg_controllen = sizeof(parcel->control);
        parcel->control.align =
            (struct cmsghdr){.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))};
        memcpy(CMSG_DATA(&parcel->control.align), &fd, sizeof(fd));
    }
}

static void send_all(int sock, uint32_t count)
{
    static struct parcel parcels[BATCH];
    static struct mmsghdr headers[BATCH];
    uint32_t sent = 0;

    while (sent < count) {
        uint32_t batch = count - sent < BATCH ? count - sent : BATCH;
        int result;

        for (uint32_t i = 0; i < batch; i++) {
            pack(&parcels[i], &headers[i].msg_hdr, sent + i);
        }
        result = sendmmsg(sock, headers, batch, MSG_NOSIGNAL);
        if (result < 0) {
            _exit(EXIT_FAILURE); /* who wanted it will say so */
        }
        sent += (uint32_t)result;
    }
}

static _Noreturn void send_to_each(int listener)
{
    char byte;
    int sock;

    while ((sock = accept(listener, NULL, NULL)) >= 0) {
        send_all(sock, GREETING + peers + 1);
        if (read(sock, &byte, 1) == 0) { /* it has all */
            close(sock);
        }
    }
    _exit(EXIT_FAILURE);
}

static pid_t start_sender(int listener)
{
    pid_t child = fork();

    if (child == 0) {
        prctl(PR_SET_PDEATHSIG, SIGKILL); /* it does not outlive who asked for it */
        memory_fd = memfd_create("join", MFD_CLOEXEC | MFD_ALLOW_SEALING);
        vector_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
        if (ftruncate(memory_fd, 4096) < 0) {
            _exit(EXIT_FAILURE);
        }
        send_to_each(listener);
    }
    return child;
}

static void end_sender(pid_t child)
{
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
}

/* Also when something failed. */
static void forget_address(void)
{
    unlink(address.sun_path);
    *strrchr(address.sun_path, '/') = '\0';
    rmdir(address.sun_path);
}

static int listen_somewhere(void)
{
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char path[] = "/tmp/ivflat-join-XXXXXX";

    if (!mkdtemp(path)) {
        figure_fail(path);
    }
    address.sun_family = AF_UNIX;
    snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", path);
    address_length = sizeof(address);
    if (bind(sock, (struct sockaddr *)&address, address_length) < 0 || listen(sock, 4) < 0) {
        figure_fail(address.sun_path);
    }
    atexit(forget_address);
    return sock;
}

/* Those who join.  Each answers microseconds. */

static double join_library(void *user)
{
    ivflat_device *dev = unlinked(user, NULL);
    double begin = figure_now(), end;

    check(ivflat_device_connect(dev, address.sun_path));
    while (ivflat_device_counter(dev, IVFLAT_COUNT_MESSAGES) < GREETING + peers + 1) {
        check(ivflat_device_wait(dev, -1));
        check(ivflat_device_dispatch(dev));
    }
    end = figure_now();
    ivflat_device_free(dev);
    return (end - begin) / 1e3;
}

/* One message; 0: none is there. */
static int receive(int sock, int *fd)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    int64_t number;
    struct iovec piece = {&number, sizeof(number)};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t count = recvmsg(sock, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    *fd = -1;
    if (count < 0 && errno == EAGAIN) {
        return 0;
    }
    if (count != sizeof(number)) {
        figure_fail("recvmsg");
    }
    if (CMSG_FIRSTHDR(&message)) {
        memcpy(fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(*fd));
    }
    return 1;
}

static double join_bare(void *user)
{
    static int fds[GREETING + 1 + 1000];
    uint32_t messages = 0;
    double begin = figure_now(), end;
    struct pollfd server = {.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), .events = POLLIN};

    (void)user;
    if (connect(server.fd, (struct sockaddr *)&address, address_length) < 0) {
        figure_fail("connect");
    }
    while (messages < GREETING + peers + 1) {
        if (receive(server.fd, &fds[messages])) {
            messages++;
        } else {
            poll(&server, 1, -1);
        }
    }
    end = figure_now();
    for (uint32_t i = 0; i < messages; i++) {
        close(fds[i]);
    }
    close(server.fd);
    return (end - begin) / 1e3;
}

static void compare(int listener, uint32_t rounds)
{
    const ivflat_config usual = {.struct_size = sizeof(usual), .max_vectors = 1};
    const ivflat_config trusting = {.struct_size = sizeof(trusting), .max_vectors = 1, .trusted_peers = 1};
    const struct figure_series series[] = {
        {.name = "ivflat", .measure = join_library, .user = (void *)(uintptr_t)&usual},
        {.name = "trusted_peers", .measure = join_library, .user = (void *)(uintptr_t)&trusting},
        {.name = "bare", .measure = join_bare},
    };
    pid_t sender = start_sender(listener);

    figure_rounds(series, 3, rounds);
    end_sender(sender);
    figure_goal("ivflat", "bare", 1.2);
    figure_goal("trusted_peers", "bare", 1.2);
}

static void want_descriptors(void)
{
    struct rlimit limit;

    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    if (limit.rlim_max < 2000) {
        figure_skip("a process may not have 2,000 descriptors here");
    }
}

int main(int argc, char **argv)
{
    const struct figure_options options = figure_options(argc, argv);
    int listener = listen_somewhere();

    want_descriptors();
    figure_begin("join", "Joining: connect() to READY and all who are there known", "us", "peers");
    for (uint32_t i = 0; i < sizeof(crowds) / sizeof(crowds[0]); i++) {
        peers = crowds[i];
        figure_case_x(peers);
        compare(listener, options.quick ? 1 : ROUNDS);
    }
    figure_end("Peers of one vector; who sends is the same for both, and does nothing else");
    close(listener);
    return EXIT_SUCCESS;
}
