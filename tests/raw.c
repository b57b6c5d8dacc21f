/* SPDX-License-Identifier: BSD-3-Clause */
#include "raw.h"

#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static void put(struct raw_message *message, int fd, int end)
{
    ck_assert_uint_lt(message->fd_count, RAW_FDS_MAX);
    message->fds[message->fd_count] = fd;
    message->ends[message->fd_count++] = end;
}

static void put_pipe(struct raw_message *message, bool reads)
{
    int ends[2];

    make_pipe(ends);
    put(message, ends[reads ? 0 : 1], ends[reads ? 1 : 0]);
}

static void put_same(struct raw_message *message, int fd)
{
    put(message, fd, dup_fd(fd));
}

static void put_eventfd(struct raw_message *message, const char *word)
{
    const char *count = strchr(word, ':');
    int fd = make_eventfd();

    if (count) {
        add_count(fd, g_ascii_strtoull(count + 1, NULL, 0));
    }
    put_same(message, fd);
}

static int make_file(void)
{
    int fd = open(test_folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static void put_memory(struct raw_message *message, const char *kind, const char *size_text)
{
    uint64_t size;

    ck_assert_msg(size_text != NULL, "%s needs a size", kind);
    size = g_ascii_strtoull(size_text, NULL, 0);
    put_same(message, strcmp(kind, "memory") == 0   ? make_memory(size)
                      : strcmp(kind, "sealed") == 0 ? make_sealed_memory(size)
                                                    : make_readonly_memory(size));
}

/* Answers how many words it took. */
static uint32_t put_word(struct raw_message *message, char **words, int64_t own)
{
    int sockets[2];

    if (g_str_has_prefix(words[0], "eventfd")) {
        put_eventfd(message, words[0]);
    } else if (strcmp(words[0], "pipe") == 0) {
        put_pipe(message, message->number == own);
    } else if (strcmp(words[0], "file") == 0) {
        put_same(message, make_file());
    } else if (strcmp(words[0], "socket") == 0) {
        make_socketpair(sockets);
        put(message, sockets[0], sockets[1]);
    } else if (strcmp(words[0], "+lost") == 0) {
        put_same(message, make_eventfd());
        message->lost = 1;
    } else if (strcmp(words[0], "memory") == 0 || strcmp(words[0], "sealed") == 0 ||
               strcmp(words[0], "readonly") == 0) {
        put_memory(message, words[0], words[1]);
        return 2;
    } else {
        ck_abort_msg("no such descriptor: %s", words[0]);
    }
    return 1;
}

struct raw_message raw_parse(const char *text, int64_t own)
{
    struct raw_message message = {0};
    char **words = g_strsplit(text, " ", -1);
    char *end;

    message.number = g_ascii_strtoll(words[0], &end, 0);
    ck_assert_msg(end != words[0] && *end == '\0', "no number: %s", text);
    for (int i = 0; i < 8; i++) {
        message.bytes[i] = (uint8_t)((uint64_t)message.number >> (8 * i)); /* P1: little-endian */
    }
    for (uint32_t i = 1; words[i];) {
        i += put_word(&message, &words[i], own);
    }
    g_strfreev(words);
    return message;
}

void raw_close(struct raw_message *message)
{
    for (uint32_t i = 0; i < message->fd_count; i++) {
        close_fd(message->fds[i]);
    }
}

void raw_send(int sock, const uint8_t *bytes, uint32_t count, const int *fds, uint32_t fd_count)
{
    union {
        char bytes[CMSG_SPACE(RAW_FDS_MAX * sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct iovec io = {.iov_base = (void *)(uintptr_t)bytes, .iov_len = count};
    struct msghdr header = {.msg_iov = &io, .msg_iovlen = 1};

    ck_assert_uint_le(fd_count, RAW_FDS_MAX);
    if (fd_count) {
        struct cmsghdr *cmsg = &control.align;

        header.msg_control = control.bytes;
        header.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        cmsg->cmsg_level = SOL_SOCKET;
        cmsg->cmsg_type = SCM_RIGHTS;
        cmsg->cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(cmsg), fds, fd_count * sizeof(int));
    }
    ck_assert_int_eq(sendmsg(sock, &header, MSG_NOSIGNAL), count);
}

int raw_listen(const char *path, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(sock, 0);
    ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
    memcpy(address.sun_path, path, strlen(path) + 1);
    unlink(path);
    ck_assert_int_eq(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(sock, backlog), 0);
    return sock;
}

int raw_accept(int listener)
{
    int sock;

    wait_readable(listener);
    sock = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(sock, 0);
    return sock;
}

static bool receive_loses(int sock)
{
    char byte;
    char control[CMSG_SPACE(sizeof(int))];
    struct iovec piece = {.iov_base = &byte, .iov_len = 1};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
    int fd;

    ck_assert_int_eq(recvmsg(sock, &message, 0), 1);
    if (message.msg_flags & MSG_CTRUNC) {
        return true;
    }
    memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
    close_fd(fd);
    return false;
}

bool can_lose_fds(void)
{
    int ends[2];
    bool loses;

    make_socketpair(ends);
    raw_send(ends[0], (const uint8_t[]){0}, 1, &ends[0], 1);
    fill_fds(0);
    loses = receive_loses(ends[1]);
    fill_fds_undo();
    close_fd(ends[0]);
    close_fd(ends[1]);
    if (!loses) {
        printf("not run: the limit of open files is not the kernel's here\n");
    }
    return loses;
}

int make_lingering(int *other)
{
    const struct linger linger = {.l_onoff = 1, .l_linger = 30};
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    static const char page[4096];

    ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, length), 0);
    *other = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    ck_assert_int_ge(*other, 0);
    close_fd(listener);
    ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
    set_nonblock(fd, true);
    while (write(fd, page, sizeof(page)) > 0) {
    }
    ck_assert_int_eq(errno, EAGAIN);
    return fd;
}
