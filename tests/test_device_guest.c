/* SPDX-License-Identifier: BSD-3-Clause */
/* What the guest does: registers, doorbells, the line.  It may do anything; nothing that it does fails. */
#include "story.h"

#include <string.h>

static struct story story;
static bool untrusting; /* the default way of ringing */

static void begin(ivflat_config config)
{
    config.struct_size = sizeof(config);
    config.trusted_peers |= !untrusting; /* quicker to set up */
    story_begin(&story, &config);
}

/* Id 3; peer 4 with two vectors; two of our own. */
static void begin_ready(ivflat_config config)
{
    begin(config);
    story_sends(&story, "0", "3", "-1 memory 4096", "4 eventfd", "4 eventfd", "3 eventfd", "3 eventfd");
    story_expect(&story, config.no_interrupts ? "memory 4096; ready" : "memory 4096; ready; peer 4 1; peer 4 2");
    g_string_truncate(story.record.traced, 0);
}

static uint32_t get(uint64_t offset)
{
    return story_register(&story, offset);
}

static void set(uint64_t offset, uint64_t value)
{
    ivflat_device_write(story.dev, offset, 4, value);
}

static void expect_traced(const char *expected)
{
    ck_assert_str_eq(story.record.traced->str, expected);
    g_string_truncate(story.record.traced, 0);
}

static uint64_t counted(uint32_t which)
{
    return ivflat_device_counter(story.dev, which);
}

/* Accesses -------------------------------------------------------------------------------------------------------- */

START_TEST(R1_nothing_beyond_16_bytes)
{
    begin_ready((ivflat_config){0});
    for (uint64_t offset = 16; offset < 4096; offset += 4) {
        ck_assert_uint_eq(get(offset), 0);
        set(offset, 0x00040000);
    }
    ck_assert_uint_eq(get(UINT64_MAX - 3), 0);
    ck_assert_uint_eq(get(0x100000008), 0);
    ck_assert_uint_eq(story_rung(&story, 4, 0), 0);
    ck_assert_uint_eq(counted(IVFLAT_COUNT_BAD_ACCESSES), 2 * (4096 - 16) / 4 + 2);
}
END_TEST

/* The loop's number is the width; the value rings peer 4 where it counts. */
START_TEST(R2_only_aligned_words_count)
{
    uint32_t width = (uint32_t)_i;

    begin_ready((ivflat_config){0});
    for (uint64_t offset = 0; offset < 20; offset++) {
        bool counts = width == 4 && offset % 4 == 0 && offset < 16;

        ivflat_device_write(story.dev, offset, width, 0x00040001);
        ck_assert_uint_eq(story_rung(&story, 4, 1), counts && offset == 12);
        ck_assert_uint_eq(ivflat_device_read(story.dev, offset, width), counts && offset == 8 ? 3 : 0);
    }
    ck_assert_uint_eq(counted(IVFLAT_COUNT_BAD_ACCESSES), width == 4 ? 32 : 40);
}
END_TEST

START_TEST(R2_others_are_traced_and_told)
{
    begin_ready((ivflat_config){0});
    ck_assert_uint_eq(ivflat_device_read(story.dev, 0xd, 2), 0);
    ivflat_device_write(story.dev, 0xf, 1, 0);
    ck_assert_uint_eq(story_rung(&story, 4, 0), 0);
    expect_traced("bad_access 13 2 0\nbad_access 15 1 1\n");
    record_expect_text(story.record.guest, "2 bytes at 0xd");
    record_expect_text(story.record.guest, "1 bytes at 0xf");
}
END_TEST

/* A guest causes no line for log(), however often it tries. */
START_TEST(a_guest_causes_no_log_line)
{
    size_t before;

    begin_ready((ivflat_config){0});
    before = story.record.logged->len;
    for (int i = 0; i < 10000; i++) {
        set(IVFLAT_REG_DOORBELL, (uint64_t)i << 16 | 99);
        ivflat_device_write(story.dev, (uint64_t)i, 3, 1);
        ivflat_device_read(story.dev, (uint64_t)i, 8);
    }
    ck_assert_uint_eq(story.record.logged->len, before);
}
END_TEST

/* Registers ------------------------------------------------------------------------------------------------------- */

