/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers and vectors as the hooks see them: coming, being rung, going; and what a hostile peer can do to a vector. */
#include "story.h"

#include <string.h>

static struct story story;

static void begin(ivflat_config config)
{
    config.struct_size = sizeof(config);
    config.trusted_peers = 1;
    story_begin(&story, &config);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
}

static uint64_t counted(uint32_t which)
{
    return ivflat_device_counter(story.dev, which);
}

/* Pairing --------------------------------------------------------------------------------------------------------- */

START_TEST(P10_what_was_taken_is_removed_and_nothing_else)
{
    begin((ivflat_config){.max_vectors = 2});
    story.record.bindings = true;
    story.record.bind_doorbells = 1;
    story_sends(&story, "4 eventfd");
    story_expect(&story, "doorbell 4:0 added; peer 4 1");
    story.record.bind_doorbells = 0;
    story_sends(&story, "4 eventfd", "4 eventfd");
    story_expect(&story, "doorbell 4:1 added; peer 4 2");
    story_sends(&story, "4");
    story_expect(&story, "doorbell 4:0 removed; peer 4 0");
    story.record.take_vectors = 1;
    story_sends(&story, "3 eventfd");
    story_expect(&story, "vector 0 added; doorbell 3:0 added");
    story.record.take_vectors = 0;
    story.record.bind_doorbells = 1;
    story_sends(&story, "3 eventfd", "3 eventfd");
    story_expect(&story, "vector 1 added; doorbell 3:1 added");
    ivflat_device_disconnect(story.dev);
    record_expect(&story.record, "down asked; vector 0 removed; doorbell 3:1 removed");
}
END_TEST

/* KVM's irqfd: interrupt() is not called for it, and what waits in it stays there. */
START_TEST(P21_a_vector_that_was_taken_is_left_alone)
{
    begin((ivflat_config){0});
    story.record.take_vectors = 1;
    story_sends(&story, "3 eventfd:5", "3 pipe");
    story_expect(&story, "");
    ck_assert_uint_eq(take_count(story_fd(&story, 3, 0)), 5);
    story_be_rung(&story, 0, 2);
    story_be_rung(&story, 1, 2);
    story_expect(&story, "");
    ck_assert_uint_eq(take_count(story_fd(&story, 3, 0)), 2);
    ck_assert_uint_eq(counted(IVFLAT_COUNT_RINGS_RECEIVED), 0);
}
END_TEST

START_TEST(P21_a_ring_from_before_is_delivered)
{
    begin((ivflat_config){0});
    story_sends(&story, "3 eventfd:7", "3 eventfd:2");
    story_settle(&story);
    ck_assert(record_take(&story.record, "interrupt 0 7") || record_take(&story.record, "interrupt 1 2"));
    ck_assert(record_take(&story.record, "interrupt 0 7") || record_take(&story.record, "interrupt 1 2"));
    ck_assert_uint_eq(counted(IVFLAT_COUNT_RINGS_RECEIVED), 9);
}
END_TEST

START_TEST(revision_0_asks_for_no_vector)
{
    begin((ivflat_config){.revision0 = 1});
    story.record.bindings = true;
    story.record.take_vectors = 1;
    story_sends(&story, "3 eventfd", "4 eventfd");
    story_expect(&story, "doorbell 3:0 added; doorbell 4:0 added; peer 4 1");
}
END_TEST

START_TEST(without_interrupts_there_are_no_peers)
{
    begin((ivflat_config){.no_interrupts = 1});
    story.record.bindings = true;
    story.record.take_vectors = 1;
    story_sends(&story, "3 eventfd", "4 eventfd", "4", "5");
    story_expect(&story, "");
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, -1), -1);
}
END_TEST

/* A guest that rings from the hook that removes: the peer is gone already, and nothing stale is touched. */
static void ring_all(struct record *record, const char *hook)
{
    (void)record, (void)hook;
    story_ring(&story, 4, 0);
    story_ring(&story, 4, 1);
}

START_TEST(P10_a_ring_from_the_hook_that_removes)
{
    static const char *const hooks[] = {"doorbell_removed", "peer_changed"};

    begin((ivflat_config){0});
    story.record.bind_doorbells = 1;
    story_sends(&story, "4 eventfd", "4 eventfd");
    story_expect(&story, "peer 4 1; peer 4 2");
    story.record.inside_hook = hooks[_i];
    story.record.inside = ring_all;
    story_sends(&story, "4");
    story_expect(&story, "peer 4 0");
    ck_assert_uint_eq(counted(IVFLAT_COUNT_RINGS_SENT), 0);
    ck_assert_uint_ge(counted(IVFLAT_COUNT_RINGS_IGNORED), 2);
}
END_TEST

