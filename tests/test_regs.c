/* SPDX-License-Identifier: BSD-3-Clause */
/* The register map of both revisions, with the truth tables written out. */
#include "support.h"

#include "regs.h"

static struct ivf_regs regs;

enum { MASK = 0x0, STATUS = 0x4, POSITION = 0x8, DOORBELL = 0xc };

static const uint32_t values[] = {0, 1, 2, 3, 0x80000000, 0xfffffffe, 0xffffffff, 0x00030001, 0x01010101};
#define VALUES ((int)(sizeof(values) / sizeof(values[0])))

static void begin(bool revision0)
{
    regs = (struct ivf_regs){.revision0 = revision0};
}

static uint32_t get(uint64_t offset)
{
    return ivf_regs_read(&regs, offset, 4, 3);
}

static enum ivf_action set(uint64_t offset, uint32_t value)
{
    return ivf_regs_write(&regs, offset, 4, value);
}

/* Whatever the guest does, mask and status as seen by the device itself. */
static void expect_state(uint32_t mask, uint32_t status, uint32_t line)
{
    ck_assert_uint_eq(regs.mask, mask);
    ck_assert_uint_eq(regs.status, status);
    ck_assert_uint_eq(ivf_regs_line(&regs), line);
}

START_TEST(R1_four_registers_in_16_bytes)
{
    static const uint64_t beyond[] = {0x10,   0x14,        0x18,        0x1c,           0x20,      0x100,
                                      0x1000, 0x100000000, 0x10000000c, UINT64_MAX - 3, UINT64_MAX};

    begin(true);
    for (uint64_t offset = 0; offset <= 0xc; offset += 4) {
        ck_assert(ivf_regs_valid(offset, 4));
    }
    for (size_t i = 0; i < sizeof(beyond) / sizeof(beyond[0]); i++) {
        ck_assert(!ivf_regs_valid(beyond[i], 4));
        ck_assert_uint_eq(get(beyond[i]), 0);
        ck_assert_int_eq(set(beyond[i], 1), IVF_ACTION_INVALID);
        expect_state(0, 0, 0);
    }
}
END_TEST

/* The loop's number is the width: each offset up to beyond the end, both revisions, several values. */
START_TEST(R2_only_aligned_4_byte_accesses_count)
{
    uint32_t width = (uint32_t)_i;

    for (uint64_t offset = 0; offset < 0x18; offset++) {
        bool counts = width == 4 && (offset == 0 || offset == 4 || offset == 8 || offset == 12);

        ck_assert_int_eq(ivf_regs_valid(offset, width), counts);
        for (int i = 0; i < VALUES && !counts; i++) {
            begin(i & 1);
            ck_assert_int_eq(ivf_regs_write(&regs, offset, width, values[i]), IVF_ACTION_INVALID);
            expect_state(0, 0, 0);
            ivf_regs_write(&regs, MASK, 4, 1);
            ivf_regs_interrupt(&regs);
            ck_assert_uint_eq(ivf_regs_read(&regs, offset, width, 0xffffffff), 0);
            expect_state(i & 1, i & 1, i & 1); /* not cleared */
        }
    }
}
END_TEST

START_TEST(R2_a_width_of_2_to_the_32_and_4_is_not_4)
{
    begin(false);
    ck_assert(!ivf_regs_valid(0, UINT32_MAX));
    ck_assert(!ivf_regs_valid(0, 0));
    ck_assert(!ivf_regs_valid(0, 0x80000004));
}
END_TEST

START_TEST(R3_revision_1_mask_and_status_are_reserved)
{
    begin(false);
    ck_assert_int_eq(set(MASK, values[_i]), IVF_ACTION_NONE);
    ck_assert_int_eq(set(STATUS, values[_i]), IVF_ACTION_NONE);
    ck_assert_uint_eq(get(MASK), 0);
    ck_assert_uint_eq(get(STATUS), 0);
    ivf_regs_interrupt(&regs);
    ck_assert_uint_eq(get(MASK), 0);
    ck_assert_uint_eq(get(STATUS), 0);
    ck_assert_uint_eq(ivf_regs_line(&regs), 0);
}
END_TEST

START_TEST(R3_both_are_0_after_reset)
{
    begin(true);
    set(MASK, 1);
    set(STATUS, 1);
    ivf_regs_reset(&regs);
    expect_state(0, 0, 0);
    ck_assert_uint_eq(get(MASK), 0);
    ck_assert_uint_eq(get(STATUS), 0);
    ck_assert(regs.revision0);
}
END_TEST