START_TEST(R3_revision_1_mask_and_status_are_reserved)
{
    begin_ready((ivflat_config){0});
    set(IVFLAT_REG_INTRMASK, 0xffffffff);
    set(IVFLAT_REG_INTRSTATUS, 0xffffffff);
    ck_assert_uint_eq(get(IVFLAT_REG_INTRMASK), 0);
    ck_assert_uint_eq(get(IVFLAT_REG_INTRSTATUS), 0);
    ivflat_device_set_state(story.dev, 1, 1);
    ck_assert_uint_eq(get(IVFLAT_REG_INTRMASK), 0);
    story_be_rung(&story, 1, 1);
    story_expect(&story, "interrupt 1 1");
    ck_assert_uint_eq(get(IVFLAT_REG_INTRSTATUS), 0);
    ivflat_device_reset(story.dev);
    record_expect(&story.record, ""); /* no line in revision 1 */
    expect_traced("interrupt 1 1 0\nreset 0 0 0\n");
}
END_TEST

START_TEST(R4_the_line_follows_status_and_mask)
{
    begin_ready((ivflat_config){.revision0 = 1});
    story_be_rung(&story, 0, 3);
    story_expect(&story, ""); /* masked: pending */
    set(IVFLAT_REG_INTRMASK, 1);
    record_expect(&story.record, "line 1");
    set(IVFLAT_REG_INTRMASK, 3); /* at the same level: not told again */
    story_be_rung(&story, 1, 1);
    story_expect(&story, "");
    ck_assert_uint_eq(get(IVFLAT_REG_INTRMASK), 1);
    ck_assert_uint_eq(get(IVFLAT_REG_INTRSTATUS), 1);
    record_expect(&story.record, "line 0");
    ck_assert_uint_eq(get(IVFLAT_REG_INTRSTATUS), 0);
    story_be_rung(&story, 1, 1);
    story_expect(&story, "line 1");
    set(IVFLAT_REG_INTRMASK, 0);
    record_expect(&story.record, "line 0");
    ck_assert_uint_eq(get(IVFLAT_REG_INTRSTATUS), 1);
    record_expect(&story.record, "");
}
END_TEST

START_TEST(R4_both_are_read_write)
{
    begin_ready((ivflat_config){.revision0 = 1});
    set(IVFLAT_REG_INTRSTATUS, 0xffffffff);
    record_expect(&story.record, "");
    set(IVFLAT_REG_INTRMASK, 0xffffffff);
    record_expect(&story.record, "line 1");
    ck_assert_uint_eq(get(IVFLAT_REG_INTRMASK), 1);
    set(IVFLAT_REG_INTRSTATUS, 0xfffffffe);
    record_expect(&story.record, "line 0");
    ck_assert_uint_eq(get(IVFLAT_REG_INTRSTATUS), 0);
}
END_TEST

START_TEST(R4_reset_takes_all_away)
{
    begin_ready((ivflat_config){.revision0 = 1});
    set(IVFLAT_REG_INTRMASK, 1);
    set(IVFLAT_REG_INTRSTATUS, 1);
    record_expect(&story.record, "line 1");
    story_be_rung(&story, 0, 1); /* waits: reset does not take it */
    ivflat_device_reset(story.dev);
    record_expect(&story.record, "line 0");
    ck_assert_uint_eq(get(IVFLAT_REG_INTRMASK), 0);
    ck_assert_uint_eq(get(IVFLAT_REG_INTRSTATUS), 0);
    ivflat_device_reset(story.dev);
    record_expect(&story.record, "line 0"); /* told at each reset: the machine's line has to know */
    set(IVFLAT_REG_INTRMASK, 1);
    story_expect(&story, "line 1");
}
END_TEST

START_TEST(R4_a_snapshot_keeps_both)
{
    uint32_t mask = 9, status = 9;

    begin_ready((ivflat_config){.revision0 = 1});
    ivflat_device_set_state(story.dev, 0xffffffff, 0xfffffffe);
    ivflat_device_get_state(story.dev, &mask, &status);
    ck_assert_uint_eq(mask, 1);
    ck_assert_uint_eq(status, 0);
    record_expect(&story.record, "");
    ivflat_device_set_state(story.dev, 1, 1);
    record_expect(&story.record, "line 1");
    ivflat_device_get_state(story.dev, &mask, &status);
    ivflat_device_get_state(story.dev, NULL, &status);
    ivflat_device_get_state(story.dev, &mask, NULL);
    ck_assert_uint_eq(mask + status, 2); /* looking did not clear it */
    ivflat_device_set_state(story.dev, 1, 0);
    record_expect(&story.record, "line 0");
    ck_assert_uint_eq(get(IVFLAT_REG_INTRMASK), 1);
}
END_TEST

