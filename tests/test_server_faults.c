/* SPDX-License-Identifier: BSD-3-Clause */
/* What the kernel answers once in a blue moon: the calls of fdio.h that the server makes are led through here. */
#include "raw.h"
#include "served.h"

#include "fdio.h"
#include "server-ids.h"
#include "server-io.h"

#include <errno.h>
#include <libivflat/ivflat-glib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct served served;

/* What the next calls answer in place of the kernel; 0: the kernel. */
static int send_answers;
static int receive_answers;
static int ready_answers;
static int watch_answers;
static bool ids_are_taken;
static uint32_t sends; /* how often each was called */
static uint32_t id_calls;

int __real_ivf_io_send(int sock, const struct ivf_message *messages, uint32_t count);
int __wrap_ivf_io_send(int sock, const struct ivf_message *messages, uint32_t count);
int __real_ivf_fd_receive(int sock, uint8_t *bytes, uint32_t want, struct ivf_received *received);
int __wrap_ivf_fd_receive(int sock, uint8_t *bytes, uint32_t want, struct ivf_received *received);
int __real_ivf_fd_ready(int epoll, struct ivf_ready *ready, int max);
int __wrap_ivf_fd_ready(int epoll, struct ivf_ready *ready, int max);
int __real_ivf_fd_watch(int epoll, int fd, uint64_t tag);
int __wrap_ivf_fd_watch(int epoll, int fd, uint64_t tag);
int32_t __real_ivf_ids_next(struct ivf_ids *ids);
int32_t __wrap_ivf_ids_next(struct ivf_ids *ids);

int __wrap_ivf_io_send(int sock, const struct ivf_message *messages, uint32_t count)
{
    sends++;
    return send_answers ? send_answers : __real_ivf_io_send(sock, messages, count);
}

int __wrap_ivf_fd_receive(int sock, uint8_t *bytes, uint32_t want, struct ivf_received *received)
{
    return receive_answers ? receive_answers : __real_ivf_fd_receive(sock, bytes, want, received);
}

int __wrap_ivf_fd_ready(int epoll, struct ivf_ready *ready, int max)
{
    return ready_answers ? ready_answers : __real_ivf_fd_ready(epoll, ready, max);
}

int __wrap_ivf_fd_watch(int epoll, int fd, uint64_t tag)
{
    return watch_answers ? watch_answers : __real_ivf_fd_watch(epoll, fd, tag);
}

int32_t __wrap_ivf_ids_next(struct ivf_ids *ids)
{
    id_calls++;
    return ids_are_taken ? -1 : __real_ivf_ids_next(ids);
}

static const int lacking[] = {-ETOOMANYREFS, -ENOBUFS, -ENOMEM};

START_TEST(what_lacks_for_a_while_is_sent_later)
{
    struct guest guest;

    served_begin(&served, NULL);
    send_answers = lacking[_i];
    guest_join(&guest, &served); /* and comes back: the server does not run in circles */
    guest_expect(&guest, "");
    ck_assert_int_eq(ivflat_server_wait(served.server, PATIENCE_MS), 1); /* tries, in vain */
    served_run(&served);
    guest_expect(&guest, "");
    send_answers = 0;
    ck_assert_int_eq(ivflat_server_wait(served.server, PATIENCE_MS), 1);
    served_run(&served);
    guest_expect(&guest, "0; 0; -1 memory 4194304; 0 eventfd");
    guest_leave(&guest, NULL);
}
END_TEST

#define CROWD 30

/* Others that lack the same, in less time than a try, do not put it off; and all of it is one line. */
START_TEST(what_lacks_again_and_again_is_tried_in_time)
{
    struct guest guests[CROWD];
    bool tried = false;
    int count;

    served_begin(&served, NULL);
    send_answers = -ETOOMANYREFS;
    for (count = 0; count < CROWD && !tried; count++) {
        uint32_t before = sends;

        ivflat_server_wait(served.server, 40);
        guest_join(&guests[count], &served);
        tried = sends - before > 1; /* not the newcomer alone */
    }
    ck_assert(tried);
    ck_assert_str_eq(served.logged->str,
                     "warning: cannot send to a client now, it has to wait: too many descriptors are "
                     "under way to clients that have not read them; there are 1 clients\n");
    send_answers = 0;
    while (count > 0) {
        guest_leave(&guests[--count], NULL);
    }
}
END_TEST

