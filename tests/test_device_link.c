/* SPDX-License-Identifier: BSD-3-Clause */
/* The link to the server, both ways, and what the caller or the server does wrong on it. */
#include "story.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct story story;
static ivflat_config config;

static void init(enum story_way way)
{
    config = (ivflat_config){.struct_size = sizeof(config), .trusted_peers = 1};
    story_init(&story, &config);
    story.way = way;
}

static void expect_error(int32_t result, int32_t error, const char *words)
{
    ck_assert_int_eq(result, error);
    ck_assert_msg(strstr(ivflat_last_error(), words), "\"%s\" is not in: %s", words, ivflat_last_error());
}

#define WAYS 3 /* the loop's number is the way */

/* P1, P6: seen from QEMU's server, 2 vectors, second client. */
START_TEST(P6_a_whole_greeting)
{
    init((enum story_way)_i);
    story_connect(&story);
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_GREETING);
    story_sends(&story, "0", "1", "-1 memory 4096", "0 eventfd", "0 eventfd", "1 eventfd", "1 eventfd");
    story_expect(&story, "memory 4096; ready; peer 0 1; peer 0 2");
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_READY);
    ck_assert_int_eq(ivflat_device_id(story.dev), 1);
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, -1), 0);
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, 0), 1);
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, 1), -1);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_MESSAGES), 7);
    ivflat_device_disconnect(story.dev);
    record_expect(&story.record, "down asked; peer 0 0");
    ck_assert_str_eq(story.record.reason, "");
    ck_assert_int_eq(ivflat_device_id(story.dev), 1);
    ck_assert_uint_eq(ivflat_device_memory_size(story.dev), 4096);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_LINK_LOSSES), 0);
}
END_TEST

/* P2: messages that lie in the socket together, read with one large call, would give the wrong descriptors. */
START_TEST(P2_a_greeting_that_lies_ready_as_a_whole)
{
    init(STORY_ADOPT);
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 memory 4096", "4 eventfd", "5", "6 eventfd", "4 eventfd", "6");
    story_expect(&story, "memory 4096; ready; peer 4 1; peer 6 1; peer 4 2; peer 6 0");
    story_ring(&story, 4, 1);
    ck_assert_uint_eq(story_rung(&story, 4, 1), 1);
    ck_assert_uint_eq(story_rung(&story, 4, 0), 0);
}
END_TEST

/* Half a message was read, and the rest lies there with the next: only the rest is asked for. */
START_TEST(P2_no_more_than_the_message_lacks)
{
    struct raw_message first = raw_parse("4 eventfd", 3), second = raw_parse("5 eventfd", 3);

    init(STORY_ADOPT);
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
    raw_send(story.server, first.bytes, 5, first.fds, 1);
    story_settle(&story);
    raw_send(story.server, first.bytes + 5, 3, NULL, 0);
    raw_send(story.server, second.bytes, 3, NULL, 0);
    story_settle(&story);
    raw_send(story.server, second.bytes + 3, 5, second.fds, 1);
    story_expect(&story, "peer 4 1; peer 5 1");
    story_ring(&story, 5, 0);
    ck_assert_uint_eq(take_count(second.ends[0]), 1);
    ck_assert_uint_eq(take_count(first.ends[0]), 0);
    raw_close(&first);
    raw_close(&second);
    close_fd(first.ends[0]);
    close_fd(second.ends[0]);
}
END_TEST

/* P19: what ends the link closes the server's socket; story_settle() looks. */
START_TEST(P19_both_sides_close_on_an_error)
{
    init((enum story_way)_i);
    story_connect(&story);
    story_sends(&story, "7");
    story_expect(&story, "down protocol");
    ck_assert_int_eq(story.error, IVFLAT_ERR_PROTOCOL);
    ck_assert_uint_eq(ivflat_device_wants(story.dev), 0);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_LINK_LOSSES), 1);
    record_expect_text(story.record.logged, "error: server speaks version 7");
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
}
END_TEST

