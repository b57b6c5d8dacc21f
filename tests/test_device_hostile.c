/* SPDX-License-Identifier: BSD-3-Clause */
/* What a hostile peer or a hostile server does to a device that a guest runs on.  No test sleeps. */
#include "story.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static struct story story;

/* A link that is up: we are 3. */
static void begin(ivflat_config config)
{
    config.struct_size = sizeof(config);
    story_begin(&story, &config);
    story_sends(&story, "0", "3", "-1 sealed 4096");
    story_expect(&story, "memory 4096; ready");
}

/* A message with a descriptor of the test's own make, which is given. */
static void send_with(int64_t number, int fd)
{
    uint8_t bytes[8];

    for (int i = 0; i < 8; i++) {
        bytes[i] = (uint8_t)((uint64_t)number >> (8 * i));
    }
    raw_send(story.server, bytes, sizeof(bytes), &fd, 1);
    close_fd(fd);
}

static uint32_t times(const GString *where, const char *text)
{
    uint32_t count = 0;

    for (const char *at = where->str; (at = strstr(at, text)); at++) {
        count++;
    }
    return count;
}

/* Pipes ----------------------------------------------------------------------------------------------------------- */

/* While it is set, whoever asks poll() about a pipe is told the truth, and then a peer is quicker: it fills the pipe
 * that has room, and empties the one that has something in it. */
static bool peer_is_quicker;

int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);

static void fill(int fd)
{
    static const char page[4096];

    set_nonblock(fd, true);
    while (write(fd, page, sizeof(page)) > 0) {
    }
    ck_assert_int_eq(errno, EAGAIN);
    set_nonblock(fd, false);
}

static void empty(int fd)
{
    char page[4096];

    set_nonblock(fd, true);
    while (read(fd, page, sizeof(page)) > 0) {
    }
    set_nonblock(fd, false);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
    int result = __real_poll(fds, count, timeout_ms);

    if (peer_is_quicker && count == 1 && result == 1 && fcntl(fds->fd, F_GETPIPE_SZ) > 0) {
        if (fds->events & POLLOUT) {
            fill(fds->fd);
        } else {
            empty(fds->fd);
        }
    }
    return result;
}

enum kind { KIND_PIPE, KIND_SPLICED, KIND_FIFO, KINDS };

static void make_fifo(int ends[2])
{
    const char *path = test_path("fifo");

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ends[0] = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ends[1] = open(path, O_WRONLY | O_CLOEXEC);
    ck_assert_int_ge(ends[0], 0);
    ck_assert_int_ge(ends[1], 0);
    set_nonblock(ends[0], false);
}

/* Through both ends once: the kernel then refuses RWF_NOWAIT for these open files. */
static void splice_both(const int ends[2])
{
    int other[2];

    make_pipe(other);
    add_count(other[1], 1);
    ck_assert_int_eq(splice(other[0], NULL, ends[1], NULL, 8, 0), 8);
    ck_assert_int_eq(splice(ends[0], NULL, other[1], NULL, 8, 0), 8);
    close_fd(other[0]);
    close_fd(other[1]);
}

/* Both ends block. */
static void make_kind(enum kind kind, int ends[2])
{
    if (kind == KIND_FIFO) {
        make_fifo(ends);
        return;
    }
    make_pipe(ends);
    if (kind == KIND_SPLICED) {
        splice_both(ends);
    }
}

/* A ring that blocks is ended by the test's time limit. */
START_TEST(P16_a_pipe_that_a_peer_fills_never_blocks)
{
    int ends[2];

    begin((ivflat_config){0});
    make_kind((enum kind)_i, ends);
    send_with(7, dup_fd(ends[1]));
    story_expect(&story, "peer 7 1");
    set_nonblock(ends[1], false);
    peer_is_quicker = true;
    story_ring(&story, 7, 0); /* there was room when somebody looked */
    fill(ends[1]);
    story_ring(&story, 7, 0);
    peer_is_quicker = false;
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_RINGS_IGNORED), 0);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_RINGS_SENT), 2); /* full is rung */
    empty(ends[0]);
    story_ring(&story, 7, 0);
    ck_assert_uint_eq(take_count(ends[0]), 1);
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

static void empty_it(struct record *record, const char *hook)
{
    (void)hook;
    empty(*(int *)record->data);
}