/* Numbers --------------------------------------------------------------------------------------------------------- */

START_TEST(P8_64_vectors_unless_said)
{
    begin((ivflat_config){0});
    for (int i = 0; i < 66; i++) {
        uint32_t before = count_fds();

        story_sends(&story, "4 eventfd");
        story_settle(&story);
        ck_assert_uint_eq(count_fds(), before + (i < 64 ? 2 : 1)); /* the story keeps one: the surplus is closed */
    }
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 4), 64);
    ck_assert_uint_eq(counted(IVFLAT_COUNT_VECTORS_REFUSED), 2);
    record_expect_text(story.record.traced, "vector_refused 4 64 0");
    story_ring(&story, 4, 63);
    ck_assert_uint_eq(story_rung(&story, 4, 63), 1);
    g_string_truncate(story.record.said, 0);
}
END_TEST

START_TEST(P8_one_vector)
{
    begin((ivflat_config){.max_vectors = 1});
    story_sends(&story, "4 eventfd", "4 eventfd", "3 eventfd", "3 eventfd");
    story_expect(&story, "peer 4 1");
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 3), 1);
}
END_TEST

START_TEST(P10_ids_0_and_65535)
{
    begin((ivflat_config){0});
    story_sends(&story, "65535 eventfd", "0 eventfd", "65535 eventfd", "0", "65535");
    story_expect(&story, "peer 65535 1; peer 0 1; peer 65535 2; peer 0 0; peer 65535 0");
}
END_TEST

START_TEST(P11_an_id_that_comes_back_a_hundred_times)
{
    begin((ivflat_config){0});
    for (int i = 0; i < 100; i++) {
        story_sends(&story, "4 eventfd", "4 eventfd");
        story_settle(&story);
        story_ring(&story, 4, 1);
        ck_assert_uint_eq(story_rung(&story, 4, 1), 1);
        story_sends(&story, "4");
        story_expect(&story, "peer 4 1; peer 4 2; peer 4 0");
    }
}
END_TEST

START_TEST(P9_a_leave_never_announced_is_traced)
{
    begin((ivflat_config){0});
    story_sends(&story, "9");
    story_expect(&story, "");
    record_expect_text(story.record.traced, "peer_left 9 0 0");
}
END_TEST

START_TEST(several_devices_ring_each_other)
{
    static struct story other;
    ivflat_config config = {.struct_size = sizeof(config), .trusted_peers = 1};
    int bell = make_eventfd();
    uint8_t four[8] = {4}, three[8] = {3};
    int32_t fds[2] = {bell, dup_fd(bell)};

    story_init(&story, &config);
    story_init(&other, &config);
    story.way = other.way = STORY_FEED;
    story_connect(&story);
    story_connect(&other);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_sends(&other, "0", "4", "-1 memory 4096");
    ck_assert_int_eq(ivflat_device_feed(story.dev, four, 8, &fds[0], 1), 0);
    ck_assert_int_eq(ivflat_device_feed(other.dev, four, 8, &fds[1], 1), 0);
    story_ring(&story, 4, 0);
    story_ring(&story, 4, 0);
    story_expect(&other, "memory 4096; ready; interrupt 0 2");
    story_expect(&story, "memory 4096; ready; peer 4 1");
    ck_assert_int_eq(ivflat_device_feed(other.dev, three, 8, NULL, 0), 0);
}
END_TEST

/* Hostile peers --------------------------------------------------------------------------------------------------- */

START_TEST(C3_a_full_counter_does_not_block)
{
    begin((ivflat_config){0});
    story_sends(&story, "4 eventfd", "3 eventfd");
    story_expect(&story, "peer 4 1");
    add_count(story_fd(&story, 4, 0), UINT64_MAX - 1);
    for (int i = 0; i < 10; i++) {
        story_ring(&story, 4, 0);
    }
    ck_assert(is_readable(story_fd(&story, 4, 0)));
    add_count(story_fd(&story, 3, 0), UINT64_MAX - 1);
    story_settle(&story);
    ck_assert_uint_ge(counted(IVFLAT_COUNT_RINGS_RECEIVED), INT64_MAX);
    record_expect_text(story.record.said, "interrupt 0 ");
    g_string_truncate(story.record.said, 0);
}
END_TEST