/* Over a real socket the device reads on to the end, not only to the first lot. */
START_TEST(P17_what_came_before_the_end_counts)
{
    init(STORY_CONNECT);
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 memory 4096", "4 eventfd");
    story_close(&story);
    story_expect(&story, "memory 4096; ready; peer 4 1; down closed");
    ck_assert_ptr_nonnull(strstr(story.record.reason, "after message 4"));
}
END_TEST

/* A server that closes with a byte of ours unread gives ECONNRESET and not an end of file. */
START_TEST(P17_a_reset_is_an_end)
{
    int ends[2];

    init(STORY_ADOPT);
    make_socketpair(ends);
    ck_assert_int_eq(write(ends[1], "x", 1), 1); /* what the device's socket once sent */
    ck_assert_int_eq(ivflat_device_adopt(story.dev, ends[1]), 0);
    close_fd(ends[0]);
    story_expect(&story, "greeting; down closed");
}
END_TEST

/* Out of order ---------------------------------------------------------------------------------------------------- */

START_TEST(only_while_down)
{
    int ends[2];

    init((enum story_way)_i);
    story_connect(&story);
    make_socketpair(ends);
    expect_error(ivflat_device_connect(story.dev, "/nowhere"), IVFLAT_ERR_INVALID, "link is up");
    expect_error(ivflat_device_adopt(story.dev, ends[0]), IVFLAT_ERR_INVALID, "link is up");
    expect_error(ivflat_device_begin(story.dev), IVFLAT_ERR_INVALID, "link is up");
    ck_assert_msg(at_end_of_file(ends[1]), "given is closed");
    close_fd(ends[1]);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
}
END_TEST

START_TEST(the_other_ways_calls_do_nothing)
{
    uint8_t bytes[8] = {0};
    int32_t fd = make_eventfd();

    init(STORY_ADOPT);
    story_connect(&story);
    ck_assert_uint_eq(ivflat_device_wants(story.dev), 0);
    expect_error(ivflat_device_feed(story.dev, bytes, 8, &fd, 1), IVFLAT_ERR_INVALID, "begin");
    ck_assert(!is_open(fd));
    ivflat_device_end(story.dev);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
    ivflat_device_disconnect(story.dev);
    ivflat_device_end(story.dev);
    ivflat_device_disconnect(story.dev);
    record_expect(&story.record, "down asked");
}
END_TEST

START_TEST(feeding_while_down)
{
    uint8_t bytes[8] = {0};
    int32_t fds[3] = {make_eventfd(), -1, make_eventfd()};

    init(STORY_FEED);
    expect_error(ivflat_device_feed(story.dev, bytes, 8, fds, 3), IVFLAT_ERR_INVALID, "begin");
    ck_assert(!is_open(fds[0]) && !is_open(fds[2]));
    ivflat_device_end(story.dev);
    record_expect(&story.record, "");
}
END_TEST

/* What cannot be ends the link: the stream cannot be followed any more. */
START_TEST(feeding_what_cannot_be)
{
    uint8_t bytes[16] = {0};
    int32_t fd = make_eventfd();

    init(STORY_FEED);
    story_connect(&story);
    if (_i == 0) {
        expect_error(ivflat_device_feed(story.dev, NULL, 3, &fd, 1), IVFLAT_ERR_INVALID, "NULL");
    } else if (_i == 1) {
        close_fd(fd);
        expect_error(ivflat_device_feed(story.dev, bytes, 3, NULL, 1), IVFLAT_ERR_INVALID, "NULL");
    } else if (_i == 2) {
        expect_error(ivflat_device_feed(story.dev, bytes, 9, &fd, 1), IVFLAT_ERR_INVALID, "lacks 8");
    } else {
        ck_assert_int_eq(ivflat_device_feed(story.dev, bytes, 5, NULL, 0), 0);
        ck_assert_uint_eq(ivflat_device_wants(story.dev), 3);
        expect_error(ivflat_device_feed(story.dev, bytes, 4, &fd, 1), IVFLAT_ERR_INVALID, "lacks 3");
    }
    ck_assert(!is_open(fd));
    story_expect(&story, "down invalid");
    ck_assert_uint_eq(ivflat_device_wants(story.dev), 0);
}
END_TEST

