/* SPDX-License-Identifier: BSD-3-Clause */
/* The device with its registers: messages, descriptors of every kind, guest accesses, peers that misbehave and hooks
 * that refuse and call back, in any order.  What must be true meanwhile is in oracle.c. */
#include "descriptors.h"
#include "input.h"
#include "oracle.h"

#include <libivflat/ivflat-trace.h>

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS_MAX 6

static ivflat_device *dev;
static int server = -1; /* way 1: the server's end of the socket */

/* What comes beside a piece: any number of descriptors, of any kind. */
static uint32_t make_fds(struct input *input, uint32_t count, int32_t fds[FDS_MAX])
{
    for (uint32_t i = 0; i < count; i++) {
        fds[i] = make_fd(take_byte(input));
    }
    return count;
}

static void little_endian(uint8_t bytes[8], int64_t number)
{
    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)number >> 8 * i);
    }
}

/* Way 2. */

static int32_t feed(const uint8_t *bytes, uint32_t count, const int32_t *fds, uint32_t fd_count)
{
    uint32_t before = ivflat_device_link(dev);
    int32_t result;

    oracle_enter(CALL_LINK);
    result = ivflat_device_feed(dev, bytes, count, fds, fd_count);
    oracle_leave(dev);
    MUST(result == 0 || (result < 0 && ivflat_device_link(dev) == IVFLAT_LINK_DOWN) || ivflat_device_wants(dev) == 0);
    MUST(result < 0 || before != IVFLAT_LINK_DOWN);
    return result;
}

/* The number in as many pieces as the input says, with descriptors beside the first. */
static void feed_message(struct input *input, int64_t number, uint32_t fd_count)
{
    uint8_t bytes[8];
    int32_t fds[FDS_MAX];
    uint32_t cut = take_byte(input) % 16, done = 0;

    fd_count = make_fds(input, fd_count, fds);
    little_endian(bytes, number);
    do {
        uint32_t wants = ivflat_device_wants(dev);
        uint32_t count = cut && cut < 8 - done ? cut : 8 - done;

        count = wants && count > wants ? wants : count;
        if (feed(bytes + done, count, fds, done ? 0 : fd_count) < 0) {
            return;
        }
        done += count;
    } while (done < 8);
}

/* Pieces that no embedder should feed. */
static void feed_raw(struct input *input)
{
    uint8_t bytes[16];
    int32_t fds[FDS_MAX];
    uint8_t how = take_byte(input);
    uint32_t count = how & 15, fd_count = make_fds(input, how >> 4 & 3, fds);

    for (uint32_t i = 0; i < count; i++) {
        bytes[i] = take_byte(input);
    }
    if (how & 0x40 && fd_count) { /* a number that is no descriptor */
        close(fds[0]);
        fds[0] = how & 0x80 ? INT32_MAX : FDS_LIMIT + 100;
    }
    feed(how & 0x80 && !fd_count ? NULL : bytes, count, fd_count ? fds : NULL, fd_count);
}

static void begin(void)
{
    uint32_t before = ivflat_device_link(dev);
    int32_t result;

    oracle_enter(CALL_LINK);
    result = ivflat_device_begin(dev);
    oracle_leave(dev);
    MUST((result == 0) == (before == IVFLAT_LINK_DOWN));
}

static void end(void)
{
    oracle_enter(CALL_LINK);
    ivflat_device_end(dev);
    oracle_leave(dev);
}

/* A greeting that can go well: most of what is of interest comes after it. */
static void greeting(struct input *input)
{
    uint8_t id = take_byte(input), memory = take_byte(input);
    uint8_t bytes[8];
    int32_t fd = make_fd(memory < 200 ? 5 : memory);

    begin();
    little_endian(bytes, 0);
    feed(bytes, 8, NULL, 0);
    little_endian(bytes, id & 7);
    feed(bytes, 8, NULL, 0);
    little_endian(bytes, -1);
    feed(bytes, 8, &fd, 1);
}