START_TEST(R5_the_position_is_the_id)
{
    begin((ivflat_config){.revision0 = (uint32_t)_i});
    ck_assert_uint_eq(get(IVFLAT_REG_IVPOSITION), 0xffffffff);
    story_sends(&story, "0", "65535");
    story_settle(&story);
    ck_assert_uint_eq(get(IVFLAT_REG_IVPOSITION), 0xffffffff);
    story_sends(&story, "-1 memory 4096");
    story_expect(&story, "memory 4096; ready");
    ck_assert_uint_eq(get(IVFLAT_REG_IVPOSITION), 65535);
    set(IVFLAT_REG_IVPOSITION, 1);
    ivflat_device_reset(story.dev);
    ck_assert_uint_eq(get(IVFLAT_REG_IVPOSITION), 65535);
    story_close(&story);
    ck_assert_uint_eq(get(IVFLAT_REG_IVPOSITION), 65535);
    ivflat_device_disconnect(story.dev);
    ck_assert_uint_eq(get(IVFLAT_REG_IVPOSITION), 65535);
}
END_TEST

START_TEST(R5_without_interrupts_it_is_0)
{
    begin_ready((ivflat_config){.no_interrupts = 1, .revision0 = (uint32_t)_i});
    ck_assert_uint_eq(get(IVFLAT_REG_IVPOSITION), 0);
    ck_assert_int_eq(ivflat_device_id(story.dev), 3);
    set(IVFLAT_REG_DOORBELL, 0x00040000);
    set(IVFLAT_REG_DOORBELL, 0x00030000);
    ck_assert_uint_eq(story_rung(&story, 4, 0) + story_rung(&story, 3, 0), 0);
    ck_assert_uint_eq(counted(IVFLAT_COUNT_RINGS_IGNORED), 2);
    ck_assert_int_eq(ivflat_device_next_peer(story.dev, -1), -1);
    set(IVFLAT_REG_INTRMASK, 1);
    story_be_rung(&story, 0, 1);
    story_expect(&story, "");
    record_expect_text(story.record.logged, "warning: the device has no interrupts");
}
END_TEST

/* Doorbells ------------------------------------------------------------------------------------------------------- */

START_TEST(R6_all_16_bits_of_each)
{
    begin((ivflat_config){0});
    story_sends(&story, "0", "3", "-1 memory 4096", "255 eventfd", "256 eventfd", "65535 eventfd", "65535 eventfd");
    story_settle(&story);
    set(IVFLAT_REG_DOORBELL, 0xffff0001);
    ck_assert_uint_eq(story_rung(&story, 65535, 1), 1);
    set(IVFLAT_REG_DOORBELL, 0xffff0100); /* 256 is not 0 */
    set(IVFLAT_REG_DOORBELL, 0xffff8001);
    ck_assert_uint_eq(story_rung(&story, 65535, 0) + story_rung(&story, 65535, 1), 0);
    set(IVFLAT_REG_DOORBELL, 0x01000000);
    ck_assert_uint_eq(story_rung(&story, 256, 0), 1);
    ck_assert_uint_eq(story_rung(&story, 255, 0), 0);
    set(IVFLAT_REG_DOORBELL, 0xdeadbeef00ff0000); /* only 32 bits are stored */
    ck_assert_uint_eq(story_rung(&story, 255, 0), 1);
    ck_assert_uint_eq(get(IVFLAT_REG_DOORBELL), 0);
    g_string_truncate(story.record.said, 0);
}
END_TEST

START_TEST(R7_ignored_and_traced)
{
    begin((ivflat_config){0});
    set(IVFLAT_REG_DOORBELL, 0x00030000);
    expect_traced("link 1 0 0\nring_no_peer 3 0 0\n"); /* before set-up */
    story_sends(&story, "0", "3", "-1 memory 4096", "4 eventfd", "4 eventfd");
    story_expect(&story, "memory 4096; ready; peer 4 1; peer 4 2");
    g_string_truncate(story.record.traced, 0);
    set(IVFLAT_REG_DOORBELL, 0x00050001);
    set(IVFLAT_REG_DOORBELL, 0x00030000); /* our own id without vectors is nobody */
    expect_traced("ring_no_peer 5 1 0\nring_no_peer 3 0 0\n");
    set(IVFLAT_REG_DOORBELL, 0x00040002);
    set(IVFLAT_REG_DOORBELL, 0x00040040);
    set(IVFLAT_REG_DOORBELL, 0x0004ffff);
    expect_traced("ring_no_vector 4 2 2\nring_no_vector 4 64 2\nring_no_vector 4 65535 2\n");
    record_expect_text(story.record.guest, "vector 65535 of peer 4");
    record_expect_text(story.record.guest, "vector 1 of peer 5");
    ck_assert_uint_eq(story_rung(&story, 4, 0) + story_rung(&story, 4, 1), 0);
    set(IVFLAT_REG_DOORBELL, 0x00040001);
    expect_traced("ring 4 1 0\n");
    ck_assert_uint_eq(counted(IVFLAT_COUNT_RINGS_SENT), 1);
    ck_assert_uint_eq(counted(IVFLAT_COUNT_RINGS_IGNORED), 6);
}
END_TEST

