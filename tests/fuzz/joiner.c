/* SPDX-License-Identifier: BSD-3-Clause */
#include "joiner.h"

#include "input.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

union control {
    struct cmsghdr align;
    char space[CMSG_SPACE(4 * sizeof(int))];
};

struct joiner *joiner_new(int sock)
{
    struct joiner *joiner = calloc(1, sizeof(*joiner));

    MUST(joiner);
    joiner->sock = sock;
    return joiner;
}

void joiner_free(struct joiner *joiner)
{
    if (joiner) {
        close(joiner->sock);
        free(joiner);
    }
}

/* The server's half of the protocol: P3 to P6, P10, P11. */

static void peer(struct joiner *joiner, int64_t number)
{
    MUST(number >= 0 && number < JOINER_IDS && !joiner->left[number]);
    if (joiner->with_fd) {
        joiner->vectors[number]++;
        return;
    }
    MUST(number != joiner->id);
    joiner->left[number] = true;
}

static void message(struct joiner *joiner)
{
    int64_t number = 0;

    for (int i = 7; i >= 0; i--) {
        number = (int64_t)((uint64_t)number << 8 | joiner->bytes[i]);
    }
    switch (joiner->messages++) {
    case 0:
        MUST(number == 0 && !joiner->with_fd);
        break;
    case 1:
        MUST(number >= 0 && number < JOINER_IDS && !joiner->with_fd);
        joiner->id = (uint32_t)number;
        break;
    case 2:
        MUST(number == -1 && joiner->with_fd);
        break;
    default:
        peer(joiner, number);
        break;
    }
    joiner->have = 0;
    joiner->with_fd = false;
}

static void take_fds(struct joiner *joiner, struct msghdr *header)
{
    MUST(!(header->msg_flags & MSG_CTRUNC));
    for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
        int fd;

        MUST(part->cmsg_type == SCM_RIGHTS && part->cmsg_len == CMSG_LEN(sizeof(fd)) && !joiner->with_fd);
        memcpy(&fd, CMSG_DATA(part), sizeof(fd));
        joiner->with_fd = true;
        close(fd);
    }
}

/* No more than the rest of a message: the descriptor of the next would come with it. */
static bool read_piece(struct joiner *joiner, uint32_t most)
{
    uint32_t rest = 8 - joiner->have;
    union control control;
    struct iovec piece = {joiner->bytes + joiner->have, most < rest ? most : rest};
    struct msghdr header = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t got = recvmsg(joiner->sock, &header, MSG_CMSG_CLOEXEC);

    if (got <= 0) {
        joiner->ended |= got == 0 || errno != EAGAIN;
        return false;
    }
    take_fds(joiner, &header);
    joiner->have += (uint32_t)got;
    if (joiner->have == 8) {
        message(joiner);
    }
    return true;
}

void joiner_read(struct joiner *joiner, uint32_t count)
{
    while (count > 0 && read_piece(joiner, count)) {
        count -= count < 8 ? count : 8;
    }
}

void joiner_shout(struct joiner *joiner, const uint8_t *bytes, size_t count, int fd)
{
    union control control = {0};
    struct iovec piece = {(void *)(uintptr_t)bytes, count};
    struct msghdr header = {.msg_iov = &piece, .msg_iovlen = 1};

    if (fd >= 0) {
        header.msg_control = &control;
        header.msg_controllen = CMSG_SPACE(sizeof(fd));
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(sizeof(fd));
        memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
    }
    if (sendmsg(joiner->sock, &header, MSG_NOSIGNAL) > 0) {
        joiner->said += (uint32_t)count;
    }
}

void joiner_shut(struct joiner *joiner, uint8_t how)
{
    shutdown(joiner->sock, how % 3);
    joiner->shut = true;
}

bool joiner_is_there(const struct joiner *joiner)
{
    return joiner->messages > 2 && !joiner->ended && !joiner->shut;
}

bool joiner_knows(const struct joiner *joiner, uint32_t id, uint32_t vectors)
{
    return joiner->vectors[id] == vectors && !joiner->left[id];
}