/* Way 1. */

static void adopt(struct input *input)
{
    int ends[2];
    int32_t result;

    if (server >= 0 && take_byte(input) & 1) {
        close(server);
        server = -1;
        return;
    }
    if (server >= 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) < 0) {
        return;
    }
    oracle_enter(CALL_LINK);
    result = ivflat_device_adopt(dev, ends[0]);
    oracle_leave(dev);
    if (result == 0) {
        server = ends[1];
    } else {
        MUST(fcntl(ends[0], F_GETFD) < 0);
        close(ends[1]);
    }
}

/* Numbers of which none can be adopted, and paths where nobody listens. */
static void bad_links(struct input *input)
{
    char path[200];
    uint8_t length = take_byte(input) % sizeof(path);
    int32_t fd = make_fd(take_byte(input));

    memset(path, '/', sizeof(path));
    path[length] = '\0';
    oracle_enter(CALL_LINK);
    MUST(ivflat_device_connect(dev, length == 199 ? NULL : path) < 0);
    MUST(ivflat_device_adopt(dev, fd) < 0 || ivflat_device_link(dev) != IVFLAT_LINK_DOWN);
    oracle_enter(CALL_DISPATCH); /* it dispatches */
    MUST(ivflat_device_greet(dev, 0) <= 0);
    oracle_leave(dev);
}

static void send_piece(const uint8_t *bytes, uint32_t count, const int32_t *fds, uint32_t fd_count)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
    } control = {0};
    struct iovec piece = {(void *)(uintptr_t)bytes, count};
    struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};

    if (fd_count) {
        message.msg_control = &control;
        message.msg_controllen = CMSG_SPACE(fd_count * sizeof(int));
        control.align.cmsg_level = SOL_SOCKET;
        control.align.cmsg_type = SCM_RIGHTS;
        control.align.cmsg_len = CMSG_LEN(fd_count * sizeof(int));
        memcpy(CMSG_DATA(&control.align), fds, fd_count * sizeof(int));
    }
    MUST(server < 0 || sendmsg(server, &message, MSG_NOSIGNAL) != 0);
}

static void send_message(struct input *input, int64_t number, uint32_t fd_count)
{
    uint8_t bytes[8];
    int32_t fds[FDS_MAX];
    uint32_t cut = take_byte(input) & 7, kept = 0;

    fd_count = make_fds(input, fd_count, fds);
    for (uint32_t i = 0; i < fd_count; i++) {
        if (fds[i] >= 0) {
            fds[kept++] = fds[i];
        }
    }
    little_endian(bytes, number);
    if (cut) {
        send_piece(bytes, cut, fds, kept);
        send_piece(bytes + cut, 8 - cut, NULL, 0);
    } else {
        send_piece(bytes, 8, fds, kept);
    }
    while (kept > 0) {
        close(fds[--kept]);
    }
}

/* Any way. */

static void dispatch(void)
{
    int32_t result;

    oracle_enter(CALL_DISPATCH);
    MUST(ivflat_device_wait(dev, 0) >= 0);
    result = ivflat_device_dispatch(dev);
    oracle_leave(dev);
    MUST(result == 0 || ivflat_device_link(dev) == IVFLAT_LINK_DOWN);
}

static void message(struct input *input)
{
    uint8_t kind = take_byte(input);
    int64_t number = take_message(input, kind, ivflat_device_id(dev));
    uint32_t fd_count = kind & 0x80 ? 0 : kind & 0x40 ? kind >> 3 & 7 : 1;

    fd_count = fd_count > FDS_MAX ? FDS_MAX : fd_count;
    if (server >= 0) {
        send_message(input, number, fd_count);
    } else {
        feed_message(input, number, fd_count);
    }
}

static void disconnect(void)
{
    oracle_enter(CALL_LINK);
    ivflat_device_disconnect(dev);
    oracle_leave(dev);
    MUST(ivflat_device_link(dev) == IVFLAT_LINK_DOWN && ivflat_device_next_peer(dev, -1) == -1);
}

