/* SPDX-License-Identifier: BSD-3-Clause */
/* What an embedder may do, and where it goes wrong: from hooks, around a fork(), with the clock against it. */
#include "story.h"

#include <limits.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

static struct story story;
static ivflat_config config;

static void init(enum story_way way, ivflat_config wanted)
{
    config = wanted;
    config.struct_size = sizeof(config);
    story_init(&story, &config);
    story.way = way;
}

/* A link that is up: we are 3. */
static void begin(enum story_way way, ivflat_config wanted)
{
    init(way, wanted);
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 sealed 4096");
    story_expect(&story, "memory 4096; ready");
}

static void in_hook(const char *hook, void (*inside)(struct record *record, const char *hook))
{
    story.record.inside_hook = hook;
    story.record.inside = inside;
}

static uint64_t counted(uint32_t which)
{
    return ivflat_device_counter(story.dev, which);
}

/* That much time is over, by a clock of the test's own. */
static void let_pass(uint32_t ms)
{
    struct itimerspec spec = {.it_value = {.tv_nsec = (long)ms * 1000000}};
    int timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);

    ck_assert_int_eq(timerfd_settime(timer, 0, &spec, NULL), 0);
    wait_readable(timer);
    close_fd(timer);
}

/* The line -------------------------------------------------------------------------------------------------------- */

static int inside_line;

/* The guest's answer to a line that went low is to raise it. */
static void raise_once(struct record *record, const char *hook)
{
    (void)hook;
    ck_assert_msg(inside_line++ == 0,
                  "a level was told inside of another's hook: the first to return is the last said");
    if (g_str_has_suffix(record->said->str, "line 0")) {
        ivflat_device_write(story.dev, IVFLAT_REG_INTRMASK, 4, 1);
        ivflat_device_write(story.dev, IVFLAT_REG_INTRSTATUS, 4, 1);
    }
    inside_line--;
}

START_TEST(R4_a_reset_that_raises_the_line_tells_it_last)
{
    begin(STORY_ADOPT, (ivflat_config){.revision0 = 1});
    for (int i = 0; i < 2; i++) { /* from low, and from high */
        in_hook("line", raise_once);
        ivflat_device_reset(story.dev);
        record_expect(&story.record, "line 0; line 1");
        ck_assert_uint_eq(story_register(&story, IVFLAT_REG_INTRMASK), 1);
    }
    story.record.inside = NULL;
    ck_assert_uint_eq(story_register(&story, IVFLAT_REG_INTRSTATUS), 1);
    record_expect(&story.record, "line 0");
    ivflat_device_reset(story.dev);
    record_expect(&story.record, "line 0"); /* said whether it moved or not */
}
END_TEST

START_TEST(R5_memory_alone_has_no_line)
{
    uint32_t mask = 9, status = 9;

    begin(STORY_ADOPT, (ivflat_config){.revision0 = 1, .no_interrupts = 1});
    story_sends(&story, "3 eventfd", "7 eventfd");
    story_settle(&story);
    story_be_rung(&story, 0, 1);
    story_settle(&story);
    ivflat_device_write(story.dev, IVFLAT_REG_INTRMASK, 4, 1);
    ivflat_device_write(story.dev, IVFLAT_REG_INTRSTATUS, 4, 1);
    ivflat_device_set_state(story.dev, 1, 1);
    ivflat_device_get_state(story.dev, &mask, &status);
    ck_assert_uint_eq(mask, 0);
    ck_assert_uint_eq(status, 0);
    for (uint64_t offset = 0; offset < IVFLAT_MMIO_SIZE; offset += 4) {
        ck_assert_uint_eq(story_register(&story, offset), 0);
    }
    ivflat_device_reset(story.dev);
    record_expect(&story.record, "");
}
END_TEST

/* Asking ---------------------------------------------------------------------------------------------------------- */

START_TEST(next_peer_takes_any_number)
{
    begin(STORY_ADOPT, (ivflat_config){0});
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, INT32_MAX), -1);
    story_sends(&story, "7 eventfd", "65535 eventfd");
    story_settle(&story);
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, INT32_MIN), 7);
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, 7), 65535);
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, 65534), 65535);
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, 65535), -1);
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, 65536), -1);
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, INT32_MAX), -1);
}
END_TEST

