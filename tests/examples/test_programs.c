/* SPDX-License-Identifier: BSD-3-Clause */
/* The programs that show how to embed the device, in pairs against a real server: one asks, one answers. */
#include <signal.h>

#include "program.h"
#include "support.h"

static const char *const names[] = {"MINIMAL", "GLIB_LOOP"};

static struct program *server;

static void start_server(void)
{
    server = program_run(where("SERVER"), "-F", "-S", test_path("socket"), "-l", "64K");
    program_tells(server, test_path("socket"));
}

/* Each of the two with each of the two. */
START_TEST(one_rings_the_other_answers)
{
    struct program *answers, *asks;

    start_server();
    answers = program_run(where(names[_i / 2]), test_path("socket"));
    program_says(answers, "peer 0");
    asks = program_run(where(names[_i % 2]), test_path("socket"), "0");
    program_says(asks, "peer 1");
    program_says(answers, "rung at vector 0");
    program_says(asks, "rung at vector 0");
    ck_assert_ptr_null(program_line(answers));
    ck_assert_ptr_null(program_line(asks));
    ck_assert_int_eq(program_end(answers, 0), 0);
    ck_assert_int_eq(program_end(asks, 0), 0);
    ck_assert_int_eq(program_end(server, SIGTERM), 0);
}
END_TEST

/* The one that asks is there first, and rings as soon as the other comes. */
START_TEST(who_is_rung_may_come_later)
{
    struct program *answers, *asks;

    start_server();
    asks = program_run(where(names[_i]), test_path("socket"), "1");
    program_says(asks, "peer 0");
    answers = program_run(where(names[_i]), test_path("socket"));
    program_says(answers, "peer 1");
    program_says(asks, "rung at vector 0");
    ck_assert_int_eq(program_end(answers, 0), 0);
    ck_assert_int_eq(program_end(asks, 0), 0);
    ck_assert_int_eq(program_end(server, SIGTERM), 0);
}
END_TEST

START_TEST(no_server_and_a_server_that_goes_are_said)
{
    struct program *program = program_run(where(names[_i]), test_path("none"));

    program_tells(program, test_path("none"));
    ck_assert_int_eq(program_end(program, 0), 1);
    start_server();
    program = program_run(where(names[_i]), test_path("socket"));
    program_says(program, "peer 0");
    ck_assert_int_eq(program_end(server, SIGKILL), 128 + SIGKILL);
    program_tells(program, "server");
    ck_assert_int_eq(program_end(program, 0), 1);
}
END_TEST

START_TEST(without_a_socket_the_usage_is_shown)
{
    struct program *program = program_start((const char *const[]){where(names[_i]), NULL});

    program_tells(program, "usage: ");
    ck_assert_int_eq(program_end(program, 0), 2);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("programs");
    TCase *programs = suite_case(suite, "programs");

    tcase_add_loop_test(programs, one_rings_the_other_answers, 0, 4);
    tcase_add_loop_test(programs, who_is_rung_may_come_later, 0, 2);
    tcase_add_loop_test(programs, no_server_and_a_server_that_goes_are_said, 0, 2);
    tcase_add_loop_test(programs, without_a_socket_the_usage_is_shown, 0, 2);
    return suite_run(suite);
}
