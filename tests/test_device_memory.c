/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared memory as the embedder sees it: which is taken, where it is, what stays. */
#include "story.h"

#include <string.h>
#include <sys/mman.h>

static struct story story;

static void begin(ivflat_config config)
{
    config.struct_size = sizeof(config);
    config.trusted_peers = 1;
    story_begin(&story, &config);
    story_sends(&story, "0", "3");
    story_settle(&story);
}

static uint8_t *memory(void)
{
    return ivflat_device_memory(story.dev);
}

/* The server's end of it, mapped by the test until its end. */
struct view {
    uint8_t *bytes;
    uint64_t size;
};

static struct view view;

static void drop_view(void *unused)
{
    (void)unused;
    munmap(view.bytes, view.size);
}

static uint8_t *server_memory(uint64_t size)
{
    view.size = size;
    view.bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, story.memory, 0);
    ck_assert_ptr_ne(view.bytes, MAP_FAILED);
    at_test_end(drop_view, NULL);
    return view.bytes;
}

START_TEST(P5_the_memory_is_shared)
{
    uint8_t *servers;

    begin((ivflat_config){0});
    ck_assert_ptr_null(memory());
    story_sends(&story, "-1 memory 8192");
    story_expect(&story, "memory 8192; ready");
    servers = server_memory(8192);
    memory()[8191] = 5;
    ck_assert_int_eq(servers[8191], 5);
    servers[1] = 6;
    ck_assert_int_eq(memory()[1], 6);
    ck_assert_uint_eq(ivflat_device_memory_size(story.dev), 8192);
}
END_TEST

/* With a size there is an address from the start, and it stays. */
START_TEST(P18_one_address_for_life)
{
    uint8_t *address;

    begin((ivflat_config){.memory_size = 8192});
    address = memory();
    ck_assert_ptr_nonnull(address);
    ck_assert_int_eq(address[0] | address[8191], 0);
    address[0] = 9; /* is lost */
    ck_assert_uint_eq(ivflat_device_memory_size(story.dev), 8192);
    for (int i = 0; i < 5; i++) {
        story_sends(&story, "-1 memory 8192");
        story_expect(&story, "memory 8192; ready");
        ck_assert_ptr_eq(memory(), address);
        ck_assert_int_eq(address[0], 0);
        address[0] = 9;
        story_close(&story);
        story_expect(&story, "down closed");
        ck_assert_int_eq(address[0], 9); /* while it is down, it is there */
        story_connect(&story);
        story_sends(&story, "0", "3");
        story_settle(&story);
    }
}
END_TEST

