/* SPDX-License-Identifier: BSD-3-Clause */
/* Who has which id, over the whole range. */
#include "support.h"

#include "server-ids.h"

#define LAST 65535

static struct ivf_ids ids;
static int holders[LAST + 1];

static int32_t take(void)
{
    int32_t id = ivf_ids_next(&ids);

    if (id >= 0) {
        ivf_ids_hold(&ids, (uint32_t)id, &holders[id]);
    }
    return id;
}

START_TEST(P11_ids_go_up_from_0_to_65535_and_no_further)
{
    ivf_ids_init(&ids, false);
    for (int32_t id = 0; id <= LAST; id++) {
        ck_assert_int_eq(take(), id);
    }
    ck_assert_int_eq(take(), -1);
    ck_assert_uint_eq(ids.count, 65536);
    ivf_ids_fini(&ids);
}
END_TEST

START_TEST(P11_a_freed_id_waits_until_65535_is_past)
{
    ivf_ids_init(&ids, false);
    ck_assert_int_eq(take(), 0);
    ck_assert_int_eq(take(), 1);
    ivf_ids_release(&ids, 1);
    for (int32_t id = 2; id <= LAST; id++) {
        ck_assert_int_eq(take(), id);
        ivf_ids_release(&ids, (uint32_t)id);
    }
    ck_assert_int_eq(take(), 1); /* 0 is held */
    ck_assert_int_eq(take(), 2);
    ivf_ids_fini(&ids);
}
END_TEST

START_TEST(the_one_that_is_free_is_found)
{
    ivf_ids_init(&ids, false);
    while (take() >= 0) {
    }
    ivf_ids_release(&ids, 40000);
    ck_assert_int_eq(take(), 40000);
    ck_assert_int_eq(take(), -1);
    ivf_ids_release(&ids, LAST);
    ck_assert_int_eq(take(), LAST);
    ivf_ids_release(&ids, 0);
    ck_assert_int_eq(take(), 0);
    ivf_ids_fini(&ids);
}
END_TEST

START_TEST(an_id_that_was_not_taken_is_not_used_up)
{
    ivf_ids_init(&ids, false);
    ck_assert_int_eq(ivf_ids_next(&ids), 0);
    ck_assert_int_eq(ivf_ids_next(&ids), 0);
    ivf_ids_fini(&ids);
}
END_TEST

START_TEST(the_lowest_one_where_asked_for)
{
    ivf_ids_init(&ids, true);
    for (int32_t id = 0; id < 5; id++) {
        ck_assert_int_eq(take(), id);
    }
    ivf_ids_release(&ids, 3);
    ivf_ids_release(&ids, 1);
    ck_assert_int_eq(take(), 1);
    ck_assert_int_eq(take(), 3);
    ck_assert_int_eq(take(), 5);
    while (take() >= 0) {
    }
    ck_assert_uint_eq(ids.count, 65536);
    ivf_ids_release(&ids, LAST);
    ck_assert_int_eq(take(), LAST);
    ivf_ids_fini(&ids);
}
END_TEST

START_TEST(a_reserved_one_is_nobodys)
{
    ivf_ids_init(&ids, false);
    ivf_ids_reserve(&ids, 1);
    ivf_ids_reserve(&ids, 1);
    ck_assert_int_eq(take(), 0);
    ck_assert_int_eq(take(), 2);
    ivf_ids_hold(&ids, 1, &holders[1]); /* who came for it */
    ivf_ids_release(&ids, 1);
    ck_assert_int_eq(take(), 3);
    while (take() >= 0) {
    }
    ck_assert_uint_eq(ids.count, 65536);
    ck_assert_ptr_null(ivf_ids_holder(&ids, 1));
    ivf_ids_fini(&ids);
}
END_TEST

START_TEST(who_holds_which)
{
    ivf_ids_init(&ids, false);
    ck_assert_int_eq(take(), 0);
    ck_assert_int_eq(take(), 1);
    ck_assert_ptr_eq(ivf_ids_holder(&ids, 1), &holders[1]);
    ck_assert_ptr_null(ivf_ids_holder(&ids, 2));
    ck_assert_ptr_null(ivf_ids_holder(&ids, 65536));
    ck_assert_ptr_null(ivf_ids_holder(&ids, UINT64_MAX));
    ivf_ids_release(&ids, 1);
    ck_assert_ptr_null(ivf_ids_holder(&ids, 1));
    ivf_ids_fini(&ids);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server-ids");
    TCase *tcase = suite_case(suite, "ids");

    tcase_add_test(tcase, P11_ids_go_up_from_0_to_65535_and_no_further);
    tcase_add_test(tcase, P11_a_freed_id_waits_until_65535_is_past);
    tcase_add_test(tcase, the_one_that_is_free_is_found);
    tcase_add_test(tcase, an_id_that_was_not_taken_is_not_used_up);
    tcase_add_test(tcase, the_lowest_one_where_asked_for);
    tcase_add_test(tcase, a_reserved_one_is_nobodys);
    tcase_add_test(tcase, who_holds_which);
    return suite_run(suite);
}
