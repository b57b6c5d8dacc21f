/* SPDX-License-Identifier: BSD-3-Clause */
/* Calls from inside a hook: what is not marked [hook] does nothing and says so, what is marked works, in every hook.
 * And hooks that refuse, or that are not there. */
#include "story.h"

#include <string.h>

static struct story story;
static uint32_t visits;

static const char *const hooks[] = {
    "interrupt",      "line",           "memory_attached",  "link_changed", "peer_changed", "vector_added",
    "vector_removed", "doorbell_added", "doorbell_removed", "guest_error",  "log",          "trace",
};
#define HOOKS ((int)(sizeof(hooks) / sizeof(hooks[0])))

/* Each call that a hook may not make.  None of them calls a hook back for ever, not even from log(). */
static void call_forbidden(struct record *record, const char *hook)
{
    ivflat_device *dev = story.dev;
    uint32_t link;
    uint8_t bytes[8] = {0};
    int32_t fd;

    if (!dev || record->data) {
        return; /* new() may log; a call that logs comes back here */
    }
    record->data = record;
    (void)hook;
    visits++;
    link = ivflat_device_link(dev);
    ck_assert_int_eq(ivflat_device_connect(dev, "/nowhere"), IVFLAT_ERR_BUSY);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "hook"));
    fd = make_eventfd();
    ck_assert_int_eq(ivflat_device_adopt(dev, fd), IVFLAT_ERR_BUSY);
    ck_assert_msg(!is_open(fd), "given is closed");
    ck_assert_int_eq(ivflat_device_greet(dev, -1), IVFLAT_ERR_BUSY);
    ck_assert_int_eq(ivflat_device_begin(dev), IVFLAT_ERR_BUSY);
    fd = make_eventfd();
    ck_assert_int_eq(ivflat_device_feed(dev, bytes, 1, &fd, 1), IVFLAT_ERR_BUSY);
    ck_assert_msg(!is_open(fd), "given is closed");
    ck_assert_int_eq(ivflat_device_dispatch(dev), IVFLAT_ERR_BUSY);
    ck_assert_int_eq(ivflat_device_run(dev, -1), IVFLAT_ERR_BUSY);
    ivflat_device_end(dev);
    ivflat_device_disconnect(dev);
    ivflat_device_reset(dev);
    ivflat_device_set_state(dev, 1, 1);
    ivflat_device_free(dev);
    ck_assert_uint_eq(ivflat_device_link(dev), link);
    record->data = NULL;
}

/* Each call that it may make, and a guest that comes straight back. */
static void call_allowed(struct record *record, const char *hook)
{
    ivflat_device *dev = story.dev;
    uint32_t mask, status;
    int32_t id;

    (void)hook;
    if (!dev || record->data) {
        return; /* the guest's accesses are traced */
    }
    record->data = record;
    visits++;
    id = ivflat_device_id(dev);
    ck_assert_int_ge(ivflat_device_get_fd(dev), 0);
    ck_assert_uint_le(ivflat_device_wants(dev), 8);
    ck_assert_uint_le(ivflat_device_link(dev), IVFLAT_LINK_READY);
    ck_assert_uint_eq(ivflat_device_read(dev, IVFLAT_REG_IVPOSITION, 4), (uint32_t)id);
    ck_assert(ivflat_device_memory_size(dev) == 0 || ivflat_device_memory_size(dev) == 4096);
    ck_assert(id < 0 || ivflat_device_memory(dev));
    for (int32_t peer = -1; (peer = ivflat_device_next_peer(dev, peer)) >= 0;) {
        ck_assert_uint_ge(ivflat_device_peer_vectors(dev, (uint32_t)peer), 1);
        ivflat_device_write(dev, IVFLAT_REG_DOORBELL, 4, (uint64_t)peer << 16 | 77);
    }
    ivflat_device_get_state(dev, &mask, &status);
    ck_assert_uint_ge(ivflat_device_counter(dev, IVFLAT_COUNT_MESSAGES), 0);
    ivflat_device_wake(dev);
    ck_assert_int_eq(ivflat_device_wait(dev, 0), 1);
    record->data = NULL;
}