START_TEST(R7_exactly_that_vector)
{
    begin((ivflat_config){0});
    story_sends(&story, "0", "3", "-1 memory 4096", "4 eventfd", "5 eventfd", "4 eventfd", "5 eventfd");
    story_settle(&story);
    for (uint32_t i = 0; i < 4; i++) {
        story_ring(&story, 4 + i / 2, i % 2);
        for (uint32_t j = 0; j < 4; j++) {
            ck_assert_uint_eq(story_rung(&story, 4 + j / 2, j % 2), i == j);
        }
    }
    g_string_truncate(story.record.said, 0);
}
END_TEST

START_TEST(R8_rings_coalesce_and_none_is_lost)
{
    begin_ready((ivflat_config){0});
    for (int i = 0; i < 1000; i++) {
        story_ring(&story, 4, 1);
        story_ring(&story, 3, 1);
    }
    record_expect(&story.record, ""); /* of oneself: by a later dispatch */
    ck_assert_uint_eq(story_rung(&story, 4, 1), 1000);
    story_expect(&story, "interrupt 1 1000");
    ck_assert_uint_eq(counted(IVFLAT_COUNT_RINGS_SENT), 2000);
    ck_assert_uint_eq(counted(IVFLAT_COUNT_RINGS_RECEIVED), 1000);
}
END_TEST

/* A child that waits for the doorbell reads what was written before it, 1,000 times over. */
struct reader {
    int bell;
    int answer;
    volatile uint32_t *memory;
};

static int read_after_bell(void *argument)
{
    struct reader *reader = argument;

    for (uint32_t round = 1; round <= 1000; round++) {
        wait_readable(reader->bell);
        take_count(reader->bell);
        if (reader->memory[0] != round || reader->memory[512] != ~round) {
            return 1;
        }
        add_count(reader->answer, 1);
    }
    return 0;
}

START_TEST(R9_what_was_written_before_is_seen_after)
{
    struct reader reader = {.answer = make_eventfd()};
    int child;

    untrusting = _i;
    begin_ready((ivflat_config){0});
    reader.bell = story_fd(&story, 4, 0);
    reader.memory = ivflat_device_memory(story.dev);
    child = run_child(read_after_bell, &reader);
    for (uint32_t round = 1; round <= 1000; round++) {
        reader.memory[512] = ~round;
        reader.memory[0] = round;
        story_ring(&story, 4, 0);
        wait_readable(reader.answer);
        take_count(reader.answer);
    }
    ck_assert_int_eq(join_child(child), 0);
    close_fd(reader.answer);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: guest");
    TCase *tcase = suite_case(suite, "accesses");

    tcase_add_test(tcase, R1_nothing_beyond_16_bytes);
    tcase_add_loop_test(tcase, R2_only_aligned_words_count, 0, 17);
    tcase_add_test(tcase, R2_others_are_traced_and_told);
    tcase_add_test(tcase, a_guest_causes_no_log_line);
    tcase = suite_case(suite, "registers");
    tcase_add_test(tcase, R3_revision_1_mask_and_status_are_reserved);
    tcase_add_test(tcase, R4_the_line_follows_status_and_mask);
    tcase_add_test(tcase, R4_both_are_read_write);
    tcase_add_test(tcase, R4_reset_takes_all_away);
    tcase_add_test(tcase, R4_a_snapshot_keeps_both);
    tcase_add_loop_test(tcase, R5_the_position_is_the_id, 0, 2);
    tcase_add_loop_test(tcase, R5_without_interrupts_it_is_0, 0, 2);
    tcase = suite_case(suite, "doorbells");
    tcase_add_test(tcase, R6_all_16_bits_of_each);
    tcase_add_test(tcase, R7_ignored_and_traced);
    tcase_add_test(tcase, R7_exactly_that_vector);
    tcase_add_test(tcase, R8_rings_coalesce_and_none_is_lost);
    tcase_add_loop_test(tcase, R9_what_was_written_before_is_seen_after, 0, 2);
    return suite_run(suite);
}