START_TEST(C3_a_pipe_without_a_reader_is_a_broken_vector)
{
    begin((ivflat_config){0});
    story_sends(&story, "4 pipe", "4 eventfd");
    story_expect(&story, "peer 4 1; peer 4 2");
    story_drop_fd(&story, 4, 0);
    g_string_truncate(story.record.traced, 0);
    story_ring(&story, 4, 0); /* SIGPIPE kills nobody */
    story_ring(&story, 4, 1);
    ck_assert_str_eq(story.record.traced->str, "ring_failed 4 0 32\nring 4 1 0\n"); /* EPIPE */
    ck_assert_uint_eq(story_rung(&story, 4, 1), 1);
    ck_assert_uint_eq(counted(IVFLAT_COUNT_RINGS_IGNORED), 1);
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 4), 2);
}
END_TEST

START_TEST(P16_what_is_neither_is_closed_with_a_warning)
{
    static const char *const messages[] = {"4 socket", "4 file", "4 memory 4096"};

    begin((ivflat_config){0});
    story_sends(&story, messages[_i], "4 eventfd");
    story_expect(&story, "peer 4 1; peer 4 2");
    record_expect_text(story.record.logged, "warning: vector 0 of peer 4 is closed");
    ck_assert_uint_eq(counted(IVFLAT_COUNT_VECTORS_REFUSED), 1);
    story_ring(&story, 4, 0);
    record_expect_text(story.record.traced, "ring_failed 4 0");
    story_ring(&story, 4, 1);
    ck_assert_uint_eq(story_rung(&story, 4, 1), 1);
}
END_TEST

/* Ours: nobody is told of it, and nothing spins. */
START_TEST(P16_our_own_that_is_neither)
{
    static const char *const messages[] = {"3 socket", "3 file", "3 memory 4096"};

    begin((ivflat_config){0});
    story.record.bindings = true;
    story_sends(&story, messages[_i], "3 eventfd");
    story_expect(&story, "vector 1 added; doorbell 3:1 added");
    story_be_rung(&story, 1, 1);
    story_expect(&story, "interrupt 1 1");
}
END_TEST

/* A pipe whose writers are gone is at its end for ever: epoll would report it for ever. */
START_TEST(P16_our_own_pipe_at_its_end)
{
    begin((ivflat_config){0});
    story.record.bindings = true;
    story.record.bind_doorbells = 1;
    story_sends(&story, "3 pipe", "3 eventfd");
    story_expect(&story, "vector 0 added; doorbell 3:0 added; vector 1 added; doorbell 3:1 added");
    story_be_rung(&story, 0, 2);
    story_drop_fd(&story, 3, 0);
    story_expect(&story, "interrupt 0 2; doorbell 3:0 removed");
    record_expect_text(story.record.logged, "warning: vector 0 of our own id 3 is closed");
    story_ring(&story, 3, 0);
    story_be_rung(&story, 1, 1);
    story_expect(&story, "interrupt 1 1");
}
END_TEST

/* A count that somebody else took, or O_NONBLOCK cleared: reading it does not block. */
START_TEST(P16_another_reader_was_quicker)
{
    begin((ivflat_config){0});
    story_sends(&story, "3 eventfd", "3 pipe");
    story_settle(&story);
    set_nonblock(story_fd(&story, 3, 0), false);
    set_nonblock(story_fd(&story, 3, 1), false);
    story_be_rung(&story, 0, 1);
    ck_assert_int_eq(ivflat_device_wait(story.dev, PATIENCE_MS), 1);
    take_count(story_fd(&story, 3, 0));
    ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
    story_be_rung(&story, 0, 2);
    story_be_rung(&story, 1, 2);
    story_settle(&story);
    ck_assert(record_take(&story.record, "interrupt 0 2") || record_take(&story.record, "interrupt 1 2"));
    ck_assert(record_take(&story.record, "interrupt 0 2") || record_take(&story.record, "interrupt 1 2"));
}
END_TEST

/* Shared with every other holder: the default way of ringing leaves it as it was. */
START_TEST(P16_the_flags_of_an_eventfd_are_left_alone)
{
    story_begin(&story, NULL);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_settle(&story);
    for (int i = 0; i < 2; i++) {
        struct raw_message message = raw_parse(i ? "3 eventfd" : "4 eventfd", 3);

        set_nonblock(message.fds[0], false);
        raw_send(story.server, message.bytes, 8, message.fds, 1);
        raw_close(&message);
        story_settle(&story);
        story_ring(&story, i ? 3 : 4, 0);
        story_settle(&story);
        ck_assert(!get_nonblock(message.ends[0]));
        close_fd(message.ends[0]);
    }
    story_expect(&story, "memory 4096; ready; peer 4 1; interrupt 0 1");
}
END_TEST