/* All that can happen to a device, with something done in one of its hooks. */
static void live(const char *hook, void (*inside)(struct record *, const char *), uint32_t revision0)
{
    ivflat_config config = {.struct_size = sizeof(config), .revision0 = revision0, .trusted_peers = 1};

    visits = 0;
    story_init(&story, &config);
    story.record.bind_doorbells = 1;
    story.record.inside_hook = hook;
    story.record.inside = inside;
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 memory 4096", "4 eventfd", "3 eventfd");
    story_settle(&story);
    ivflat_device_write(story.dev, IVFLAT_REG_INTRMASK, 4, 1);
    ivflat_device_write(story.dev, 1, 1, 1); /* guest_error */
    story_be_rung(&story, 0, 2);
    story_settle(&story);
    story.record.take_vectors = 1;
    story_sends(&story, "3 eventfd", "4");
    story_settle(&story);
    story_close(&story);
    ivflat_device_read(story.dev, IVFLAT_REG_INTRSTATUS, 4);
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 3), 2);
    ivflat_device_disconnect(story.dev);
}

/* The hook was there, and the life was the same as ever. */
static void check_life(const char *hook, void (*inside)(struct record *, const char *))
{
    uint32_t revision0 = strcmp(hook, "line") == 0;

    live(hook, inside, revision0);
    record_expect(&story.record, revision0 ? "memory 4096; ready; peer 4 1; line 1; peer 4 0; down closed; line 0"
                                           : "memory 4096; ready; peer 4 1; interrupt 0 2; peer 4 0; down closed");
    ck_assert_uint_ge(visits, 1);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_MESSAGES), 7);
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_DOWN);
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 3), 0);
}

START_TEST(forbidden_calls_are_busy)
{
    check_life(hooks[_i], call_forbidden);
}
END_TEST

START_TEST(allowed_calls_work)
{
    check_life(hooks[_i], call_allowed);
}
END_TEST

/* A hook that calls, and is called for that: it has an end. */
static void come_back(struct record *record, const char *hook)
{
    (void)record;
    visits++;
    ck_assert_msg(visits < 100, "%s() is called from itself for ever", hook);
    if (story.dev) {
        ivflat_device_reset(story.dev);            /* log */
        ivflat_device_read(story.dev, 1, 1);       /* guest_error, trace */
        ivflat_device_write(story.dev, 12, 4, 77); /* guest_error, trace */
    }
}

START_TEST(a_hook_is_not_called_from_itself)
{
    static const char *const speakers[] = {"log", "guest_error", "trace"};

    story_init(&story, NULL);
    story.record.inside_hook = speakers[_i];
    story.record.inside = come_back;
    ivflat_device_read(story.dev, 3, 4);
    story_connect(&story);
    story_sends(&story, "7");
    story_expect(&story, "down protocol");
    ck_assert_uint_ge(visits, 1);
}
END_TEST

/* What a call does that returns nothing and may not be made: one line. */
START_TEST(void_calls_log)
{
    live("peer_changed", call_forbidden, 0);
    record_expect_text(story.record.logged, "error: ivflat_device_reset() was called from inside a hook");
    record_expect_text(story.record.logged, "error: ivflat_device_free() was called from inside a hook");
    record_expect_text(story.record.logged, "error: ivflat_device_disconnect() was called from inside a hook");
    record_expect_text(story.record.logged, "error: ivflat_device_set_state() was called from inside a hook");
    g_string_truncate(story.record.said, 0);
}
END_TEST

/* Refusing -------------------------------------------------------------------------------------------------------- */