/* From hooks ------------------------------------------------------------------------------------------------------ */

static void end_when_down(struct record *record, const char *hook)
{
    (void)record;
    (void)hook;
    if (ivflat_device_link(story.dev) == IVFLAT_LINK_DOWN) {
        ivflat_device_end(story.dev);
    }
}

/* Who hears that the link is down closes the socket, and the socket's end is told of. */
START_TEST(P19_the_end_of_a_link_that_is_down_is_silent)
{
    init(STORY_FEED, (ivflat_config){0});
    in_hook("link_changed", end_when_down);
    story_connect(&story);
    story_sends(&story, "9");
    record_expect(&story.record, "down protocol");
    ck_assert_ptr_eq(strchr(story.record.logged->str, '\n'), strrchr(story.record.logged->str, '\n')); /* the loss */
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_DOWN);
    ck_assert_uint_eq(counted(IVFLAT_COUNT_LINK_LOSSES), 1);
    g_string_truncate(story.record.logged, 0);
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 sealed 4096");
    record_expect(&story.record, "memory 4096; ready");
    ivflat_device_disconnect(story.dev);
    record_expect(&story.record, "down asked");
    ck_assert_str_eq(story.record.logged->str, "");
}
END_TEST

/* All that can be asked is the new server's; nothing that is being removed can be found any more. */
static void nothing_old_is_found(struct record *record, const char *hook)
{
    uint64_t ignored = counted(IVFLAT_COUNT_RINGS_IGNORED);

    (void)record;
    if (strcmp(hook, "doorbell_removed") && strcmp(hook, "vector_removed") && strcmp(hook, "peer_changed")) {
        return;
    }
    ck_assert_int_eq(ivflat_device_id(story.dev), 5);
    ck_assert_uint_eq(story_register(&story, IVFLAT_REG_IVPOSITION), 5);
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 3), 0);
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 5), 0); /* was a peer's, is ours, has none yet */
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 7), 0);
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, -1), -1);
    story_ring(&story, 7, 0);
    story_ring(&story, 5, 0);
    ck_assert_uint_eq(counted(IVFLAT_COUNT_RINGS_IGNORED), ignored + 2);
}

START_TEST(P18_removals_see_the_new_server)
{
    begin((enum story_way)_i, (ivflat_config){0});
    story.record.bindings = true;
    story.record.take_vectors = story.record.bind_doorbells = 1;
    story_sends(&story, "3 eventfd", "5 eventfd", "7 eventfd");
    story_expect(&story,
                 "vector 0 added; doorbell 3:0 added; doorbell 5:0 added; peer 5 1; doorbell 7:0 added; peer 7 1");
    story_close(&story);
    record_expect(&story.record, "down closed");
    story_connect(&story);
    in_hook(NULL, nothing_old_is_found);
    story_sends(&story, "0", "5", "-1 sealed 4096");
    story_expect(&story, "memory 4096; doorbell 3:0 removed; vector 0 removed; doorbell 5:0 removed; peer 5 0; "
                         "doorbell 7:0 removed; peer 7 0; ready");
    story.record.inside = NULL;
    ck_assert_uint_eq(story_rung(&story, 7, 0), 0);
    ck_assert_uint_eq(story_rung(&story, 5, 0), 0);
}
END_TEST

static void fail_otherwise(struct record *record, const char *hook)
{
    (void)record;
    (void)hook;
    ck_assert_int_eq(ivflat_device_connect(story.dev, "elsewhere"), IVFLAT_ERR_BUSY);
}

/* The link ends in the same look in which a vector is found readable; each hook makes an error of its own. */
START_TEST(the_sentence_of_a_dispatch_is_the_last)
{
    begin(STORY_ADOPT, (ivflat_config){0});
    story_sends(&story, "3 eventfd");
    story_close(&story);
    story_connect(&story);
    g_string_truncate(story.record.said, 0);
    in_hook(NULL, fail_otherwise);
    story_sends(&story, "9");
    add_count(story_fd(&story, 3, 0), 1);
    ck_assert_int_eq(ivflat_device_dispatch(story.dev), IVFLAT_ERR_PROTOCOL);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "version"));
    story_expect(&story, "down protocol; interrupt 0 1"); /* nothing is lost */
}
END_TEST