START_TEST(who_waits_for_a_resource_is_sent_to_when_another_leaves)
{
    struct guest stays;
    struct guest leaves;

    served_begin(&served, &(ivflat_server_config){.no_interrupts = 1});
    guest_join(&leaves, &served);
    send_answers = -ETOOMANYREFS;
    guest_join(&stays, &served);
    guest_expect(&stays, "");
    send_answers = 0;
    guest_leave(&leaves, &served);
    guest_expect(&stays, "0; 1; -1 memory 4194304; 0");
    guest_leave(&stays, NULL);
}
END_TEST

/* Those that come and go do not set the pace at which others are refused. */
START_TEST(one_leave_of_many_ends_a_pause)
{
    gint64 before;
    struct guest guests[6];

    served_begin(&served, NULL);
    for (int i = 0; i < 3; i++) {
        guest_join(&guests[i], &served);
    }
    for (int i = 3; i < 6; i++) {
        guest_connect(&guests[i], served.path);
    }
    before = g_get_monotonic_time();
    ids_are_taken = true;
    id_calls = 0;
    served_run(&served);
    guest_leave(&guests[0], &served);
    guest_leave(&guests[1], &served);
    if (g_get_monotonic_time() - before < 90 * G_TIME_SPAN_MILLISECOND) { /* or it is time for another try */
        ck_assert_uint_eq(id_calls, 2);
    }
    ids_are_taken = false;
    for (int i = 2; i < 6; i++) {
        guest_leave(&guests[i], NULL);
    }
}
END_TEST

START_TEST(who_waits_for_a_resource_may_leave)
{
    struct guest guest;

    served_begin(&served, NULL);
    send_answers = -ENOBUFS;
    guest_join(&guest, &served);
    guest_leave(&guest, &served);
    send_answers = 0;
    ck_assert_uint_eq(ivflat_server_clients(served.server), 0);
    ck_assert_int_eq(ivflat_server_wait(served.server, PATIENCE_MS), 1);
    served_run(&served);
}
END_TEST

static const struct {
    int answer;
    const char *said;
} broken[] = {
    {-EPIPE, "0 joined; 0 left: it closed the connection"},
    {-ECONNRESET, "0 joined; 0 left: it closed the connection"},
    {-EIO, "0 joined; 0 left: cannot send to it: Input/output error"},
    {-EPROTO, "0 joined; 0 left: cannot send to it: Protocol error"},
};

START_TEST(who_cannot_be_sent_to_is_dropped)
{
    struct guest guest;

    served_begin(&served, NULL);
    send_answers = broken[_i].answer;
    guest_join(&guest, &served);
    send_answers = 0;
    served_expect(&served, broken[_i].said);
    guest_expect(&guest, "end");
    guest_leave(&guest, NULL);
}
END_TEST

START_TEST(who_cannot_be_read_from_is_dropped)
{
    static const uint8_t byte[1];
    struct guest guest;

    served_begin(&served, NULL);
    guest_join(&guest, &served);
    guest_skip(&guest);
    ck_assert_int_eq(send(guest.sock, byte, 1, 0), 1);
    receive_answers = -EAGAIN; /* that is nothing */
    ck_assert_int_eq(ivflat_server_dispatch(served.server), 0);
    ck_assert_uint_eq(ivflat_server_clients(served.server), 1);
    receive_answers = -EIO;
    served_run(&served);
    receive_answers = 0;
    served_expect(&served, "0 joined; 0 left: its connection broke: Input/output error");
    guest_leave(&guest, NULL);
}
END_TEST

START_TEST(who_cannot_be_watched_is_refused)
{
    struct guest guest;

    served_begin(&served, NULL);
    watch_answers = -ENOSPC;
    guest_join(&guest, &served);
    ck_assert_ptr_nonnull(strstr(served.logged->str, "): No space left on device; there are 0 clients"));
    guest_expect(&guest, "end");
    watch_answers = 0;
    guest_leave(&guest, NULL);
    served_expect(&served, "refused: No space left on device");
}
END_TEST

