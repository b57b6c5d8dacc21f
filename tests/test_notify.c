/* SPDX-License-Identifier: BSD-3-Clause */
/* Ringing and serving one vector.  Whatever the other holders do to it, nothing blocks: those tests run in a child, so
 * that a call that blocks is a failure and no hang. */
#include "support.h"

#include "notify.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

static struct ivf_notifier notifier;
static int wake;

/* The loop's number: 0, the default way; 1, plain writes; 2, no descriptor is left for what the request polls. */
enum { DEFAULT, PLAIN, NO_DESCRIPTOR };

static void begin(int way)
{
    wake = make_eventfd();
    if (way == NO_DESCRIPTOR) {
        fill_fds(0);
    }
    ck_assert_int_eq(ivf_notifier_init(&notifier, wake, way == PLAIN), 0);
    if (way == NO_DESCRIPTOR) {
        fill_fds_undo();
    }
    ck_assert_int_eq(notifier.context == 0, way == PLAIN);
}

static void end(void)
{
    ivf_notifier_fini(&notifier);
    ck_assert_uint_eq(take_count(wake), 0); /* it is lent, and never rung */
    close_fd(wake);
}

START_TEST(C1_a_ring_is_the_number_1)
{
    int bell = make_eventfd();
    int pipe_ends[2];
    uint64_t number = 0;

    begin(_i);
    make_pipe(pipe_ends);
    ck_assert_int_eq(ivf_notify_classify(&notifier, bell), IVF_NOTIFY_EVENTFD);
    ck_assert_int_eq(ivf_notify_classify(&notifier, pipe_ends[1]), IVF_NOTIFY_PIPE);
    ck_assert_int_eq(ivf_notify_ring(&notifier, bell, IVF_NOTIFY_EVENTFD), 0);
    ck_assert_uint_eq(take_count(bell), 1);
    ck_assert_int_eq(ivf_notify_ring(&notifier, pipe_ends[1], IVF_NOTIFY_PIPE), 0);
    ck_assert_int_eq(read(pipe_ends[0], &number, 8), 8);
    ck_assert_uint_eq(number, 1);
    ck_assert(!is_readable(pipe_ends[0]));
    close_fd(bell);
    close_fd(pipe_ends[0]);
    close_fd(pipe_ends[1]);
    end();
}
END_TEST

START_TEST(R8_each_ring_counts)
{
    int bell = make_eventfd();

    begin(_i);
    for (int i = 0; i < 5000; i++) {
        ck_assert_int_eq(ivf_notify_ring(&notifier, bell, IVF_NOTIFY_EVENTFD), 0);
    }
    ck_assert_uint_eq(take_count(bell), 5000);
    close_fd(bell);
    end();
}
END_TEST

START_TEST(C2_serving_takes_what_is_there)
{
    int bell = make_eventfd();
    int ends[2];

    make_pipe(ends);
    ck_assert_int_eq(ivf_notify_drain(bell, IVF_NOTIFY_EVENTFD), 0);
    add_count(bell, 3);
    add_count(bell, 4);
    ck_assert_int_eq(ivf_notify_drain(bell, IVF_NOTIFY_EVENTFD), 7);
    ck_assert_int_eq(ivf_notify_drain(bell, IVF_NOTIFY_EVENTFD), 0);
    for (int i = 0; i < 5; i++) {
        add_count(ends[1], 1);
    }
    ck_assert_int_eq(ivf_notify_drain(ends[0], IVF_NOTIFY_PIPE), 5);
    ck_assert(!is_readable(ends[0]));
    ck_assert_int_eq(write(ends[1], "x", 1), 1); /* a peer that writes what it likes: a ring */
    ck_assert_int_eq(ivf_notify_drain(ends[0], IVF_NOTIFY_PIPE), 1);
    close_fd(ends[1]);
    ck_assert_int_eq(ivf_notify_drain(ends[0], IVF_NOTIFY_PIPE), -EPIPE);
    close_fd(ends[0]);
    close_fd(bell);
}
END_TEST