/* Time ------------------------------------------------------------------------------------------------------------ */

static void time_is_up(void)
{
    ck_assert_int_eq(ivflat_device_wait(story.dev, PATIENCE_MS), 1);
}

/* Stopped for longer than the greeting may take; then the event loop looks at the device before the socket. */
START_TEST(P23_a_greeting_that_waits_to_be_fed_is_in_time)
{
    init(STORY_FEED, (ivflat_config){.greeting_timeout_ms = 150});
    story_connect(&story);
    time_is_up();
    ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_GREETING);
    story_sends(&story, "0", "3", "-1 sealed 4096");
    record_expect(&story.record, "memory 4096; ready");
    ck_assert_int_eq(ivflat_device_wait(story.dev, 0), 0);
}
END_TEST

START_TEST(P23_nothing_fed_is_a_timeout_the_second_time)
{
    init(STORY_FEED, (ivflat_config){.greeting_timeout_ms = 150});
    story_connect(&story);
    time_is_up();
    ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
    time_is_up();
    ck_assert_int_eq(ivflat_device_dispatch(story.dev), IVFLAT_ERR_TIMEOUT);
    record_expect(&story.record, "down timeout");
}
END_TEST

/* The timer comes first in what epoll tells, for it was due first. */
START_TEST(P23_a_greeting_that_is_in_the_socket_is_in_time)
{
    init(STORY_ADOPT, (ivflat_config){.greeting_timeout_ms = 150});
    story_connect(&story);
    time_is_up();
    story_sends(&story, "0", "3", "-1 sealed 4096");
    ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
    record_expect(&story.record, "memory 4096; ready");
}
END_TEST

/* Coming back ----------------------------------------------------------------------------------------------------- */

static void no_retry(void)
{
    let_pass(20);
    ck_assert_int_eq(ivflat_device_wait(story.dev, 0), 0);
}

/* Nobody may go there, but root. */
START_TEST(P18_no_permission_is_told_at_once)
{
    const char *folder = test_path("closed");
    bool is_root = geteuid() == 0;
    int32_t result;

    init(STORY_CONNECT, (ivflat_config){.reconnect_ms = 5});
    ck_assert_int_eq(mkdir(folder, 0), 0);
    ck_assert(!is_root || (setegid(65534) == 0 && seteuid(65534) == 0));
    result = ivflat_device_connect(story.dev, test_path("closed/s"));
    ck_assert(!is_root || (seteuid(0) == 0 && setegid(0) == 0));
    ck_assert_int_eq(result, IVFLAT_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "Permission denied"));
    no_retry();
    record_expect(&story.record, "");
}
END_TEST

START_TEST(P18_a_server_that_is_not_there_yet_is_waited_for)
{
    init(STORY_CONNECT, (ivflat_config){.reconnect_ms = 5});
    ck_assert_int_eq(ivflat_device_connect(story.dev, test_path("s")), 0);
    time_is_up();
    ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
    record_expect(&story.record, "");
    story.listener = raw_listen(test_path("s"), 4);
    while (ivflat_device_link(story.dev) == IVFLAT_LINK_DOWN) {
        time_is_up();
        ck_assert_int_eq(ivflat_device_dispatch(story.dev), 0);
    }
    story.server = raw_accept(story.listener);
    story.up = true;
    story_sends(&story, "0", "3", "-1 sealed 4096");
    story_expect(&story, "greeting; memory 4096; ready");
}
END_TEST

/* The socket is in the device's epoll already, so that it cannot be put there. */
START_TEST(P18_an_adoption_that_fails_leaves_no_retry)
{
    struct epoll_event event = {.events = 0};
    int ends[2];

    init(STORY_CONNECT, (ivflat_config){.reconnect_ms = 5});
    ck_assert_int_eq(ivflat_device_connect(story.dev, test_path("s")), 0);
    make_socketpair(ends);
    ck_assert_int_eq(epoll_ctl(ivflat_device_get_fd(story.dev), EPOLL_CTL_ADD, ends[1], &event), 0);
    ck_assert_int_eq(ivflat_device_adopt(story.dev, ends[1]), IVFLAT_ERR_SYSTEM);
    ck_assert(at_end_of_file(ends[0]));
    close_fd(ends[0]);
    no_retry();
    ck_assert_int_eq(ivflat_device_greet(story.dev, 0), IVFLAT_ERR_INVALID); /* nothing to wait for */
    record_expect(&story.record, "");
}
END_TEST