static void reset(void)
{
    oracle_enter(CALL_RESET);
    ivflat_device_reset(dev);
    oracle_leave(dev);
}

/* The guest: any width, any offset, any value; and those that do something. */
static void guest(struct input *input)
{
    uint8_t how = take_byte(input);
    uint64_t offset = how & 0x40 ? take_number(input, 8) : (how & 3) * 4u;
    uint32_t width = how & 0x20 ? (uint32_t)take_number(input, 4) : 4;

    oracle_enter(CALL_GUEST);
    if (how & 0x80) {
        uint32_t value = ivflat_device_read(dev, offset, width);

        MUST(value == 0 || (width == 4 && offset < 16 && offset % 4 == 0));
    } else if (how & 0x10) {
        ivflat_device_write(dev, offset, width, take_number(input, 8));
    } else { /* a small id, a small vector: they may be there */
        ivflat_device_write(dev, offset, width, (uint32_t)(take_byte(input) & 7) << 16 | (take_byte(input) & 3));
    }
    oracle_leave(dev);
}

static void set_state(struct input *input)
{
    uint32_t mask = take_byte(input), status = take_byte(input);
    uint32_t got_mask, got_status;

    oracle_enter(CALL_LINK);
    ivflat_device_set_state(dev, mask, status);
    oracle_leave(dev);
    ivflat_device_get_state(dev, &got_mask, &got_status);
    /* Revision 1 has none; and line() may have led the guest to clear the status. */
    MUST((got_mask == (mask & 1) || got_mask == 0) && got_status <= (status & 1));
}

static void ask(struct input *input)
{
    uint32_t which = take_byte(input);

    ivflat_device_wake(dev);
    MUST(ivflat_device_counter(dev, which) == 0 || which <= IVFLAT_COUNT_VECTORS_REFUSED);
    MUST(ivflat_device_wait(dev, 0) == 1);
    oracle_check_peers(dev);
}

static void step(struct input *input)
{
    switch (take_byte(input) % 20) {
    case 0:
        begin();
        break;
    case 1:
        end();
        break;
    case 2:
        greeting(input);
        break;
    case 3:
        feed_raw(input);
        break;
    case 4:
        adopt(input);
        break;
    case 5:
        bad_links(input);
        break;
    case 6:
        disconnect();
        break;
    case 7:
        reset();
        break;
    case 8:
        set_state(input);
        break;
    case 9:
        ask(input);
        break;
    case 10:
        oracle_behave(take_byte(input));
        break;
    case 11:
    case 12:
        peer_acts(take_byte(input), take_byte(input));
        break;
    case 13:
    case 14:
        dispatch();
        break;
    case 15:
    case 16:
        guest(input);
        break;
    default:
        message(input);
        break;
    }
}

/* Two bytes say what the device is.  Where peers are trusted, none makes its eventfd block. */
static ivflat_device *make_device(struct input *input)
{
    uint8_t how = take_byte(input), hooks = take_byte(input);
    const ivflat_config config = {
        .struct_size = sizeof(config),
        .max_vectors = how & 1 ? 2 : 0,
        .memory_size = how & 2 ? MEMORY_SIZE : 0,
        .no_interrupts = (how & 0x0c) == 0x0c,
        .revision0 = how >> 4 & 1,
        .no_mapping = how >> 5 & 1,
        .require_sealed = how >> 6 & 1,
        .greeting_timeout_ms = 3600000, /* it must not be what ends a call that hangs */
        .trusted_peers = how >> 7,
    };

    peers_may_block(!config.trusted_peers);
    return oracle_new(&config, hooks);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};

    count_descriptors();
    dev = make_device(&input);
    MUST(dev);
    while (input_has(&input)) {
        step(&input);
    }
    oracle_check_peers(dev);
    oracle_free(dev);
    if (server >= 0) {
        close(server);
        server = -1;
    }
    forget_copies();
    check_descriptors();
    return 0;
}