/* More than fits one read is a bounded share, and the rest stays. */
START_TEST(C2_a_full_pipe_is_served_in_shares)
{
    int64_t sum = 0, share;
    int ends[2];
    uint32_t rings = 0;

    make_pipe(ends);
    set_nonblock(ends[1], true);
    while (write(ends[1], &(uint64_t){1}, 8) == 8) {
        rings++;
    }
    while ((share = ivf_notify_drain(ends[0], IVF_NOTIFY_PIPE)) > 0) {
        ck_assert_int_lt(share, rings);
        sum += share;
    }
    ck_assert_int_eq(sum, rings);
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

/* An eventfd's count has 64 bits, our sums 63. */
START_TEST(C2_the_largest_count)
{
    int bell = make_eventfd();

    add_count(bell, UINT64_MAX - 1);
    ck_assert_int_eq(ivf_notify_drain(bell, IVF_NOTIFY_EVENTFD), INT64_MAX);
    close_fd(bell);
}
END_TEST

/* Never blocks ---------------------------------------------------------------------------------------------------- */

struct hostile {
    int fd;
    enum ivf_notify_kind kind;
    int way;
};

static int ring_ten_times(void *argument)
{
    struct hostile *hostile = argument;

    for (int i = 0; i < 10; i++) {
        if (ivf_notify_ring(&notifier, hostile->fd, hostile->kind) != 0) {
            return 1;
        }
    }
    return 0;
}

/* A device does not survive a fork, nor does its context: the child makes its own. */
static int ring_anew(void *argument)
{
    begin(((struct hostile *)argument)->way);
    return ring_ten_times(argument);
}

START_TEST(P16_a_full_counter_never_blocks)
{
    struct hostile hostile = {
        .fd = make_eventfd(), .kind = IVF_NOTIFY_EVENTFD, .way = _i == 0 ? DEFAULT : NO_DESCRIPTOR};

    add_count(hostile.fd, UINT64_MAX - 1);
    set_nonblock(hostile.fd, false); /* as any holder can */
    ck_assert_int_eq(join_child(run_child(ring_anew, &hostile)), 0);
    ck_assert(is_readable(hostile.fd));
    close_fd(hostile.fd);
}
END_TEST

START_TEST(P16_a_full_pipe_never_blocks)
{
    struct hostile hostile = {.kind = IVF_NOTIFY_PIPE};
    int ends[2];

    make_pipe(ends);
    set_nonblock(ends[1], true);
    while (write(ends[1], &(uint64_t){1}, 8) == 8) {
    }
    set_nonblock(ends[1], false);
    hostile.fd = ends[1];
    ck_assert_int_eq(join_child(run_child(ring_anew, &hostile)), 0);
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

static int drain_empty(void *argument)
{
    struct hostile *hostile = argument;

    return ivf_notify_drain(hostile->fd, hostile->kind) == 0 ? 0 : 1;
}

START_TEST(P16_reading_never_blocks)
{
    struct hostile hostile = {.fd = make_eventfd(), .kind = IVF_NOTIFY_EVENTFD};
    int ends[2];

    set_nonblock(hostile.fd, false);
    ck_assert_int_eq(join_child(run_child(drain_empty, &hostile)), 0);
    close_fd(hostile.fd);
    make_pipe(ends);
    hostile = (struct hostile){.fd = ends[0], .kind = IVF_NOTIFY_PIPE};
    ck_assert_int_eq(join_child(run_child(drain_empty, &hostile)), 0);
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

/* Trusted peers: our own O_NONBLOCK does, as long as nobody clears it. */
START_TEST(C3_a_full_counter_is_rung_already)
{
    int bell = make_eventfd();

    begin(_i);
    set_nonblock(bell, false);
    ck_assert_int_eq(ivf_notify_classify(&notifier, bell), IVF_NOTIFY_EVENTFD);
    ck_assert_int_eq(get_nonblock(bell), _i == PLAIN); /* shared with all: only a plain write needs it */
    add_count(bell, UINT64_MAX - 1);
    ck_assert_int_eq(ivf_notify_ring(&notifier, bell, IVF_NOTIFY_EVENTFD), 0);
    ck_assert_int_eq(ivf_notify_ring(&notifier, bell, IVF_NOTIFY_EVENTFD), 0);
    close_fd(bell);
    end();
}
END_TEST

/* Broken ---------------------------------------------------------------------------------------------------------- */

START_TEST(C3_a_pipe_without_a_reader_kills_nobody)
{
    int ends[2];

    begin(_i);
    make_pipe(ends);
    close_fd(ends[0]);
    ck_assert_int_eq(ivf_notify_ring(&notifier, ends[1], IVF_NOTIFY_PIPE), -EPIPE);
    ck_assert_int_eq(ivf_notify_ring(&notifier, ends[1], IVF_NOTIFY_PIPE), -EPIPE);
    close_fd(ends[1]);
    end();
}
END_TEST

/* A SIGPIPE that waited before is still there after, and the thread's mask is as it was. */
START_TEST(C3_a_sigpipe_of_others_stays)
{
    sigset_t sigpipe, before, pending;
    int ends[2];

    begin(0);
    make_pipe(ends);
    close_fd(ends[0]);
    sigemptyset(&sigpipe);
    sigaddset(&sigpipe, SIGPIPE);
    ck_assert_int_eq(sigprocmask(SIG_BLOCK, &sigpipe, &before), 0);
    ck_assert_int_eq(ivf_notify_ring(&notifier, ends[1], IVF_NOTIFY_PIPE), -EPIPE);
    sigpending(&pending);
    ck_assert_msg(!sigismember(&pending, SIGPIPE), "ours is taken away");
    raise(SIGPIPE);
    ck_assert_int_eq(ivf_notify_ring(&notifier, ends[1], IVF_NOTIFY_PIPE), -EPIPE);
    sigpending(&pending);
    ck_assert_msg(sigismember(&pending, SIGPIPE), "another's stays");
    ck_assert_int_eq(sigtimedwait(&sigpipe, NULL, &(struct timespec){0}), SIGPIPE);
    ck_assert_int_eq(sigprocmask(SIG_SETMASK, &before, NULL), 0);
    close_fd(ends[1]);
    end();
}
END_TEST

START_TEST(C3_a_closed_descriptor_is_broken)
{
    begin(_i);
    ck_assert_int_eq(ivf_notify_ring(&notifier, 9999, IVF_NOTIFY_EVENTFD), -EBADF);
    ck_assert_int_eq(ivf_notify_ring(&notifier, 9999, IVF_NOTIFY_PIPE), -EBADF);
    ck_assert_int_eq(ivf_notify_drain(9999, IVF_NOTIFY_EVENTFD), -EBADF);
    end();
}
END_TEST

/* One of each that is neither: what can be waited on, what can be read for ever, what is no file. */
static int make_neither(int which)
{
    int ends[2];

    switch (which) {
    case 0:
        return make_memory(4096);
    case 1:
        return open("/dev/zero", O_RDWR | O_CLOEXEC);
    case 2:
        return open("/", O_RDONLY | O_CLOEXEC);
    case 3:
        make_socketpair(ends);
        close_fd(ends[1]);
        return ends[0];
    default:
        return -1;
    }
}

START_TEST(P16_what_is_neither)
{
    int fd = make_neither(_i % 5);

    begin(_i / 5);
    ck_assert_int_eq(ivf_notify_classify(&notifier, fd), IVF_NOTIFY_UNUSABLE);
    if (fd >= 0) {
        close_fd(fd);
    }
    end();
}
END_TEST

/* Telling what it is rings nobody. */
START_TEST(P16_telling_what_it_is_takes_nothing)
{
    int bell = make_eventfd();

    begin(_i);
    ck_assert_int_eq(ivf_notify_classify(&notifier, bell), IVF_NOTIFY_EVENTFD);
    ck_assert_uint_eq(take_count(bell), 0);
    add_count(bell, 3);
    ck_assert_int_eq(ivf_notify_classify(&notifier, bell), IVF_NOTIFY_EVENTFD);
    ck_assert_uint_eq(take_count(bell), 3);
    close_fd(bell);
    end();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notify");
    TCase *tcase = suite_case(suite, "rings");

    tcase_add_loop_test(tcase, C1_a_ring_is_the_number_1, 0, 3);
    tcase_add_loop_test(tcase, R8_each_ring_counts, 0, 3);
    tcase_add_test(tcase, C2_serving_takes_what_is_there);
    tcase_add_test(tcase, C2_a_full_pipe_is_served_in_shares);
    tcase_add_test(tcase, C2_the_largest_count);
    tcase = suite_case(suite, "never blocks");
    tcase_add_loop_test(tcase, P16_a_full_counter_never_blocks, 0, 2);
    tcase_add_test(tcase, P16_a_full_pipe_never_blocks);
    tcase_add_test(tcase, P16_reading_never_blocks);
    tcase_add_loop_test(tcase, C3_a_full_counter_is_rung_already, 0, 3);
    tcase = suite_case(suite, "broken");
    tcase_add_loop_test(tcase, C3_a_pipe_without_a_reader_kills_nobody, 0, 2);
    tcase_add_test(tcase, C3_a_sigpipe_of_others_stays);
    tcase_add_loop_test(tcase, C3_a_closed_descriptor_is_broken, 0, 2);
    tcase_add_loop_test(tcase, P16_what_is_neither, 0, 10);
    tcase_add_loop_test(tcase, P16_telling_what_it_is_takes_nothing, 0, 3);
    return suite_run(suite);
}