START_TEST(P15_the_first_size_is_the_size_for_ever)
{
    begin((ivflat_config){0});
    story_sends(&story, "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
    story_close(&story);
    story_connect(&story);
    story_sends(&story, "0", "4", "-1 memory 8192");
    story_expect(&story, "down closed; down memory");
    ck_assert_ptr_nonnull(strstr(story.record.reason, "8192"));
    ck_assert_ptr_nonnull(strstr(story.record.reason, "4096"));
    ck_assert_uint_eq(ivflat_device_memory_size(story.dev), 4096);
}
END_TEST

/* Over 4 GiB, sparse: no part of the size is lost, and the last byte is the last. */
START_TEST(P15_over_4_gib)
{
    uint64_t size = ((uint64_t)4 << 30) + 4096;
    uint8_t *servers;

    begin((ivflat_config){.memory_size = _i ? size : 0});
    story_sends(&story, "-1 memory 4294971392");
    story_expect(&story, "memory 4294971392; ready");
    ck_assert_uint_eq(ivflat_device_memory_size(story.dev), size);
    servers = server_memory(size);
    memory()[size - 1] = 7;
    memory()[4095] = 8;
    ck_assert_int_eq(servers[size - 1], 7);
    ck_assert_int_eq(servers[4095], 8);
}
END_TEST

/* A size that is no whole number of pages is a size like any other. */
START_TEST(P15_any_size_that_is_not_0)
{
    static const char *const messages[] = {"-1 memory 1", "-1 memory 5000", "-1 memory 12288"};
    static const uint64_t sizes[] = {1, 5000, 12288};

    begin((ivflat_config){.memory_size = sizes[_i]});
    story_sends(&story, messages[_i]);
    story_settle(&story);
    ck_assert_uint_eq(ivflat_device_link(story.dev), IVFLAT_LINK_READY);
    ck_assert_uint_eq(ivflat_device_memory_size(story.dev), sizes[_i]);
    memory()[sizes[_i] - 1] = 1;
    g_string_truncate(story.record.said, 0);
}
END_TEST

START_TEST(P15_what_is_no_memory)
{
    static const char *const messages[] = {"-1 eventfd",  "-1 pipe", "-1 socket",
                                           "-1 memory 0", "-1 file", "-1 readonly 4096"};

    begin((ivflat_config){.memory_size = _i == 5 ? 4096 : 0});
    story_sends(&story, messages[_i]);
    story_expect(&story, "down memory");
    ck_assert_int_eq(ivflat_device_id(story.dev), -1);
}
END_TEST

START_TEST(P15_unsealed_memory_is_warned_of_once)
{
    const char *told;

    begin((ivflat_config){0});
    for (int i = 0; i < 3; i++) {
        story_sends(&story, "-1 memory 4096");
        story_close(&story);
        story_connect(&story);
        story_sends(&story, "0", "3");
        story_settle(&story);
    }
    told = strstr(story.record.logged->str, "not sealed");
    ck_assert_ptr_nonnull(told);
    ck_assert_ptr_null(strstr(told + 1, "not sealed"));
    record_expect_text(story.record.traced, "memory 4096 0 0");
    g_string_truncate(story.record.said, 0);
}
END_TEST

START_TEST(P15_sealed_memory)
{
    begin((ivflat_config){.require_sealed = 1});
    story_sends(&story, "-1 sealed 4096");
    story_expect(&story, "memory 4096; ready");
    record_expect_text(story.record.traced, "memory 4096 1 0");
    ck_assert_ptr_null(strstr(story.record.logged->str, "sealed"));
    story_close(&story);
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 memory 4096");
    story_expect(&story, "down closed; down memory");
    ck_assert_ptr_nonnull(strstr(story.record.reason, "sealed"));
}
END_TEST

START_TEST(without_mapping_the_hook_has_it)
{
    begin((ivflat_config){.no_mapping = 1, .memory_size = (uint64_t)_i * 4096});
    ck_assert_ptr_null(memory());
    story_sends(&story, "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
    ck_assert_ptr_null(memory());
    ck_assert_uint_eq(ivflat_device_memory_size(story.dev), 4096);
}
END_TEST

/* A guest that writes all the time sees the old memory or the new, and no hole: in one process, thousands of times. */
START_TEST(P18_a_writer_sees_no_hole)
{
    ivflat_config config = {.struct_size = sizeof(config), .memory_size = 4096, .trusted_peers = 1};
    volatile uint32_t *words;
    struct record *record = &story.record;

    story_init(&story, &config);
    story.way = STORY_FEED;
    words = ivflat_device_memory(story.dev);
    for (uint32_t i = 1; i <= 300; i++) {
        story_connect(&story);
        story_sends(&story, "0", "3", "-1 memory 4096");
        ck_assert_uint_eq(words[i], 0);
        words[i] = i;
        story_close(&story);
        ck_assert_uint_eq(words[i], i);
        ck_assert(record_take(record, "memory 4096") && record_take(record, "ready") &&
                  record_take(record, "down closed"));
    }
}
END_TEST

START_TEST(P18_2_mib_are_aligned_for_huge_pages)
{
    begin((ivflat_config){.memory_size = (uint64_t)4 << 20});
    ck_assert_uint_eq((uintptr_t)memory() % (2 << 20), 0);
    story_sends(&story, "-1 memory 4194304");
    story_expect(&story, "memory 4194304; ready");
    ck_assert_uint_eq((uintptr_t)memory() % (2 << 20), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: memory");
    TCase *tcase = suite_case(suite, "memory");

    tcase_add_test(tcase, P5_the_memory_is_shared);
    tcase_add_test(tcase, P18_one_address_for_life);
    tcase_add_test(tcase, P15_the_first_size_is_the_size_for_ever);
    tcase_add_loop_test(tcase, P15_over_4_gib, 0, 2);
    tcase_add_loop_test(tcase, P15_any_size_that_is_not_0, 0, 3);
    tcase_add_loop_test(tcase, P15_what_is_no_memory, 0, 6);
    tcase_add_test(tcase, P15_unsealed_memory_is_warned_of_once);
    tcase_add_test(tcase, P15_sealed_memory);
    tcase_add_loop_test(tcase, without_mapping_the_hook_has_it, 0, 2);
    tcase_add_test(tcase, P18_a_writer_sees_no_hole);
    tcase_add_test(tcase, P18_2_mib_are_aligned_for_huge_pages);
    return suite_run(suite);
}