START_TEST(P11_without_a_free_id_a_client_is_refused)
{
    struct guest guest;

    served_begin(&served, NULL);
    ids_are_taken = true;
    guest_join(&guest, &served);
    ids_are_taken = false;
    ck_assert_ptr_nonnull(strstr(served.logged->str, "): all 65,536 ids are taken"));
    guest_expect(&guest, "end");
    guest_leave(&guest, NULL);
}
END_TEST

START_TEST(without_epoll_the_server_says_that_it_is_over)
{
    GMainContext *context = g_main_context_new();
    GSource *source;

    served_begin(&served, NULL);
    source = ivflat_server_source_new(served.server);
    g_source_attach(source, context);
    ready_answers = -EBADF;
    ck_assert_int_eq(ivflat_server_dispatch(served.server), IVFLAT_ERR_SYSTEM);
    ck_assert_str_eq(served.logged->str, "error: the server cannot wait for events any more: Bad file descriptor\n");
    ivflat_server_wake(served.server);
    g_main_context_iteration(context, TRUE);
    ready_answers = 0;
    ck_assert(g_source_is_destroyed(source)); /* or the loop would run in circles */
    g_source_unref(source);
    g_main_context_unref(context);
}
END_TEST

/* A close that waits ---------------------------------------------------------------------------------------------- */

enum { READ, UNREAD_WHEN_DROPPED, UNREAD_WHEN_REFUSED, UNREAD_AT_THE_END, NEVER_ACCEPTED, WAYS };

START_TEST(a_descriptor_that_lingers_holds_up_nobody)
{
    static const uint8_t bytes[5000];
    struct guest guest;
    struct guest next;
    gint64 before;
    int other, fd = make_lingering(&other);

    served_begin(&served, NULL);
    served_take_descriptors(&served);
    guest_connect(&guest, served.path);
    if (_i == UNREAD_WHEN_DROPPED) {
        raw_send(guest.sock, bytes, sizeof(bytes), NULL, 0);
    } else if (_i == UNREAD_AT_THE_END) {
        served_run(&served);
    }
    raw_send(guest.sock, bytes, 1, &fd, 1);
    close_fd(fd);
    before = g_get_monotonic_time();
    ids_are_taken = _i == UNREAD_WHEN_REFUSED;
    if (_i < UNREAD_AT_THE_END) {
        served_run(&served);
    }
    ids_are_taken = false;
    if (_i < UNREAD_WHEN_REFUSED) {
        guest_join(&next, &served);
        ck_assert_uint_ge(guest_skip(&next), 4);
        guest_leave(&next, NULL);
    }
    served_end(&served);
    ck_assert_int_lt(g_get_monotonic_time() - before, 10 * G_USEC_PER_SEC);
    guest_leave(&guest, NULL);
    close_fd(other);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_faults");
    TCase *tcase = suite_case(suite, "faults");

    tcase_add_loop_test(tcase, what_lacks_for_a_while_is_sent_later, 0, G_N_ELEMENTS(lacking));
    tcase_add_test(tcase, what_lacks_again_and_again_is_tried_in_time);
    tcase_add_test(tcase, who_waits_for_a_resource_is_sent_to_when_another_leaves);
    tcase_add_test(tcase, one_leave_of_many_ends_a_pause);
    tcase_add_test(tcase, who_waits_for_a_resource_may_leave);
    tcase_add_loop_test(tcase, who_cannot_be_sent_to_is_dropped, 0, G_N_ELEMENTS(broken));
    tcase_add_test(tcase, who_cannot_be_read_from_is_dropped);
    tcase_add_test(tcase, who_cannot_be_watched_is_refused);
    tcase_add_test(tcase, P11_without_a_free_id_a_client_is_refused);
    tcase_add_test(tcase, without_epoll_the_server_says_that_it_is_over);
    tcase = suite_case(suite, "a close that waits");
    tcase_add_loop_test(tcase, a_descriptor_that_lingers_holds_up_nobody, READ, WAYS);
    return suite_run(suite);
}
