/* SPDX-License-Identifier: BSD-3-Clause */
/* The handshake: every state and every kind of message, and the sentences. */
#include "support.h"

#include "session.h"
#include "wire.h"

#include <libivflat/ivflat.h>
#include <string.h>

/* Any number will do: a session owns none. */
#define FD 42

static struct ivf_session session;
static struct ivf_event event;

/* A session that waits for what @state is named for; our id is 3. */
static void begin_at(enum ivf_session_state state)
{
    ivf_session_begin(&session);
    if (state > IVF_SESSION_VERSION) {
        ck_assert_int_eq(ivf_session_step(&session, 0, IVF_FD_NONE, &event), 0);
    }
    if (state > IVF_SESSION_ID) {
        ck_assert_int_eq(ivf_session_step(&session, 3, IVF_FD_NONE, &event), 0);
    }
    if (state > IVF_SESSION_MEMORY) {
        ck_assert_int_eq(ivf_session_step(&session, -1, FD, &event), 0);
    }
    ck_assert_int_eq(session.state, state);
}

static int32_t step(enum ivf_session_state state, int64_t number, int fd)
{
    begin_at(state);
    memset(&event, 0xee, sizeof(event));
    return ivf_session_step(&session, number, fd, &event);
}

static void expect_event(enum ivf_session_state state, int64_t number, int fd, enum ivf_event_kind kind)
{
    ck_assert_msg(step(state, number, fd) == 0, "%s", ivflat_last_error());
    ck_assert_int_eq(event.kind, kind);
    if (kind == IVF_EVENT_ID || kind == IVF_EVENT_VECTOR || kind == IVF_EVENT_LEAVE) {
        ck_assert_uint_eq(event.id, (uint32_t)number);
    }
    ck_assert_int_eq(event.fd, kind == IVF_EVENT_MEMORY || kind == IVF_EVENT_VECTOR ? FD : IVF_FD_NONE);
}

/* An error whose sentence has all of @words in it, and "message N": the one that came. */
#define expect_error(state, number, fd, ...)                                                                           \
    expect_error_words(state, number, fd, (const char *const[]){__VA_ARGS__, NULL})

static void expect_error_words(enum ivf_session_state state, int64_t number, int fd, const char *const *words)
{
    static const char *const which[] = {"message 1", "message 2", "message 3", "message 4"};

    ck_assert_int_eq(step(state, number, fd), IVFLAT_ERR_PROTOCOL);
    ck_assert_msg(strstr(ivflat_last_error(), which[state]), "which message? %s", ivflat_last_error());
    for (; *words; words++) {
        ck_assert_msg(strstr(ivflat_last_error(), *words), "\"%s\" is not in: %s", *words, ivflat_last_error());
    }
}

START_TEST(P3_the_version_is_0_and_comes_alone)
{
    expect_event(IVF_SESSION_VERSION, 0, IVF_FD_NONE, IVF_EVENT_VERSION);
    ck_assert_int_eq(session.state, IVF_SESSION_ID);
    expect_error(IVF_SESSION_VERSION, 0, FD, "version", "descriptor");
}
END_TEST

START_TEST(P3_another_version_is_named)
{
    expect_error(IVF_SESSION_VERSION, 1, IVF_FD_NONE, "version 1");
    expect_error(IVF_SESSION_VERSION, 77, IVF_FD_NONE, "version 77");
    expect_error(IVF_SESSION_VERSION, 65536, IVF_FD_NONE, "version 65536");
    expect_error(IVF_SESSION_VERSION, INT64_MIN, IVF_FD_NONE, "-9223372036854775808");
    expect_error(IVF_SESSION_VERSION, 1, FD, "version 1");
}
END_TEST

/* Before QEMU 2.5 the first number was the id, or -1 with the memory; and an id of 0 looks like a version. */
START_TEST(P3_a_server_without_versions_is_told)
{
    expect_error(IVF_SESSION_VERSION, -1, FD, "QEMU 2.5", "where the version belongs");
    expect_error(IVF_SESSION_VERSION, -1, IVF_FD_NONE, "QEMU 2.5");
    expect_error(IVF_SESSION_VERSION, 5, IVF_FD_NONE, "QEMU 2.5");
    expect_error(IVF_SESSION_ID, -1, FD, "QEMU 2.5");
}
END_TEST