/* No bytes and no descriptors are nothing; a descriptor alone waits for its message's bytes. */
START_TEST(feeding_nothing)
{
    struct raw_message memory;

    init(STORY_FEED);
    story_connect(&story);
    ck_assert_int_eq(ivflat_device_feed(story.dev, NULL, 0, NULL, 0), 0);
    story_sends(&story, "0", "3");
    memory = raw_parse("-1 memory 4096", 3);
    ck_assert_int_eq(ivflat_device_feed(story.dev, NULL, 0, memory.fds, 1), 0);
    ck_assert_uint_eq(ivflat_device_wants(story.dev), 8);
    ck_assert_int_eq(ivflat_device_feed(story.dev, memory.bytes, 8, NULL, 0), 0);
    story_expect(&story, "memory 4096; ready");
    close_fd(memory.ends[0]);
}
END_TEST

/* begin() forgets half a message, and its descriptor. */
START_TEST(beginning_forgets_half_a_message)
{
    init(STORY_FEED);
    story_connect(&story);
    story_send_part(&story, "0 eventfd", 5);
    ck_assert_uint_eq(ivflat_device_wants(story.dev), 3);
    story_close(&story);
    story_expect(&story, "down closed");
    story_connect(&story);
    ck_assert_uint_eq(ivflat_device_wants(story.dev), 8);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
}
END_TEST

START_TEST(adopting_what_is_no_socket)
{
    static const char *const what[] = {"-1", "closed", "eventfd", "datagrams", "not connected"};
    int fd = -1;

    init(STORY_ADOPT);
    if (_i == 1) {
        fd = 9999;
    } else if (_i == 2) {
        fd = make_eventfd();
    } else if (_i == 3) {
        int ends[2];

        ck_assert_int_eq(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends), 0);
        close_fd(ends[1]);
        fd = ends[0];
    } else if (_i == 4) {
        fd = socket(AF_UNIX, SOCK_STREAM, 0);
    }
    ck_assert_msg(ivflat_device_adopt(story.dev, fd) == IVFLAT_ERR_INVALID, "%s was adopted", what[_i]);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "no connected UNIX stream socket"));
    ck_assert(fd < 0 || !is_open(fd));
    record_expect(&story.record, "");
}
END_TEST

/* O_NONBLOCK is shared with whoever has the socket too: it is left as it was. */
START_TEST(adopting_leaves_the_flags_of_the_socket)
{
    int ends[2], copy;

    init(STORY_ADOPT);
    make_socketpair(ends);
    copy = dup_fd(ends[1]);
    ck_assert_int_eq(ivflat_device_adopt(story.dev, ends[1]), 0);
    ck_assert(!get_nonblock(copy));
    ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0); /* nothing there: it does not block */
    close_fd(copy);
    close_fd(ends[0]);
    story_settle(&story);
    record_expect(&story.record, "greeting; down closed");
}
END_TEST

START_TEST(connecting_to_nobody)
{
    init(STORY_CONNECT);
    expect_error(ivflat_device_connect(story.dev, test_path("nobody")), IVFLAT_ERR_SYSTEM, "No such file");
    expect_error(ivflat_device_connect(story.dev, test_folder()), IVFLAT_ERR_SYSTEM, "refused");
    close_fd(raw_listen(test_path("stale"), 1));
    expect_error(ivflat_device_connect(story.dev, test_path("stale")), IVFLAT_ERR_SYSTEM, "refused");
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "stale"));
    record_expect(&story.record, "");
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_DOWN);
    story_connect(&story);
}
END_TEST

/* Greet ----------------------------------------------------------------------------------------------------------- */

START_TEST(greet_waits_until_ready)
{
    init(STORY_CONNECT);
    story_connect(&story);
    expect_error(ivflat_device_greet(story.dev, 0), IVFLAT_ERR_TIMEOUT, "goes on");
    story_sends(&story, "0", "3");
    expect_error(ivflat_device_greet(story.dev, 1), IVFLAT_ERR_TIMEOUT, "goes on");
    story_sends(&story, "-1 memory 4096", "4 eventfd");
    ck_assert_int_eq(ivflat_device_greet(story.dev, -1), 0);
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_READY);
    ck_assert_int_eq(ivflat_device_greet(story.dev, 0), 0);
    story_expect(&story, "memory 4096; ready; peer 4 1");
}
END_TEST

