/* SPDX-License-Identifier: BSD-3-Clause */
/* A kernel that refuses: no asynchronous I/O (a sandbox), no reads that do not wait (before Linux 6.4 for pipes), no more
 * watches, no memory.  Linked with -Wl,--wrap for the calls below: each fails so often as a test says. */
#include "story.h"

#include <errno.h>
#include <linux/aio_abi.h>
#include <stdarg.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static struct story story;

/* What fails, with what, from now on so often; the order is that of the calls below. */
static struct {
    long number; /* for syscall(): which */
    bool polls;  /* of those only requests for a poll */
    int syscall, preadv2, pwritev2, write, epoll_ctl, mremap, recvmsg;
    int times;
} refuse;

static bool refused(int err)
{
    if (!err || refuse.times == 0) {
        return false;
    }
    refuse.times--;
    errno = err;
    return true;
}

long __real_syscall(long number, ...);
long __wrap_syscall(long number, ...);
ssize_t __real_preadv2(int fd, const struct iovec *piece, int count, off_t offset, int flags);
ssize_t __wrap_preadv2(int fd, const struct iovec *piece, int count, off_t offset, int flags);
ssize_t __real_pwritev2(int fd, const struct iovec *piece, int count, off_t offset, int flags);
ssize_t __wrap_pwritev2(int fd, const struct iovec *piece, int count, off_t offset, int flags);
ssize_t __real_write(int fd, const void *bytes, size_t count);
ssize_t __wrap_write(int fd, const void *bytes, size_t count);
int __real_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event);
void *__real_mremap(void *old, size_t old_size, size_t new_size, int flags, ...);
void *__wrap_mremap(void *old, size_t old_size, size_t new_size, int flags, ...);
ssize_t __real_recvmsg(int sock, struct msghdr *message, int flags);
ssize_t __wrap_recvmsg(int sock, struct msghdr *message, int flags);

static bool is_refused_call(long number, const long *arguments)
{
    return number == refuse.number &&
           (!refuse.polls || ((struct iocb **)arguments[2])[0]->aio_lio_opcode == IOCB_CMD_POLL);
}

long __wrap_syscall(long number, ...)
{
    long arguments[4];
    va_list args;

    va_start(args, number);
    for (int i = 0; i < 4; i++) {
        arguments[i] = va_arg(args, long);
    }
    va_end(args);
    if (is_refused_call(number, arguments) && refused(refuse.syscall)) {
        return -1;
    }
    return __real_syscall(number, arguments[0], arguments[1], arguments[2], arguments[3]);
}

ssize_t __wrap_preadv2(int fd, const struct iovec *piece, int count, off_t offset, int flags)
{
    return refused(refuse.preadv2) ? -1 : __real_preadv2(fd, piece, count, offset, flags);
}

ssize_t __wrap_pwritev2(int fd, const struct iovec *piece, int count, off_t offset, int flags)
{
    return refused(refuse.pwritev2) ? -1 : __real_pwritev2(fd, piece, count, offset, flags);
}

ssize_t __wrap_write(int fd, const void *bytes, size_t count)
{
    return refused(refuse.write) ? -1 : __real_write(fd, bytes, count);
}

int __wrap_epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
    return operation == EPOLL_CTL_ADD && refused(refuse.epoll_ctl) ? -1 : __real_epoll_ctl(epoll, operation, fd, event);
}

void *__wrap_mremap(void *old, size_t old_size, size_t new_size, int flags, ...)
{
    va_list args;
    void *address;

    va_start(args, flags);
    address = va_arg(args, void *);
    va_end(args);
    return refused(refuse.mremap) ? MAP_FAILED : __real_mremap(old, old_size, new_size, flags, address);
}

ssize_t __wrap_recvmsg(int sock, struct msghdr *message, int flags)
{
    return refused(refuse.recvmsg) ? -1 : __real_recvmsg(sock, message, flags);
}

#define FOR_EVER -1
#define REFUSE(what, err, how_often)                                                                                   \
    do {                                                                                                               \
        memset(&refuse, 0, sizeof(refuse));                                                                            \
        refuse.what = err;                                                                                             \
        refuse.times = how_often;                                                                                      \
    } while (0)

static void refuse_nothing(void *unused)
{
    (void)unused;
    memset(&refuse, 0, sizeof(refuse));
}

static void refuse_syscall(long number, int err, int times)
{
    REFUSE(syscall, err, times);
    refuse.number = number;
}

/* Id 3; peer 4 with an eventfd and a pipe; our own two likewise. */
static void begin(ivflat_config config)
{
    at_test_end(refuse_nothing, NULL);
    config.struct_size = sizeof(config);
    story_begin(&story, &config);
    story_sends(&story, "0", "3", "-1 memory 4096", "4 eventfd", "4 pipe", "3 eventfd", "3 pipe");
    story_expect(&story, "memory 4096; ready; peer 4 1; peer 4 2");
}