/* Found readable in the same look as vector 0, whose hook gives another holder the time to empty it. */
START_TEST(P16_our_own_pipe_that_a_peer_empties_never_blocks)
{
    int ends[2];

    begin((ivflat_config){0});
    make_kind((enum kind)_i, ends);
    story_sends(&story, "3 eventfd");
    send_with(3, dup_fd(ends[0]));
    story_expect(&story, "");
    set_nonblock(ends[0], false);
    story.record.inside_hook = "interrupt";
    story.record.inside = empty_it;
    story.record.data = &ends[0];
    story_be_rung(&story, 0, 1);
    add_count(ends[1], 1);
    story_expect(&story, "interrupt 0 1");
    story.record.inside = NULL;
    add_count(ends[1], 1);
    peer_is_quicker = true;
    story_expect(&story, "interrupt 1 1"); /* nobody looked before */
    peer_is_quicker = false;
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

START_TEST(P16_a_fifo_that_is_open_both_ways_is_refused)
{
    const char *path = test_path("fifo");

    begin((ivflat_config){0});
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    send_with(_i, open(path, O_RDWR | O_CLOEXEC));
    story_expect(&story, _i == 3 ? "" : "peer 4 1");
    ck_assert_uint_eq(times(story.record.logged, "warning: vector 0 of "), 1);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_VECTORS_REFUSED), 1);
    story_ring(&story, (uint32_t)_i, 0);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_RINGS_IGNORED), 1);
    ck_assert_int_eq(open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC), -1); /* closed: nobody reads it */
    ck_assert_int_eq(errno, ENXIO);
}
END_TEST

/* A close that waits ---------------------------------------------------------------------------------------------- */

/* 0: a vector; 1: the memory; 2: where none belongs; 3: in a message that never ends. */
static void send_lingering(int how, int fd)
{
    static const uint8_t half[4];

    if (how != 0) {
        story_sends(&story, "0");
    }
    if (how == 1) {
        story_sends(&story, "3");
    }
    if (how < 3) {
        send_with(how == 0 ? 7 : how == 1 ? -1 : 5, fd);
    } else {
        raw_send(story.server, half, sizeof(half), &fd, 1);
        close_fd(fd);
        story_close(&story);
    }
}

START_TEST(P16_a_descriptor_that_lingers_holds_up_nobody)
{
    static const char *const said[] = {"peer 7 1", "down memory", "down protocol", "down closed"};
    gint64 before;
    int other, fd = make_lingering(&other);

    if (_i == 0) {
        begin((ivflat_config){0});
    } else {
        story_begin(&story, NULL);
    }
    before = g_get_monotonic_time();
    send_lingering(_i, fd);
    story_expect(&story, said[_i]);
    ck_assert_int_lt(g_get_monotonic_time() - before, 10 * G_USEC_PER_SEC);
    close_fd(other);
}
END_TEST

/* The link went down between the embedder's reading and its feeding. */
START_TEST(P16_what_is_fed_too_late_holds_up_nobody)
{
    static const uint8_t bytes[8];
    gint64 before;
    int other, fd = make_lingering(&other);

    story_init(&story, NULL);
    before = g_get_monotonic_time();
    ck_assert_int_eq(ivflat_device_feed(story.dev, bytes, sizeof(bytes), &fd, 1), IVFLAT_ERR_INVALID);
    ck_assert_int_lt(g_get_monotonic_time() - before, 10 * G_USEC_PER_SEC);
    close_fd(other);
}
END_TEST

/* A server without end -------------------------------------------------------------------------------------------- */

START_TEST(P16_unusable_vectors_have_one_line_a_greeting)
{
    begin((ivflat_config){0});
    for (uint32_t i = 0; i < 20; i++) {
        story_sends(&story, "7 file");
    }
    story_sends(&story, "8 socket", "3 file");
    story_settle(&story);
    ck_assert_uint_eq(times(story.record.logged, "is closed"), 1);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_VECTORS_REFUSED), 22);
    story_close(&story);
    story_connect(&story);
    story_sends(&story, "0", "4", "-1 sealed 4096", "9 file", "9 file");
    story_settle(&story);
    ck_assert_uint_eq(times(story.record.logged, "is closed"), 2);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_VECTORS_REFUSED), 24);
}
END_TEST

/* The server takes us and closes, @count times; once more, it takes us and stays. */
static void come_and_go(uint32_t count)
{
    for (uint32_t i = 0; i <= count; i++) {
        while (!is_readable(story.listener)) {
            ck_assert_int_eq(ivflat_device_wait(story.dev, PATIENCE_MS), 1);
            ivflat_device_dispatch(story.dev);
        }
        if (story.server >= 0) {
            close_fd(story.server);
        }
        story.server = raw_accept(story.listener);
        if (i < count) {
            close_fd(story.server);
            story.server = -1;
        }
    }
    story.up = true;
    story.id = -1;
    story.messages = 0;
}

