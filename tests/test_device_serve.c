/* SPDX-License-Identifier: BSD-3-Clause */
/* An embedder that polls its own vectors itself and leaves the reading to the library. */
#include "story.h"

#include <string.h>

static struct story story;

static void begin(ivflat_config config)
{
    config.struct_size = sizeof(config);
    config.trusted_peers = 1;
    story_begin(&story, &config);
    story.record.take_vectors = 1;
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
}

static void expect_refused(uint32_t vector)
{
    ck_assert_int_eq(ivflat_device_serve(story.dev, vector), IVFLAT_ERR_INVALID);
    ck_assert_msg(strstr(ivflat_last_error(), "none that vector_added() took"), "%s", ivflat_last_error());
}

START_TEST(P21_what_waited_is_served)
{
    begin((ivflat_config){0});
    story_sends(&story, "3 eventfd:5", "3 pipe");
    story_expect(&story, "");
    story_be_rung(&story, 0, 2);
    story_be_rung(&story, 1, 3);
    ck_assert_int_eq(ivflat_device_serve(story.dev, 1), 0);
    record_expect(&story.record, "interrupt 1 3");
    ck_assert_int_eq(ivflat_device_serve(story.dev, 0), 0);
    record_expect(&story.record, "interrupt 0 7");
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_RINGS_RECEIVED), 10);
}
END_TEST

/* Nothing there, or somebody else was quicker: it says nothing, and does not block. */
START_TEST(P16_nothing_to_serve)
{
    begin((ivflat_config){0});
    story_sends(&story, "3 eventfd", "3 pipe");
    story_expect(&story, "");
    set_nonblock(story_fd(&story, 3, 0), false);
    ck_assert_int_eq(ivflat_device_serve(story.dev, 0), 0);
    ck_assert_int_eq(ivflat_device_serve(story.dev, 1), 0);
    record_expect(&story.record, "");
}
END_TEST

START_TEST(what_was_not_taken_is_refused)
{
    begin((ivflat_config){0});
    expect_refused(0);
    story_sends(&story, "3 eventfd");
    story_expect(&story, "");
    story.record.take_vectors = 0;
    story_sends(&story, "3 eventfd");
    story_expect(&story, "");
    story_be_rung(&story, 1, 1);
    expect_refused(1);
    expect_refused(2);
    expect_refused(UINT32_MAX);
    story_expect(&story, "interrupt 1 1");
    ivflat_device_disconnect(story.dev);
    expect_refused(0);
    ck_assert_int_eq(ivflat_device_serve(NULL, 0), IVFLAT_ERR_INVALID);
}
END_TEST

START_TEST(revision_0_has_nothing_to_serve)
{
    begin((ivflat_config){.revision0 = 1});
    story_sends(&story, "3 eventfd");
    story_expect(&story, "");
    expect_refused(0);
}
END_TEST

/* It would be readable for ever; the embedder hears that it is gone, while it is open. */
START_TEST(P16_a_pipe_at_its_end_is_given_back)
{
    begin((ivflat_config){0});
    story.record.bindings = true;
    story_sends(&story, "3 pipe");
    story_expect(&story, "vector 0 added; doorbell 3:0 added");
    story_be_rung(&story, 0, 2);
    story_drop_fd(&story, 3, 0);
    ck_assert_int_eq(ivflat_device_serve(story.dev, 0), 0);
    record_expect(&story.record, "interrupt 0 2");
    ck_assert_int_eq(ivflat_device_serve(story.dev, 0), 0);
    record_expect(&story.record, "vector 0 removed");
    record_expect_text(story.record.logged, "warning: vector 0 of our own id 3 is closed");
    expect_refused(0);
    ivflat_device_disconnect(story.dev);
    record_expect(&story.record, "down asked");
}
END_TEST

static void serve_inside(struct record *record, const char *hook)
{
    (void)record, (void)hook;
    ck_assert_int_eq(ivflat_device_serve(story.dev, 0), IVFLAT_ERR_BUSY);
}

START_TEST(a_hook_may_not_serve)
{
    begin((ivflat_config){0});
    story_sends(&story, "3 eventfd:1");
    story_expect(&story, "");
    story.record.inside = serve_inside;
    story.record.inside_hook = "interrupt";
    ck_assert_int_eq(ivflat_device_serve(story.dev, 0), 0);
    record_expect(&story.record, "interrupt 0 1");
}
END_TEST

/* The link is down, and the vectors we have go on working (P17). */
START_TEST(P17_served_without_a_server)
{
    begin((ivflat_config){0});
    story_sends(&story, "3 eventfd");
    story_expect(&story, "");
    story_close(&story);
    story_expect(&story, "down closed");
    story_be_rung(&story, 0, 1);
    ck_assert_int_eq(ivflat_device_serve(story.dev, 0), 0);
    record_expect(&story.record, "interrupt 0 1");
}
END_TEST

/* All that can come while every own vector is somebody else's to wait for makes the socket readable. */
START_TEST(the_socket_is_enough_while_ready)
{
    ck_assert_int_eq(ivflat_device_get_socket(NULL), -1);
    begin((ivflat_config){0});
    story_sends(&story, "3 eventfd");
    story_expect(&story, "");
    story_be_rung(&story, 0, 1);
    ck_assert_int_eq(ivflat_device_wait(story.dev, 0), 0);
    ck_assert(!is_readable(ivflat_device_get_socket(story.dev)));
    story_sends(&story, "4 eventfd");
    ck_assert(is_readable(ivflat_device_get_socket(story.dev)));
    story_expect(&story, "peer 4 1");
    ck_assert(!is_readable(ivflat_device_get_socket(story.dev)));
    story_close(&story);
    story_expect(&story, "down closed");
    ck_assert_int_eq(ivflat_device_get_socket(story.dev), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device_serve");
    TCase *tcase = suite_case(suite, "serving");

    tcase_add_test(tcase, P21_what_waited_is_served);
    tcase_add_test(tcase, P16_nothing_to_serve);
    tcase_add_test(tcase, what_was_not_taken_is_refused);
    tcase_add_test(tcase, revision_0_has_nothing_to_serve);
    tcase_add_test(tcase, P16_a_pipe_at_its_end_is_given_back);
    tcase_add_test(tcase, a_hook_may_not_serve);
    tcase_add_test(tcase, P17_served_without_a_server);
    tcase_add_test(tcase, the_socket_is_enough_while_ready);
    return suite_run(suite);
}