static void ring_both(void)
{
    story_ring(&story, 4, 0);
    story_ring(&story, 4, 1);
    story_ring(&story, 4, 1);
    ck_assert_uint_eq(story_rung(&story, 4, 0), 1);
    ck_assert_uint_eq(story_rung(&story, 4, 1), 2);
}

static void be_rung_both(void)
{
    story_be_rung(&story, 0, 2);
    story_settle(&story);
    story_be_rung(&story, 1, 3);
    story_expect(&story, "interrupt 0 2; interrupt 1 3");
}

/* Ringing --------------------------------------------------------------------------------------------------------- */

START_TEST(P16_without_asynchronous_io_it_warns_and_writes)
{
    static const long numbers[] = {SYS_io_setup, SYS_io_submit};
    static const int errors[] = {ENOSYS, EPERM};

    refuse_syscall(numbers[_i], errors[_i], FOR_EVER);
    begin((ivflat_config){0});
    record_expect_text(story.record.logged, "warning: the kernel gives no asynchronous I/O");
    ck_assert_msg(get_nonblock(story_fd(&story, 4, 0)), "a plain write needs it");
    ring_both();
    be_rung_both();
    story_sends(&story, "5 socket");
    story_expect(&story, "peer 5 1");
    record_expect_text(story.record.logged, "vector 0 of peer 5 is closed");
}
END_TEST

/* A kernel before 4.20: it is rung by another request, without a write and without a warning. */
START_TEST(P16_a_kernel_without_polls_by_request)
{
    refuse_syscall(SYS_io_submit, EINVAL, FOR_EVER);
    refuse.polls = true;
    begin((ivflat_config){0});
    REFUSE(write, EIO, FOR_EVER);
    ring_both();
    refuse_nothing(NULL);
    be_rung_both();
    ck_assert_ptr_null(strstr(story.record.logged->str, "asynchronous"));
}
END_TEST

/* No memory for a request just now: the ring is not lost, and a full counter still blocks nobody. */
START_TEST(P16_no_memory_for_a_request)
{
    begin((ivflat_config){0});
    refuse_syscall(SYS_io_submit, EAGAIN, 1);
    ring_both();
    ck_assert_int_eq(refuse.times, 0);
    add_count(story_fd(&story, 4, 0), UINT64_MAX - 1);
    set_nonblock(story_fd(&story, 4, 0), false);
    refuse_syscall(SYS_io_submit, EAGAIN, 1);
    story_ring(&story, 4, 0);
    ck_assert_int_eq(refuse.times, 0);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_RINGS_SENT), 4);
}
END_TEST

START_TEST(C3_a_signal_comes_while_ringing)
{
    begin((ivflat_config){.trusted_peers = 1});
    REFUSE(write, EINTR, 3);
    story_ring(&story, 4, 0);
    ck_assert_int_eq(refuse.times, 0);
    ck_assert_uint_eq(story_rung(&story, 4, 0), 1);
    REFUSE(write, EIO, 1);
    story_ring(&story, 4, 0);
    record_expect_text(story.record.traced, "ring_failed 4 0 5");
}
END_TEST

START_TEST(P16_a_pipe_that_cannot_be_told_not_to_wait)
{
    begin((ivflat_config){.trusted_peers = (uint32_t)_i});
    REFUSE(pwritev2, EOPNOTSUPP, FOR_EVER);
    ring_both();
    set_nonblock(story_fd(&story, 4, 1), true);
    for (int i = 0; i < 20000; i++) { /* more than it takes: what is full is rung */
        story_ring(&story, 4, 1);
    }
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_RINGS_SENT), 20003);
    REFUSE(preadv2, EOPNOTSUPP, FOR_EVER);
    be_rung_both();
}
END_TEST

/* Watching -------------------------------------------------------------------------------------------------------- */

START_TEST(P16_no_watch_for_our_own_vector)
{
    begin((ivflat_config){.trusted_peers = 1});
    REFUSE(epoll_ctl, ENOSPC, 1);
    story_sends(&story, "3 eventfd", "3 eventfd");
    story_expect(&story, "");
    record_expect_text(story.record.logged, "warning: vector 2 of our own id 3 is closed");
    story_be_rung(&story, 2, 1);
    story_be_rung(&story, 3, 1);
    story_expect(&story, "interrupt 3 1");
}
END_TEST