START_TEST(P4_any_id_from_0_to_65535)
{
    expect_event(IVF_SESSION_ID, 0, IVF_FD_NONE, IVF_EVENT_ID);
    expect_event(IVF_SESSION_ID, 1, IVF_FD_NONE, IVF_EVENT_ID);
    expect_event(IVF_SESSION_ID, 65535, IVF_FD_NONE, IVF_EVENT_ID);
    ck_assert_int_eq(session.id, 65535);
    ck_assert_int_eq(session.state, IVF_SESSION_MEMORY);
}
END_TEST

START_TEST(P4_the_id_comes_alone)
{
    expect_error(IVF_SESSION_ID, 3, FD, "descriptor", "3");
}
END_TEST

START_TEST(P4_no_other_number_is_an_id)
{
    expect_error(IVF_SESSION_ID, 65536, IVF_FD_NONE, "65536", "0..65535");
    expect_error(IVF_SESSION_ID, INT64_MAX, IVF_FD_NONE, "9223372036854775807");
    expect_error(IVF_SESSION_ID, -2, IVF_FD_NONE, "-2");
    expect_error(IVF_SESSION_ID, (int64_t)1 << 32, IVF_FD_NONE, "4294967296");
    expect_error(IVF_SESSION_ID, 65536, FD, "65536");
}
END_TEST

START_TEST(P5_the_third_is_minus_1_with_the_memory)
{
    expect_event(IVF_SESSION_MEMORY, -1, FD, IVF_EVENT_MEMORY);
    ck_assert_int_eq(session.state, IVF_SESSION_PEERS);

    expect_error(IVF_SESSION_MEMORY, -1, IVF_FD_NONE, "memory", "without a descriptor");
}
END_TEST

START_TEST(P5_nothing_else_comes_before_the_memory)
{
    expect_error(IVF_SESSION_MEMORY, 4, FD, "memory", "4");
    expect_error(IVF_SESSION_MEMORY, 4, IVF_FD_NONE, "memory");
    expect_error(IVF_SESSION_MEMORY, 3, FD, "memory");
    expect_error(IVF_SESSION_MEMORY, 0, IVF_FD_NONE, "memory");
    expect_error(IVF_SESSION_MEMORY, -2, FD, "-2");
    expect_error(IVF_SESSION_MEMORY, 65536, FD, "65536");
}
END_TEST

START_TEST(P5_the_memory_comes_once)
{
    expect_error(IVF_SESSION_PEERS, -1, FD, "memory", "second");
    expect_error(IVF_SESSION_PEERS, -1, IVF_FD_NONE, "memory");
}
END_TEST

START_TEST(P6_an_id_with_a_descriptor_is_a_vector)
{
    expect_event(IVF_SESSION_PEERS, 0, FD, IVF_EVENT_VECTOR);
    expect_event(IVF_SESSION_PEERS, 4, FD, IVF_EVENT_VECTOR);
    expect_event(IVF_SESSION_PEERS, 65535, FD, IVF_EVENT_VECTOR);
    expect_event(IVF_SESSION_PEERS, 3, FD, IVF_EVENT_VECTOR);
    ck_assert_int_eq(session.state, IVF_SESSION_PEERS);
}
END_TEST

START_TEST(P9_any_id_may_leave)
{
    expect_event(IVF_SESSION_PEERS, 0, IVF_FD_NONE, IVF_EVENT_LEAVE);
    expect_event(IVF_SESSION_PEERS, 65535, IVF_FD_NONE, IVF_EVENT_LEAVE);
}
END_TEST

START_TEST(P10_our_own_id_does_not_leave)
{
    expect_error(IVF_SESSION_PEERS, 3, IVF_FD_NONE, "our own id", "3");
}
END_TEST

START_TEST(P12_a_number_that_is_no_id)
{
    expect_error(IVF_SESSION_PEERS, 65536, FD, "65536", "0..65535");
    expect_error(IVF_SESSION_PEERS, 65536, IVF_FD_NONE, "65536");
    expect_error(IVF_SESSION_PEERS, -2, FD, "-2");
    expect_error(IVF_SESSION_PEERS, -2, IVF_FD_NONE, "-2");
    expect_error(IVF_SESSION_PEERS, (int64_t)1 << 32, FD, "4294967296");
    expect_error(IVF_SESSION_PEERS, INT64_MIN, FD, "-9223372036854775808");
    expect_error(IVF_SESSION_PEERS, INT64_MAX, FD, "9223372036854775807");
}
END_TEST

