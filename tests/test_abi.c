/* SPDX-License-Identifier: BSD-3-Clause */
/* Structs that grow: what is shorter reads as zeros beyond its end, what is longer has to be zeros there. */
#include "support.h"

#include "abi.h"

#include <libivflat/ivflat.h>
#include <string.h>

/* Ours has 16 bytes, of which the first release had 8. */
struct ours {
    uint32_t struct_size;
    uint32_t first;
    uint32_t second;
    uint32_t third;
};

static struct ours ours;

static int32_t take(const void *theirs)
{
    memset(&ours, 0xee, sizeof(ours));
    return ivf_abi_take(&ours, sizeof(ours), theirs, 8, "the_struct");
}

START_TEST(null_is_all_zeros)
{
    ck_assert_int_eq(take(NULL), 0);
    ck_assert_uint_eq(ours.struct_size | ours.first | ours.second | ours.third, 0);
}
END_TEST

/* The loop's number is the size: a field that is there in part reads what is there. */
START_TEST(a_shorter_one_reads_as_zeros_beyond)
{
    struct ours theirs = {(uint32_t)_i, 0x11111111, 0x22222222, 0x33333333};

    ck_assert_int_eq(take(&theirs), 0);
    ck_assert_uint_eq(ours.first, 0x11111111);
    ck_assert_uint_eq(ours.second, _i >= 12 ? 0x22222222 : 0x22222222 & ((1u << 8 * (_i - 8)) - 1));
    ck_assert_uint_eq(ours.third, _i <= 12 ? 0 : 0x33333333 & (uint32_t)(((uint64_t)1 << 8 * (_i - 12)) - 1));
}
END_TEST

START_TEST(shorter_than_the_first_release_is_refused)
{
    struct ours theirs = {(uint32_t)_i, 1, 2, 3};

    ck_assert_int_eq(take(&theirs), IVFLAT_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "the_struct.struct_size"));
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "8"));
}
END_TEST

START_TEST(a_longer_one_has_zeros_in_the_rest)
{
    uint8_t theirs[40] = {40};

    ck_assert_int_eq(take(theirs), 0);
    ck_assert_uint_eq(ours.struct_size, 40);
    theirs[39] = 1;
    ck_assert_int_eq(take(theirs), IVFLAT_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "byte 39"));
    theirs[0] = 39;
    ck_assert_int_eq(take(theirs), 0);
    theirs[16] = 1;
    ck_assert_int_eq(take(theirs), IVFLAT_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "byte 16"));
}
END_TEST

START_TEST(a_field_has_its_most)
{
    ck_assert_int_eq(ivf_abi_at_most(0, 0, "a"), 0);
    ck_assert_int_eq(ivf_abi_at_most(1, 1, "a"), 0);
    ck_assert_int_eq(ivf_abi_at_most(2, 1, "a.flag"), IVFLAT_ERR_INVALID);
    ck_assert_str_eq(ivflat_last_error(), "a.flag is 2, 0 or 1 is right");
    ck_assert_int_eq(ivf_abi_at_most(UINT32_MAX, 0, "a.reserved"), IVFLAT_ERR_INVALID);
    ck_assert_str_eq(ivflat_last_error(), "a.reserved is 4294967295, 0 is right");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("abi");
    TCase *tcase = suite_case(suite, "structs that grow");

    tcase_add_test(tcase, null_is_all_zeros);
    tcase_add_loop_test(tcase, a_shorter_one_reads_as_zeros_beyond, 8, 17);
    tcase_add_loop_test(tcase, shorter_than_the_first_release_is_refused, 0, 8);
    tcase_add_test(tcase, a_longer_one_has_zeros_in_the_rest);
    tcase_add_test(tcase, a_field_has_its_most);
    return suite_run(suite);
}