START_TEST(R4_bit_0_is_stored_the_rest_reads_0)
{
    begin(true);
    ck_assert_int_eq(set(MASK, values[_i]), IVF_ACTION_NONE);
    ck_assert_uint_eq(get(MASK), values[_i] % 2);
    ck_assert_uint_eq(get(MASK), values[_i] % 2); /* reading it takes nothing away */
    ck_assert_int_eq(set(STATUS, values[_i]), IVF_ACTION_NONE);
    ck_assert_uint_eq(get(STATUS), values[_i] % 2);
}
END_TEST

START_TEST(R4_reading_the_status_clears_it)
{
    begin(true);
    ivf_regs_interrupt(&regs);
    ck_assert_uint_eq(get(STATUS), 1);
    ck_assert_uint_eq(get(STATUS), 0);
    ivf_regs_interrupt(&regs);
    ivf_regs_interrupt(&regs);
    ck_assert_uint_eq(get(MASK), 0);
    ck_assert_uint_eq(get(POSITION), 3);
    ck_assert_uint_eq(get(DOORBELL), 0);
    ck_assert_uint_eq(get(STATUS), 1);
    ck_assert_uint_eq(get(STATUS), 0);
}
END_TEST

START_TEST(R4_writing_the_status_sets_and_clears_it)
{
    begin(true);
    set(STATUS, 1);
    expect_state(0, 1, 0);
    set(STATUS, 0);
    expect_state(0, 0, 0);
    ivf_regs_interrupt(&regs);
    set(STATUS, 2);
    expect_state(0, 0, 0);
}
END_TEST

/* The line: status AND mask. */
START_TEST(R4_the_line_is_status_and_mask)
{
    static const uint32_t truth[4][3] = {{0, 0, 0}, {0, 1, 0}, {1, 0, 0}, {1, 1, 1}};

    begin(true);
    set(MASK, truth[_i][0]);
    set(STATUS, truth[_i][1]);
    expect_state(truth[_i][0], truth[_i][1], truth[_i][2]);
}
END_TEST

START_TEST(R4_the_line_follows_both)
{
    begin(true);
    ivf_regs_interrupt(&regs);
    expect_state(0, 1, 0); /* masked: pending */
    set(MASK, 1);
    expect_state(1, 1, 1); /* the mask lets it through */
    set(MASK, 0xfffffffe);
    expect_state(0, 1, 0);
    set(MASK, 1);
    get(STATUS);
    expect_state(1, 0, 0);
    ivf_regs_interrupt(&regs);
    expect_state(1, 1, 1);
}
END_TEST

START_TEST(R5_the_position_is_read_only)
{
    static const uint32_t positions[] = {0, 1, 65535, 0xffffffff};

    for (int revision0 = 0; revision0 < 2; revision0++) {
        begin(revision0);
        for (int i = 0; i < 4; i++) {
            ck_assert_int_eq(set(POSITION, values[_i]), IVF_ACTION_NONE);
            ck_assert_uint_eq(ivf_regs_read(&regs, POSITION, 4, positions[i]), positions[i]);
        }
        expect_state(0, 0, 0);
    }
}
END_TEST

START_TEST(R6_the_doorbell_is_write_only)
{
    for (int revision0 = 0; revision0 < 2; revision0++) {
        begin(revision0);
        ck_assert_int_eq(set(DOORBELL, values[_i]), IVF_ACTION_RING);
        ck_assert_uint_eq(get(DOORBELL), 0);
        expect_state(0, 0, 0);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("regs");
    TCase *tcase = suite_case(suite, "accesses");

    tcase_add_test(tcase, R1_four_registers_in_16_bytes);
    tcase_add_loop_test(tcase, R2_only_aligned_4_byte_accesses_count, 0, 17);
    tcase_add_test(tcase, R2_a_width_of_2_to_the_32_and_4_is_not_4);
    tcase = suite_case(suite, "registers");
    tcase_add_loop_test(tcase, R3_revision_1_mask_and_status_are_reserved, 0, VALUES);
    tcase_add_test(tcase, R3_both_are_0_after_reset);
    tcase_add_loop_test(tcase, R4_bit_0_is_stored_the_rest_reads_0, 0, VALUES);
    tcase_add_test(tcase, R4_reading_the_status_clears_it);
    tcase_add_test(tcase, R4_writing_the_status_sets_and_clears_it);
    tcase_add_loop_test(tcase, R4_the_line_is_status_and_mask, 0, 4);
    tcase_add_test(tcase, R4_the_line_follows_both);
    tcase_add_loop_test(tcase, R5_the_position_is_read_only, 0, VALUES);
    tcase_add_loop_test(tcase, R6_the_doorbell_is_write_only, 0, VALUES);
    return suite_run(suite);
}
