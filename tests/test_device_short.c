/* SPDX-License-Identifier: BSD-3-Clause */
/* Too little of everything: each allocation of a device's life fails once, and the table of descriptors is full. */
#include "failing.h"
#include "story.h"

#include <string.h>

static struct story story;

/* new(): each allocation fails in turn, until none does. */
START_TEST(no_memory_for_a_device)
{
    struct record record;
    ivflat_hooks hooks;
    uint32_t fds = count_fds();
    uint32_t failed = 0;

    record_init(&record);
    hooks = record_hooks(&record);
    for (;; failed++) {
        ivflat_device *dev;
        int32_t result;

        fail_allocation(failed);
        result = ivflat_device_new(&dev, NULL, &hooks);
        if (!fail_allocation_stop()) {
            ck_assert_int_eq(result, 0);
            ivflat_device_free(dev);
            break;
        }
        ck_assert_int_eq(result, IVFLAT_ERR_NOMEM);
        ck_assert_ptr_null(dev);
        ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "memory"));
        ck_assert_uint_eq(count_fds(), fds);
    }
    ck_assert_uint_ge(failed, 2); /* the device, the table of peers */
    record_free(&record);
}
END_TEST

static const char *const life[] = {"0",         "3",         "-1 memory 4096", "4 eventfd", "4 eventfd", "5 eventfd",
                                   "4 eventfd", "4 eventfd", "4 eventfd",      "3 eventfd", "4",         "4 eventfd"};
#define LIFE (sizeof(life) / sizeof(life[0]))

/* Hooks that allocate nothing: Check's and GLib's own memory is not to run out. */
static int32_t last_down;

static void no_interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user, (void)vector, (void)count;
}

static void note_down(void *user, uint32_t link, int32_t error)
{
    (void)user;
    last_down = link == IVFLAT_LINK_DOWN ? error : last_down;
}

static ivflat_device *new_fed(void)
{
    ivflat_config config = {.struct_size = sizeof(config), .trusted_peers = 1};
    ivflat_hooks hooks = {.struct_size = sizeof(hooks), .interrupt = no_interrupt, .link_changed = note_down};
    ivflat_device *dev;

    ck_assert_int_eq(ivflat_device_new(&dev, &config, &hooks), 0);
    ck_assert_int_eq(ivflat_device_begin(dev), 0);
    last_down = 0;
    return dev;
}

/* The messages of a life, in which allocation number @after fails.  Answers whether there was one. */
static bool live(ivflat_device *dev, uint32_t after)
{
    struct raw_message messages[LIFE];
    bool failed;

    for (size_t i = 0; i < LIFE; i++) {
        messages[i] = raw_parse(life[i], 3);
    }
    fail_allocation(after);
    for (size_t i = 0; i < LIFE; i++) {
        ivflat_device_feed(dev, messages[i].bytes, 8, messages[i].fds, messages[i].fd_count);
    }
    failed = fail_allocation_stop();
    for (size_t i = 0; i < LIFE; i++) {
        for (uint32_t j = 0; j < messages[i].fd_count; j++) {
            close_fd(messages[i].ends[j]);
        }
    }
    return failed;
}

START_TEST(no_memory_for_what_the_server_sends)
{
    uint32_t fds = count_fds();
    uint32_t failures = 0;
    ivflat_device *dev = new_fed();

    for (; live(dev, failures); failures++) {
        ck_assert_int_eq(last_down, IVFLAT_ERR_NOMEM);
        ck_assert_uint_eq(ivflat_device_link(dev), IVFLAT_LINK_DOWN);
        ck_assert_uint_eq(ivflat_device_read(dev, IVFLAT_REG_IVPOSITION, 4), 3); /* the registers answer */
        ivflat_device_free(dev);
        ck_assert_uint_eq(count_fds(), fds);
        dev = new_fed();
    }
    ck_assert_uint_eq(ivflat_device_link(dev), IVFLAT_LINK_READY);
    ck_assert_uint_eq(ivflat_device_peer_vectors(dev, 4), 1);
    ck_assert_uint_ge(failures, 4); /* three peers, and one that grows */
    ivflat_device_free(dev);
}
END_TEST

/* P14, for real: the table is full while the device reads, and what it had stays. */
START_TEST(P14_a_full_table_is_no_leave)
{
    ivflat_config config = {.struct_size = sizeof(config), .trusted_peers = 1};

    if (_i != STORY_FEED && !can_lose_fds()) {
        return;
    }
    story_init(&story, &config);
    story.way = (enum story_way)_i;
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 memory 4096", "4 eventfd");
    story_expect(&story, "memory 4096; ready; peer 4 1");
    story_sends(&story, "4 +lost");
    story_expect(&story, "down protocol");
    ck_assert_ptr_nonnull(strstr(story.record.reason, "limit of open files"));
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 4), 1);
    story_ring(&story, 4, 0);
    ck_assert_uint_eq(story_rung(&story, 4, 0), 1);
}
END_TEST

/* Of two descriptors one fitted: it is closed. */
START_TEST(P14_one_of_two_lost)
{
    struct raw_message message;

    if (!can_lose_fds()) {
        return;
    }
    message = raw_parse("0 eventfd eventfd", 3);
    story_begin(&story, NULL);
    raw_send(story.server, message.bytes, 8, message.fds, 2);
    fill_fds(1);
    story_settle(&story);
    fill_fds_undo();
    story_expect(&story, "down protocol");
    ck_assert_ptr_nonnull(strstr(story.record.reason, "MSG_CTRUNC"));
    for (int i = 0; i < 2; i++) {
        close_fd(message.ends[i]);
    }
    raw_close(&message);
}
END_TEST

START_TEST(no_descriptor_for_a_socket)
{
    int listener = raw_listen(test_path("s"), 1);

    story_init(&story, NULL);
    fill_fds(0);
    ck_assert_int_eq(ivflat_device_connect(story.dev, test_path("s")), IVFLAT_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "Too many open files"));
    fill_fds_undo();
    close_fd(listener);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: too little");
    TCase *tcase = suite_case(suite, "memory");

    tcase_add_test(tcase, no_memory_for_a_device);
    tcase_add_test(tcase, no_memory_for_what_the_server_sends);
    tcase = suite_case(suite, "descriptors");
    tcase_add_loop_test(tcase, P14_a_full_table_is_no_leave, 0, 3);
    tcase_add_test(tcase, P14_one_of_two_lost);
    tcase_add_test(tcase, no_descriptor_for_a_socket);
    return suite_run(suite);
}