START_TEST(a_hook_refuses_the_memory)
{
    story_init(&story, NULL);
    story.record.refuse_memory = _i;
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "memory 4096; down refused");
    ck_assert_int_eq(story.error, IVFLAT_ERR_REFUSED);
    ck_assert_int_eq(ivflat_device_id(story.dev), -1);
    ck_assert_uint_eq(ivflat_device_memory_size(story.dev), 0);
    ck_assert_ptr_null(ivflat_device_memory(story.dev));
    story.record.refuse_memory = 0;
    story_connect(&story);
    story_sends(&story, "0", "5", "-1 memory 8192");
    story_expect(&story, "memory 8192; ready");
}
END_TEST

/* What was there before stays. */
START_TEST(P18_a_hook_refuses_another_servers_memory)
{
    story_begin(&story, NULL);
    story_sends(&story, "0", "3", "-1 memory 4096", "4 eventfd");
    story_expect(&story, "memory 4096; ready; peer 4 1");
    ((uint8_t *)ivflat_device_memory(story.dev))[5] = 9;
    story_close(&story);
    story.record.refuse_memory = 1;
    story_expect(&story, "down closed");
    story_connect(&story);
    story_sends(&story, "0", "8", "-1 memory 4096");
    story_expect(&story, "memory 4096; down refused");
    ck_assert_int_eq(ivflat_device_id(story.dev), 3);
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 4), 1);
    ck_assert_int_eq(((uint8_t *)ivflat_device_memory(story.dev))[5], 9);
    story_ring(&story, 4, 0);
    ck_assert_uint_eq(story_rung(&story, 4, 0), 1);
}
END_TEST

/* Not there ------------------------------------------------------------------------------------------------------- */

static int32_t take(void *user, uint32_t number, int32_t fd)
{
    (void)user, (void)number, (void)fd;
    return 1;
}

static void hear_nothing(void *user, uint32_t vector, uint64_t count)
{
    (void)user, (void)vector, (void)count;
}

/* Who takes and wants not to hear of the end, nor of anything else. */
START_TEST(what_is_taken_may_be_forgotten_unsaid)
{
    ivflat_hooks few = {.struct_size = sizeof(few), .vector_added = take, .doorbell_added = take};
    int memory = make_sealed_memory(4096);
    const int32_t fds[] = {-1, -1, memory, make_eventfd(), make_eventfd()};
    const uint8_t numbers[] = {0, 3, 0xff, 3, 7};
    ivflat_device *dev;

    few.interrupt = hear_nothing;
    ck_assert_int_eq(ivflat_device_new(&dev, NULL, &few), 0);
    ck_assert_int_eq(ivflat_device_begin(dev), 0);
    for (int i = 0; i < 5; i++) {
        uint8_t bytes[8] = {numbers[i]};

        memset(bytes + 1, numbers[i] == 0xff ? 0xff : 0, 7);
        ck_assert_int_eq(ivflat_device_feed(dev, bytes, 8, &fds[i], fds[i] >= 0), 0);
    }
    ck_assert_uint_eq(ivflat_device_peer_vectors(dev, 7), 1);
    ck_assert_uint_eq(ivflat_device_peer_vectors(dev, 65536 + 7), 0);
    ivflat_device_write(dev, 1, 1, 1);
    ivflat_device_disconnect(dev);
    ck_assert_uint_eq(ivflat_device_peer_vectors(dev, 7), 0);
    ck_assert(!is_open(fds[3]) && !is_open(fds[4]));
    ivflat_device_free(dev);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: hooks");
    TCase *tcase = suite_case(suite, "calls from a hook");

    tcase_add_loop_test(tcase, forbidden_calls_are_busy, 0, HOOKS);
    tcase_add_loop_test(tcase, allowed_calls_work, 0, HOOKS);
    tcase_add_loop_test(tcase, a_hook_is_not_called_from_itself, 0, 3);
    tcase_add_test(tcase, void_calls_log);
    tcase = suite_case(suite, "hooks that refuse");
    tcase_add_loop_test(tcase, a_hook_refuses_the_memory, 1, 3);
    tcase_add_test(tcase, P18_a_hook_refuses_another_servers_memory);
    tcase = suite_case(suite, "hooks that are not there");
    tcase_add_test(tcase, what_is_taken_may_be_forgotten_unsaid);
    return suite_run(suite);
}