/* fork() ---------------------------------------------------------------------------------------------------------- */

static int free_it(void *unused)
{
    (void)unused;
    ivflat_device_free(story.dev);
    return story.record.said->len != 0; /* no hook of the parent's is called */
}

/* In a second greeting there are vectors and a socket to lose. */
START_TEST(a_child_that_frees_takes_nothing_away)
{
    begin(STORY_ADOPT, (ivflat_config){.greeting_timeout_ms = PATIENCE_MS});
    story_sends(&story, "3 eventfd", "7 eventfd");
    story_close(&story);
    story_connect(&story);
    g_string_truncate(story.record.said, 0);
    ck_assert_int_eq(join_child(run_child(free_it, NULL)), 0);
    add_count(story_fd(&story, 3, 0), 1);
    ck_assert_int_eq(ivflat_device_wait(story.dev, PATIENCE_MS), 1);
    story_expect(&story, "interrupt 0 1");
    story_ring(&story, 7, 0);
    ck_assert_uint_eq(story_rung(&story, 7, 0), 1);
    story_sends(&story, "0", "5", "-1 sealed 4096");
    story_expect(&story, "memory 4096; peer 7 0; ready");
}
END_TEST

START_TEST(a_child_that_frees_stops_no_timer)
{
    init(STORY_ADOPT, (ivflat_config){.greeting_timeout_ms = 150});
    story_connect(&story);
    ck_assert_int_eq(join_child(run_child(free_it, NULL)), 0);
    time_is_up();
    story_expect(&story, "down timeout");
}
END_TEST

static struct story childs;

static int ring_in_child(void *unused)
{
    (void)unused;
    story_begin(&childs, NULL);
    story_sends(&childs, "0", "4", "-1 sealed 4096", "7 eventfd");
    story_settle(&childs);
    story_ring(&childs, 7, 0);
    return story_rung(&childs, 7, 0) == 1 && childs.record.logged->len == 0 ? 0 : 1;
}

/* What the parent's device left for its next one is of no use to a child. */
START_TEST(a_childs_own_device_rings)
{
    begin(STORY_ADOPT, (ivflat_config){0});
    story_end(&story);
    ck_assert_int_eq(join_child(run_child(ring_in_child, NULL)), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: embedder");
    TCase *tcase = suite_case(suite, "the line");

    tcase_add_test(tcase, R4_a_reset_that_raises_the_line_tells_it_last);
    tcase_add_test(tcase, R5_memory_alone_has_no_line);
    tcase = suite_case(suite, "asking");
    tcase_add_test(tcase, next_peer_takes_any_number);
    tcase = suite_case(suite, "from hooks");
    tcase_add_test(tcase, P19_the_end_of_a_link_that_is_down_is_silent);
    tcase_add_loop_test(tcase, P18_removals_see_the_new_server, 0, 3);
    tcase_add_test(tcase, the_sentence_of_a_dispatch_is_the_last);
    tcase = suite_case(suite, "time");
    tcase_add_test(tcase, P23_a_greeting_that_waits_to_be_fed_is_in_time);
    tcase_add_test(tcase, P23_nothing_fed_is_a_timeout_the_second_time);
    tcase_add_test(tcase, P23_a_greeting_that_is_in_the_socket_is_in_time);
    tcase = suite_case(suite, "coming back");
    tcase_add_test(tcase, P18_no_permission_is_told_at_once);
    tcase_add_test(tcase, P18_a_server_that_is_not_there_yet_is_waited_for);
    tcase_add_test(tcase, P18_an_adoption_that_fails_leaves_no_retry);
    tcase = suite_case(suite, "fork()");
    tcase_add_test(tcase, a_child_that_frees_takes_nothing_away);
    tcase_add_test(tcase, a_child_that_frees_stops_no_timer);
    tcase_add_test(tcase, a_childs_own_device_rings);
    return suite_run(suite);
}