START_TEST(no_watch_for_the_socket)
{
    int ends[2];

    at_test_end(refuse_nothing, NULL);
    story_init(&story, NULL);
    make_socketpair(ends);
    REFUSE(epoll_ctl, ENOSPC, 1);
    ck_assert_int_eq(ivflat_device_adopt(story.dev, ends[1]), IVFLAT_ERR_SYSTEM);
    ck_assert(at_end_of_file(ends[0]));
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "No space left"));
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_DOWN);
    record_expect(&story.record, "");
    close_fd(ends[0]);
}
END_TEST

/* With reconnecting set up it is tried again, like anything else that keeps us from the server. */
START_TEST(P18_no_watch_for_the_socket_just_now)
{
    ivflat_config config = {.struct_size = sizeof(config), .trusted_peers = 1, .reconnect_ms = 1};
    int listener;

    at_test_end(refuse_nothing, NULL);
    story_init(&story, &config);
    ck_assert_int_eq(ivflat_device_connect(story.dev, test_path("s")), 0); /* nobody there yet */
    listener = raw_listen(test_path("s"), 4);
    REFUSE(epoll_ctl, ENOSPC, 2);
    while (ivflat_device_link(story.dev) == IVFLAT_LINK_DOWN) {
        ck_assert_int_eq(ivflat_device_wait(story.dev, PATIENCE_MS), 1);
        ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
    }
    record_expect(&story.record, "greeting");
    ck_assert_int_eq(refuse.times, 0);
    close_fd(listener);
    g_string_truncate(story.record.said, 0);
}
END_TEST

START_TEST(no_watches_for_a_device)
{
    struct record record;
    ivflat_hooks hooks;
    ivflat_device *dev;

    at_test_end(refuse_nothing, NULL);
    record_init(&record);
    hooks = record_hooks(&record);
    REFUSE(epoll_ctl, ENOSPC, 1);
    ck_assert_int_eq(ivflat_device_new(&dev, NULL, &hooks), IVFLAT_ERR_SYSTEM);
    ck_assert_ptr_null(dev);
    REFUSE(epoll_ctl, ENOMEM, 1);
    ck_assert_int_eq(ivflat_device_new(&dev, NULL, &hooks), IVFLAT_ERR_NOMEM);
    record_free(&record);
}
END_TEST

/* The link -------------------------------------------------------------------------------------------------------- */

START_TEST(the_socket_cannot_be_read)
{
    begin((ivflat_config){.trusted_peers = 1});
    story_sends(&story, "9");
    REFUSE(recvmsg, EINTR, 2);
    story_expect(&story, "");
    ck_assert_int_eq(refuse.times, 0);
    story_sends(&story, "9");
    REFUSE(recvmsg, EIO, 1);
    story_expect(&story, "down system");
    ck_assert_ptr_nonnull(strstr(story.record.reason, "Input/output error"));
    story_ring(&story, 4, 0);
    ck_assert_uint_eq(story_rung(&story, 4, 0), 1);
}
END_TEST

/* The memory cannot be put in its place: no hole under the guest, the link is down, and the next server's comes. */
START_TEST(P18_the_memory_cannot_be_moved)
{
    ivflat_config config = {.struct_size = sizeof(config), .trusted_peers = 1, .memory_size = 4096};
    uint8_t *memory;

    at_test_end(refuse_nothing, NULL);
    story_begin(&story, &config);
    memory = ivflat_device_memory(story.dev);
    REFUSE(mremap, ENOMEM, 1);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "memory 4096; down nomem");
    ck_assert_ptr_eq(ivflat_device_memory(story.dev), memory);
    memory[4095] = 1;
    ck_assert_int_eq(ivflat_device_id(story.dev), -1);
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
    ck_assert_int_eq(memory[4095], 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("a kernel that refuses");
    TCase *tcase = suite_case(suite, "ringing");

    tcase_add_loop_test(tcase, P16_without_asynchronous_io_it_warns_and_writes, 0, 2);
    tcase_add_test(tcase, P16_a_kernel_without_polls_by_request);
    tcase_add_test(tcase, P16_no_memory_for_a_request);
    tcase_add_test(tcase, C3_a_signal_comes_while_ringing);
    tcase_add_loop_test(tcase, P16_a_pipe_that_cannot_be_told_not_to_wait, 0, 2);
    tcase = suite_case(suite, "watching");
    tcase_add_test(tcase, P16_no_watch_for_our_own_vector);
    tcase_add_test(tcase, no_watch_for_the_socket);
    tcase_add_test(tcase, P18_no_watch_for_the_socket_just_now);
    tcase_add_test(tcase, no_watches_for_a_device);
    tcase = suite_case(suite, "the link");
    tcase_add_test(tcase, the_socket_cannot_be_read);
    tcase_add_test(tcase, P18_the_memory_cannot_be_moved);
    return suite_run(suite);
}
