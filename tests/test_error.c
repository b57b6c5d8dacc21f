/* SPDX-License-Identifier: BSD-3-Clause */
/* Codes and sentences. */
#include "support.h"

#include "error.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

START_TEST(the_sentence_is_set_and_the_code_answered)
{
    ck_assert_int_eq(ivf_fail(IVFLAT_ERR_PROTOCOL, "message %d is bad", 7), IVFLAT_ERR_PROTOCOL);
    ck_assert_str_eq(ivflat_last_error(), "message 7 is bad");
}
END_TEST

START_TEST(a_system_call_has_its_name_in_words)
{
    ck_assert_int_eq(ivf_fail_errno(EACCES, "cannot open %s", "it"), IVFLAT_ERR_SYSTEM);
    ck_assert_str_eq(ivflat_last_error(), "cannot open it: Permission denied");
    ck_assert_int_eq(ivf_fail_errno(ENOMEM, "no"), IVFLAT_ERR_NOMEM);
}
END_TEST

START_TEST(a_sentence_may_quote_the_last_one)
{
    ivf_fail(IVFLAT_ERR_INVALID, "inner");
    ivf_fail(IVFLAT_ERR_INVALID, "outer: %s", ivflat_last_error());
    ck_assert_str_eq(ivflat_last_error(), "outer: inner");
}
END_TEST

START_TEST(a_long_sentence_is_cut_not_overrun)
{
    char text[5000];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ivf_fail(IVFLAT_ERR_INVALID, "%s", text);
    ck_assert_uint_lt(strlen(ivflat_last_error()), 1024);
    ck_assert_uint_gt(strlen(ivflat_last_error()), 200);
    ivf_fail_errno(EIO, "%s", text);
    ck_assert_uint_lt(strlen(ivflat_last_error()), 1024);
}
END_TEST

static void *look_and_fail(void *before)
{
    *(bool *)before = ivflat_last_error()[0] != '\0';
    ivf_fail(IVFLAT_ERR_BUSY, "the other thread's");
    return NULL;
}

START_TEST(each_thread_has_its_own)
{
    pthread_t thread;
    bool before = true;

    ivf_fail(IVFLAT_ERR_INVALID, "this thread's");
    ck_assert_int_eq(pthread_create(&thread, NULL, look_and_fail, &before), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
    ck_assert_msg(!before, "a new thread's sentence is \"\"");
    ck_assert_str_eq(ivflat_last_error(), "this thread's");
}
END_TEST

START_TEST(each_code_has_words_of_its_own)
{
    for (int32_t one = IVFLAT_ERR_NOMEM; one <= IVFLAT_OK; one++) {
        ck_assert_str_ne(ivflat_strerror(one), "");
        ck_assert_str_ne(ivflat_strerror(one), ivflat_strerror(1));
        for (int32_t other = IVFLAT_ERR_NOMEM; other < one; other++) {
            ck_assert_str_ne(ivflat_strerror(one), ivflat_strerror(other));
        }
    }
}
END_TEST

START_TEST(another_number_has_words_too)
{
    static const int32_t unknown[] = {1, 99, -10, -100, INT32_MIN, INT32_MAX};

    for (size_t i = 0; i < sizeof(unknown) / sizeof(unknown[0]); i++) {
        ck_assert_str_eq(ivflat_strerror(unknown[i]), "unknown error");
    }
}
END_TEST

START_TEST(the_version_is_the_headers)
{
    ck_assert_uint_eq(ivflat_version(), IVFLAT_VERSION);
    ck_assert_uint_eq(IVFLAT_VERSION, IVFLAT_VERSION_MAJOR << 16 | IVFLAT_VERSION_MINOR << 8 | IVFLAT_VERSION_MICRO);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("error");
    TCase *tcase = suite_case(suite, "sentences");

    tcase_add_test(tcase, the_sentence_is_set_and_the_code_answered);
    tcase_add_test(tcase, a_system_call_has_its_name_in_words);
    tcase_add_test(tcase, a_sentence_may_quote_the_last_one);
    tcase_add_test(tcase, a_long_sentence_is_cut_not_overrun);
    tcase_add_test(tcase, each_thread_has_its_own);
    tcase = suite_case(suite, "codes");
    tcase_add_test(tcase, each_code_has_words_of_its_own);
    tcase_add_test(tcase, another_number_has_words_too);
    tcase_add_test(tcase, the_version_is_the_headers);
    return suite_run(suite);
}
