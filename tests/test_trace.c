/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers and names of the trace events: both are for life, so they are written out here. */
#include "support.h"

#include <libivflat/ivflat-trace.h>

static const char *const names[] = {
    "unknown", "link",       "message", "memory",       "vector_added",   "vector_refused", "peer_left", "read",
    "write",   "bad_access", "ring",    "ring_no_peer", "ring_no_vector", "ring_failed",    "interrupt", "reset",
};
#define NAMES ((uint32_t)(sizeof(names) / sizeof(names[0])))

START_TEST(each_event_has_its_name)
{
    for (uint32_t event = 0; event < NAMES; event++) {
        ck_assert_str_eq(ivflat_trace_name(event), names[event]);
    }
}
END_TEST

START_TEST(another_number_is_unknown)
{
    ck_assert_str_eq(ivflat_trace_name(NAMES), "unknown");
    ck_assert_str_eq(ivflat_trace_name(1000), "unknown");
    ck_assert_str_eq(ivflat_trace_name(UINT32_MAX), "unknown");
}
END_TEST

START_TEST(the_numbers_stay)
{
    ck_assert_int_eq(IVFLAT_TRACE_LINK, 1);
    ck_assert_int_eq(IVFLAT_TRACE_RING, 10);
    ck_assert_int_eq(IVFLAT_TRACE_RESET, 15);
    ck_assert_int_eq(IVFLAT_COUNT_RINGS_SENT, 0);
    ck_assert_int_eq(IVFLAT_COUNT_RINGS_IGNORED, 1);
    ck_assert_int_eq(IVFLAT_COUNT_RINGS_RECEIVED, 2);
    ck_assert_int_eq(IVFLAT_COUNT_MESSAGES, 3);
    ck_assert_int_eq(IVFLAT_COUNT_LINK_LOSSES, 4);
    ck_assert_int_eq(IVFLAT_COUNT_BAD_ACCESSES, 5);
    ck_assert_int_eq(IVFLAT_COUNT_VECTORS_REFUSED, 6);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("trace");
    TCase *tcase = suite_case(suite, "trace");

    tcase_add_test(tcase, each_event_has_its_name);
    tcase_add_test(tcase, another_number_is_unknown);
    tcase_add_test(tcase, the_numbers_stay);
    return suite_run(suite);
}