/* P16: the server and every peer hold the same open file: closed, it is not reported for ever. */
START_TEST(P16_a_vector_that_is_gone_is_watched_no_more)
{
    begin((ivflat_config){0});
    story_sends(&story, "3 eventfd");
    story_settle(&story);
    ivflat_device_disconnect(story.dev);
    record_expect(&story.record, "down asked");
    story_be_rung(&story, 0, 1);
    ck_assert_int_eq(ivflat_device_wait(story.dev, 0), 0);
}
END_TEST

/* Storms ---------------------------------------------------------------------------------------------------------- */

struct storm {
    int bell;
    uint32_t rings;
};

static int ring_flat_out(void *argument)
{
    struct storm *storm = argument;

    for (uint32_t i = 0; i < storm->rings; i++) {
        add_count(storm->bell, 1);
    }
    return 0;
}

START_TEST(R8_the_sum_of_a_storm_is_exact)
{
    struct storm storm = {.rings = 20000};
    int children[3];

    begin((ivflat_config){0});
    story_sends(&story, "3 eventfd");
    story_settle(&story);
    storm.bell = story_fd(&story, 3, 0);
    for (int i = 0; i < 3; i++) {
        children[i] = run_child(ring_flat_out, &storm);
    }
    while (counted(IVFLAT_COUNT_RINGS_RECEIVED) < 60000) {
        ck_assert_int_eq(ivflat_device_wait(story.dev, PATIENCE_MS), 1);
        ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
    }
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(join_child(children[i]), 0);
    }
    ck_assert_uint_eq(counted(IVFLAT_COUNT_RINGS_RECEIVED), 60000);
    ck_assert_int_eq(ivflat_device_wait(story.dev, 0), 0);
    g_string_truncate(story.record.said, 0);
}
END_TEST

/* A peer that rings while it is served: each vector once in a dispatch. */
static void ring_again(struct record *record, const char *hook)
{
    (void)record, (void)hook;
    story_be_rung(&story, 0, 1);
    story_be_rung(&story, 1, 1);
}

START_TEST(a_peer_that_never_stops_holds_up_nobody)
{
    begin((ivflat_config){0});
    story_sends(&story, "3 eventfd", "3 pipe");
    story_settle(&story);
    story.record.inside_hook = "interrupt";
    story.record.inside = ring_again;
    story_be_rung(&story, 0, 1);
    for (int i = 0; i < 100; i++) {
        uint64_t before = story.record.said->len;

        ck_assert_int_eq(ivflat_device_wait(story.dev, 0), 1);
        ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
        ck_assert_uint_le(story.record.said->len - before, 2 * strlen("; interrupt 0 100"));
    }
    story.record.inside = NULL;
    story_settle(&story);
    g_string_truncate(story.record.said, 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: vectors");
    TCase *tcase = suite_case(suite, "pairing");

    tcase_add_test(tcase, P10_what_was_taken_is_removed_and_nothing_else);
    tcase_add_test(tcase, P21_a_vector_that_was_taken_is_left_alone);
    tcase_add_test(tcase, P21_a_ring_from_before_is_delivered);
    tcase_add_test(tcase, revision_0_asks_for_no_vector);
    tcase_add_test(tcase, without_interrupts_there_are_no_peers);
    tcase_add_loop_test(tcase, P10_a_ring_from_the_hook_that_removes, 0, 2);
    tcase = suite_case(suite, "numbers");
    tcase_add_test(tcase, P8_64_vectors_unless_said);
    tcase_add_test(tcase, P8_one_vector);
    tcase_add_test(tcase, P10_ids_0_and_65535);
    tcase_add_test(tcase, P11_an_id_that_comes_back_a_hundred_times);
    tcase_add_test(tcase, P9_a_leave_never_announced_is_traced);
    tcase_add_test(tcase, several_devices_ring_each_other);
    tcase = suite_case(suite, "hostile peers");
    tcase_add_test(tcase, C3_a_full_counter_does_not_block);
    tcase_add_test(tcase, C3_a_pipe_without_a_reader_is_a_broken_vector);
    tcase_add_loop_test(tcase, P16_what_is_neither_is_closed_with_a_warning, 0, 3);
    tcase_add_loop_test(tcase, P16_our_own_that_is_neither, 0, 3);
    tcase_add_test(tcase, P16_our_own_pipe_at_its_end);
    tcase_add_test(tcase, P16_another_reader_was_quicker);
    tcase_add_test(tcase, P16_the_flags_of_an_eventfd_are_left_alone);
    tcase_add_test(tcase, P16_a_vector_that_is_gone_is_watched_no_more);
    tcase = suite_case(suite, "storms");
    tcase_add_test(tcase, R8_the_sum_of_a_storm_is_exact);
    tcase_add_test(tcase, a_peer_that_never_stops_holds_up_nobody);
    return suite_run(suite);
}