START_TEST(greet_tells_what_ended_the_link)
{
    init(STORY_CONNECT);
    story_connect(&story);
    story_sends(&story, "0", "3");
    close_fd(story.server);
    story.server = -1;
    expect_error(ivflat_device_greet(story.dev, -1), IVFLAT_ERR_CLOSED, "in the greeting");
    record_expect(&story.record, "down closed");
    story_connect(&story);
    story_sends(&story, "1");
    expect_error(ivflat_device_greet(story.dev, -1), IVFLAT_ERR_PROTOCOL, "version 1");
    record_expect(&story.record, "down protocol");
}
END_TEST

START_TEST(greet_has_nothing_to_wait_for)
{
    init(STORY_FEED);
    expect_error(ivflat_device_greet(story.dev, -1), IVFLAT_ERR_INVALID, "no greeting");
    story_connect(&story);
    expect_error(ivflat_device_greet(story.dev, -1), IVFLAT_ERR_INVALID, "feed");
}
END_TEST

/* Bounded --------------------------------------------------------------------------------------------------------- */

/* A server that sent 10,000 messages, and would send more: one dispatch takes a share. */
START_TEST(a_server_that_never_stops_holds_up_nobody)
{
    uint8_t leave[8] = {9};
    uint32_t sent = 0, rounds = 0;

    init(STORY_ADOPT);
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
    while (sent < 10000 && send(story.server, leave, 8, MSG_DONTWAIT) == 8) {
        sent++;
    }
    ck_assert_uint_gt(sent, 200); /* the socket's buffer holds that many */
    while (ivflat_device_counter(story.dev, IVFLAT_COUNT_MESSAGES) < sent + 3) {
        uint64_t before = ivflat_device_counter(story.dev, IVFLAT_COUNT_MESSAGES);

        ck_assert_int_eq(ivflat_device_wait(story.dev, 0), 1); /* what is left keeps it readable */
        ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
        ck_assert_uint_le(ivflat_device_counter(story.dev, IVFLAT_COUNT_MESSAGES) - before, 100);
        rounds++;
    }
    ck_assert_uint_gt(rounds, 1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: link");
    TCase *tcase = suite_case(suite, "both ways");

    tcase_add_loop_test(tcase, P6_a_whole_greeting, 0, WAYS);
    tcase_add_test(tcase, P2_a_greeting_that_lies_ready_as_a_whole);
    tcase_add_test(tcase, P2_no_more_than_the_message_lacks);
    tcase_add_loop_test(tcase, P19_both_sides_close_on_an_error, 0, WAYS);
    tcase_add_test(tcase, P17_what_came_before_the_end_counts);
    tcase_add_test(tcase, P17_a_reset_is_an_end);
    tcase = suite_case(suite, "bad input");
    tcase_add_loop_test(tcase, only_while_down, 0, WAYS);
    tcase_add_test(tcase, the_other_ways_calls_do_nothing);
    tcase_add_test(tcase, feeding_while_down);
    tcase_add_loop_test(tcase, feeding_what_cannot_be, 0, 4);
    tcase_add_test(tcase, feeding_nothing);
    tcase_add_test(tcase, beginning_forgets_half_a_message);
    tcase_add_loop_test(tcase, adopting_what_is_no_socket, 0, 5);
    tcase_add_test(tcase, adopting_leaves_the_flags_of_the_socket);
    tcase_add_test(tcase, connecting_to_nobody);
    tcase = suite_case(suite, "greet");
    tcase_add_test(tcase, greet_waits_until_ready);
    tcase_add_test(tcase, greet_tells_what_ended_the_link);
    tcase_add_test(tcase, greet_has_nothing_to_wait_for);
    tcase = suite_case(suite, "bounded");
    tcase_add_test(tcase, a_server_that_never_stops_holds_up_nobody);
    return suite_run(suite);
}