/* The loop's number is the state. */
START_TEST(P13_two_descriptors_with_one_message)
{
    static const int64_t right[] = {0, 3, -1, 4};

    expect_error((enum ivf_session_state)_i, right[_i], IVF_FD_MANY, "more than one descriptor");
}
END_TEST

/* Also where a message without a descriptor would be right: it says nothing of what was lost. */
START_TEST(P14_a_lost_descriptor)
{
    static const int64_t right[] = {0, 3, -1, 4};

    expect_error((enum ivf_session_state)_i, right[_i], IVF_FD_LOST, "lost", "MSG_CTRUNC", "open files");
}
END_TEST

static void expect_closed(enum ivf_session_state state, uint32_t bytes, const char *where, const char *message)
{
    begin_at(state);
    ck_assert_int_eq(ivf_session_closed(&session, bytes), IVFLAT_ERR_CLOSED);
    ck_assert_msg(strstr(ivflat_last_error(), where), "\"%s\" is not in: %s", where, ivflat_last_error());
    ck_assert_msg(strstr(ivflat_last_error(), message), "\"%s\" is not in: %s", message, ivflat_last_error());
}

START_TEST(P17_the_end_says_where)
{
    expect_closed(IVF_SESSION_VERSION, 0, "in the greeting", "version");
    expect_closed(IVF_SESSION_ID, 0, "in the greeting", "after message 1");
    expect_closed(IVF_SESSION_MEMORY, 0, "in the greeting", "after message 2");
    expect_closed(IVF_SESSION_PEERS, 0, "closed the link after", "message 3");
}
END_TEST

/* The loop's number is how many bytes were there. */
START_TEST(P17_the_end_in_a_message_says_so)
{
    expect_closed(IVF_SESSION_VERSION, (uint32_t)_i, "in the middle of message", "message 1");
    expect_closed(IVF_SESSION_MEMORY, (uint32_t)_i, "in the middle of message", "message 3");
    expect_closed(IVF_SESSION_PEERS, (uint32_t)_i, "in the middle of message", "message 4");
}
END_TEST

START_TEST(P18_a_new_session_knows_nothing_of_the_last)
{
    begin_at(IVF_SESSION_PEERS);
    ivf_session_begin(&session);
    ck_assert_int_eq(session.id, -1);
    expect_event(IVF_SESSION_VERSION, 0, IVF_FD_NONE, IVF_EVENT_VERSION);
}
END_TEST

START_TEST(the_message_is_counted_from_1)
{
    begin_at(IVF_SESSION_PEERS);
    for (int i = 0; i < 100; i++) {
        ck_assert_int_eq(ivf_session_step(&session, 7, FD, &event), 0);
    }
    ck_assert_int_eq(ivf_session_step(&session, -1, FD, &event), IVFLAT_ERR_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "message 104"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("session");
    TCase *tcase = suite_case(suite, "greeting");

    tcase_add_test(tcase, P3_the_version_is_0_and_comes_alone);
    tcase_add_test(tcase, P3_another_version_is_named);
    tcase_add_test(tcase, P3_a_server_without_versions_is_told);
    tcase_add_test(tcase, P4_any_id_from_0_to_65535);
    tcase_add_test(tcase, P4_the_id_comes_alone);
    tcase_add_test(tcase, P4_no_other_number_is_an_id);
    tcase_add_test(tcase, P5_the_third_is_minus_1_with_the_memory);
    tcase_add_test(tcase, P5_nothing_else_comes_before_the_memory);
    tcase = suite_case(suite, "peers");
    tcase_add_test(tcase, P5_the_memory_comes_once);
    tcase_add_test(tcase, P6_an_id_with_a_descriptor_is_a_vector);
    tcase_add_test(tcase, P9_any_id_may_leave);
    tcase_add_test(tcase, P10_our_own_id_does_not_leave);
    tcase_add_test(tcase, P12_a_number_that_is_no_id);
    tcase = suite_case(suite, "any state");
    tcase_add_loop_test(tcase, P13_two_descriptors_with_one_message, 0, 4);
    tcase_add_loop_test(tcase, P14_a_lost_descriptor, 0, 4);
    tcase_add_test(tcase, P17_the_end_says_where);
    tcase_add_loop_test(tcase, P17_the_end_in_a_message_says_so, 1, 8);
    tcase_add_test(tcase, P18_a_new_session_knows_nothing_of_the_last);
    tcase_add_test(tcase, the_message_is_counted_from_1);
    return suite_run(suite);
}