/* A loss has a line, and one more says why we do not come back, however often we try. */
START_TEST(P18_a_server_that_closes_at_once_has_one_line)
{
    static const ivflat_config config = {.struct_size = sizeof(config), .reconnect_ms = 1};

    story_init(&story, &config);
    story.way = STORY_CONNECT;
    story.listener = raw_listen(test_path("s"), 4);
    ck_assert_int_eq(ivflat_device_connect(story.dev, test_path("s")), 0);
    come_and_go(10);
    ck_assert_uint_eq(times(story.record.logged, "\n"), 1);
    story_sends(&story, "0", "3", "-1 sealed 4096");
    story_settle(&story);
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_READY);
    close_fd(story.server);
    story.server = -1;
    come_and_go(10);
    ck_assert_uint_eq(times(story.record.logged, "\n"), 3);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_LINK_LOSSES), 21);
}
END_TEST

/* Who never stops ringing ----------------------------------------------------------------------------------------- */

static void ring_again(struct record *record, const char *hook)
{
    (void)record;
    (void)hook;
    add_count(story_fd(&story, 3, 0), 1);
}

/* Rung anew as soon as it is served: there is always something to dispatch. */
START_TEST(P23_greet_ends_though_a_peer_never_stops_ringing)
{
    begin((ivflat_config){.greeting_timeout_ms = PATIENCE_MS / 2});
    story_sends(&story, "3 eventfd", "7 eventfd");
    story_close(&story);
    story_connect(&story);
    story.record.inside_hook = "interrupt";
    story.record.inside = ring_again;
    ring_again(NULL, NULL);
    ck_assert_int_eq(ivflat_device_greet(story.dev, 30), IVFLAT_ERR_TIMEOUT);
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_GREETING);
    ck_assert_ptr_nonnull(strstr(story.record.said->str, "interrupt 0 1"));
    story_ring(&story, 7, 0); /* the peers of before keep working */
    ck_assert_uint_eq(story_rung(&story, 7, 0), 1);
    story.record.inside = NULL;
    story_settle(&story);
}
END_TEST

static void *wake_from_there(void *unused)
{
    (void)unused;
    ivflat_device_wake(story.dev);
    return NULL;
}

START_TEST(greet_ends_when_another_thread_wakes)
{
    static const ivflat_config config = {.struct_size = sizeof(config), .greeting_timeout_ms = PATIENCE_MS / 2};
    pthread_t thread;

    story_begin(&story, &config);
    ck_assert_int_eq(pthread_create(&thread, NULL, wake_from_there, NULL), 0);
    ck_assert_int_eq(ivflat_device_greet(story.dev, -1), IVFLAT_ERR_TIMEOUT);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_GREETING); /* it goes on */
    story_sends(&story, "0", "3", "-1 sealed 4096");
    ck_assert_int_eq(ivflat_device_greet(story.dev, -1), 0);
    record_expect(&story.record, "memory 4096; ready");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: hostile peers and servers");
    TCase *tcase = suite_case(suite, "pipes");

    tcase_add_loop_test(tcase, P16_a_pipe_that_a_peer_fills_never_blocks, 0, KINDS);
    tcase_add_loop_test(tcase, P16_our_own_pipe_that_a_peer_empties_never_blocks, 0, KINDS);
    tcase_add_loop_test(tcase, P16_a_fifo_that_is_open_both_ways_is_refused, 3, 5);
    tcase = suite_case(suite, "a close that waits");
    tcase_add_loop_test(tcase, P16_a_descriptor_that_lingers_holds_up_nobody, 0, 4);
    tcase_add_test(tcase, P16_what_is_fed_too_late_holds_up_nobody);
    tcase = suite_case(suite, "a server without end");
    tcase_add_test(tcase, P16_unusable_vectors_have_one_line_a_greeting);
    tcase_add_test(tcase, P18_a_server_that_closes_at_once_has_one_line);
    tcase = suite_case(suite, "who never stops ringing");
    tcase_add_test(tcase, P23_greet_ends_though_a_peer_never_stops_ringing);
    tcase_add_test(tcase, greet_ends_when_another_thread_wakes);
    return suite_run(suite);
}
