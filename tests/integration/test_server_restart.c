/* SPDX-License-Identifier: BSD-3-Clause */
/* ivflat-server is replaced by itself on SIGHUP, while clients come, go and ring: nothing is lost or doubled. */
#include "members.h"
#include "program.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define RESTARTS 100

static struct members members;

/* SIGHUP ---------------------------------------------------------------------------------------------------------- */

static uint32_t times(const char *text, const char *words)
{
    uint32_t count = 0;

    while ((text = strstr(text, words))) {
        text += strlen(words);
        count++;
    }
    return count;
}

static void wait_for_restart(struct process *server, uint32_t count)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_MS * 1000;

    while (times(process_said(server), "goes on, with") < count) {
        ck_assert_msg(g_get_monotonic_time() < end, "restart %u did not come: %s", count, process_said(server));
        members_wait(&members, -1, 1);
    }
}

/* Somebody new in place of somebody; and those that stay ring each other. */
static void bustle(uint32_t round)
{
    uint32_t seat = 2 + round % (MEMBERS - 2);
    int32_t first = ivflat_device_id(members.all[0].dev);

    if (members.all[seat].dev) {
        member_leave(&members, seat);
    } else {
        member_join(&members, seat);
    }
    ivflat_device_write(members.all[1].dev, IVFLAT_REG_DOORBELL, 4, (uint32_t)first << 16 | round % 2);
    members_dispatch(&members);
}

START_TEST(a_hundred_restarts_and_not_a_message_is_lost_or_doubled)
{
    struct process *server = server_begin("2");
    uint64_t rung;

    members = (struct members){.path = test_path("s")};
    for (uint32_t i = 0; i < 2; i++) {
        member_join(&members, i);
    }
    members_settle(&members, -1, NULL, NULL);
    for (uint32_t round = 0; round < RESTARTS; round++) {
        bustle(round);
        ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
        bustle(round + 5);
        wait_for_restart(server, round + 1);
    }
    members_settle(&members, -1, NULL, NULL);
    rung = members.all[0].rung[0] + members.all[0].rung[1];
    ck_assert_uint_eq(rung, 2 * RESTARTS);
    members_ring(&members);
    ck_assert_ptr_null(strstr(process_said(server), "afresh"));
    ck_assert_int_eq(kill(process_pid(server), SIGUSR1), 0);
    process_expect(server, "status: up [^\n]*, 100 restarts\n");
    for (uint32_t i = 0; i < MEMBERS; i++) {
        if (members.all[i].dev) {
            ck_assert(!members.all[i].down);
            member_leave(&members, i);
        }
    }
    process_expect_end(server, SIGTERM, 0);
    expect_folder("");
}
END_TEST

/* One that reads nothing all the while: at the end it has missed nothing. */
START_TEST(what_waits_survives_too)
{
    struct process *server = program_start(SERVER, "-F", "-S", test_path("s"), "-n2", "--max-queue=100000");
    gint64 end;

    process_expect(server, "ready");
    members = (struct members){.path = test_path("s")};
    member_join(&members, 0);
    member_join(&members, 1);
    members_settle(&members, -1, NULL, NULL);
    members.all[0].silent = true;
    for (uint32_t round = 0; round < 200; round++) { /* 600 messages: more than a socket takes */
        member_join(&members, 2);
        members_wait(&members, -1, 0);
        while (ivflat_device_link(members.all[2].dev) != IVFLAT_LINK_READY) {
            members_wait(&members, -1, 10);
        }
        member_leave(&members, 2);
        if (round % 50 == 49) {
            ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
            wait_for_restart(server, round / 50 + 1);
        }
    }
    members.all[0].silent = false;
    end = g_get_monotonic_time() + PATIENCE_MS * 1000;
    while (ivflat_device_counter(members.all[0].dev, 3) < 3 + 2 + 2 + 200 * 3) { /* all messages that there were */
        ck_assert_msg(g_get_monotonic_time() < end, "only %u messages came",
                      (unsigned)ivflat_device_counter(members.all[0].dev, 3));
        members_wait(&members, -1, 100);
    }
    members_settle(&members, -1, NULL, NULL);
    ck_assert_uint_eq(ivflat_device_counter(members.all[0].dev, 3), 3 + 2 + 2 + 200 * 3);
    member_leave(&members, 0);
    member_leave(&members, 1);
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(a_signal_that_comes_meanwhile_is_not_lost)
{
    for (int i = 0; i < 10; i++) {
        struct process *server = server_begin("1");

        ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
        process_expect_end(server, SIGTERM, 0);
        expect_folder("");
    }
}
END_TEST

START_TEST(the_new_binary_is_the_one_at_the_path)
{
    struct process *server;
    char *script = g_strdup_printf("#!/bin/sh\necho a newer one\nexec \"%s\" \"$@\"\n", SERVER);

    ck_assert_int_eq(symlink(SERVER, test_path("server")), 0);
    server = program_start(test_path("server"), "-F", "-S", test_path("s"));
    process_expect(server, "ready");
    ck_assert_int_eq(unlink(test_path("server")), 0);
    ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
    process_expect(server, "cannot start anew, this server goes on: No such file or directory");
    program_run(0, "joined as 0", CLIENT, "-S", test_path("s"), "--read", "0:1");
    ck_assert(g_file_set_contents_full(test_path("server"), script, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
    ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
    process_expect(server, "a newer one\nivflat-server: goes on, with 0 clients");
    program_run(0, "joined as 1", CLIENT, "-S", test_path("s"), "--read", "0:1");
    process_expect_end(server, SIGTERM, 0);
    expect_folder("server");
    g_free(script);
}
END_TEST

static void put_server(const char *script)
{
    ck_assert(g_file_set_contents_full(test_path("new"), script, -1, G_FILE_SET_CONTENTS_NONE, 0755, NULL));
    ck_assert_int_eq(rename(test_path("new"), test_path("server")), 0);
}

/* Once it had taken over there would be no way back. */
START_TEST(a_new_binary_that_would_fail_takes_nothing_over)
{
    struct process *server;
    struct process *client;

    ck_assert_int_eq(symlink(SERVER, test_path("server")), 0);
    server = program_start(test_path("server"), "-F", "-S", test_path("s"), "--allow-uid=0", "--allow-uid=65534", "--");
    process_expect(server, "ready");
    client = program_start(CLIENT, "-S", test_path("s"));
    process_expect(client, "joined as 0");
    put_server("#!/bin/sh\necho \"$0: there is no such user\" >&2; test \"$6\" = --version && exit 3\n");
    ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
    process_expect(server,
                   "there is no such user\n[^\n]*cannot start anew, this server goes on: [^\n]*/server does not "
                   "take the words that we were started with: exit status 3 [^\n]*\n");
    put_server("#!/bin/sh\nkill -11 $$\n");
    ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
    process_expect(server, "this server goes on: [^\n]*/server was ended by signal 11 when it was tried\n");
    client_does(client, "ring 0 0", "rang peer 0, vector 0");
    process_end(client, SIGKILL);
    process_expect_end(server, SIGTERM, 0);
    expect_folder("server");
}
END_TEST

/* Nobody waits for it, and it does not stay behind. */
START_TEST(a_new_binary_that_hangs_holds_up_nobody)
{
    struct process *server;
    char *script =
        g_strdup_printf("#!/bin/sh\necho it hangs >&2\nexec >\"%s\" 2>&1 <&1\nkill -STOP $$\n", test_path("pipe"));
    char byte;
    int fd;

    ck_assert_int_eq(mkfifo(test_path("pipe"), 0600), 0);
    fd = open(test_path("pipe"), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    ck_assert_int_eq(symlink(SERVER, test_path("server")), 0);
    server = program_start(test_path("server"), "-F", "-S", test_path("s"));
    process_expect(server, "ready");
    put_server(script);
    ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
    process_expect(server, "it hangs");
    ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
    program_run(0, "joined as 0", CLIENT, "-S", test_path("s"), "--read", "0:1");
    process_expect_end(server, SIGTERM, 0);
    wait_readable(fd); /* its end: nobody has it open any more */
    ck_assert_int_eq(read(fd, &byte, 1), 0);
    close_fd(fd);
    expect_folder("pipe server");
    g_free(script);
}
END_TEST

START_TEST(what_was_not_handed_over_is_a_fresh_start)
{
    struct process *server = program_start("env", "IVFLAT_SERVER_HANDED=77 -1 0", SERVER, "-F", "-S", test_path("s"));

    process_expect(server, "the server starts afresh\n(.|\n)*ready on");
    program_run(0, "joined as 0", CLIENT, "-S", test_path("s"), "--read", "0:1");
    process_expect_end(server, SIGTERM, 0);
    expect_folder("");
    server = program_start("env", "IVFLAT_SERVER_HANDED=nonsense", SERVER, "-F", "-S", test_path("s"));
    process_expect(server, "^ivflat-server: ready on");
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

/* "0" where there is no such line. */
static int status_number(struct process *server, const char *name)
{
    char *path = g_strdup_printf("/proc/%d/status", process_pid(server));
    const char *line;
    char *text;
    int number;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    line = strstr(text, name);
    number = line ? atoi(line + strlen(name)) : 0;
    g_free(text);
    g_free(path);
    return number;
}

START_TEST(a_restart_works_under_a_filter_of_system_calls)
{
    struct process *server = program_start(SERVER, "-F", "-v", "-n2", "-S", test_path("s"), "--seccomp");
    int filters;

    if (process_says(server, "needs a program that was built with libseccomp", 0) ||
        !process_says(server, "ready", PATIENCE_MS)) {
        printf("a_restart_works_under_a_filter: skipped: %s", process_said(server));
        return;
    }
    ck_assert_int_eq(status_number(server, "Seccomp:\t"), 2);
    filters = status_number(server, "Seccomp_filters:\t");
    members = (struct members){.path = test_path("s")};
    member_join(&members, 0);
    for (uint32_t round = 0; round < 5; round++) {
        member_join(&members, 1);
        ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
        wait_for_restart(server, round + 1);
        members_settle(&members, -1, NULL, NULL);
        members_ring(&members);
        member_leave(&members, 1);
    }
    ck_assert_int_eq(kill(process_pid(server), SIGUSR1), 0);
    process_expect(server, "5 restarts\n");
    ck_assert_int_eq(status_number(server, "Seccomp:\t"), 2);
    ck_assert_int_eq(status_number(server, "Seccomp_filters:\t"), filters); /* not one more each time */
    member_leave(&members, 0);
    process_expect_end(server, SIGTERM, 0);
    expect_folder("");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_restart");
    TCase *tcase = suite_case(suite, "SIGHUP");

    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, a_hundred_restarts_and_not_a_message_is_lost_or_doubled);
    tcase_add_test(tcase, what_waits_survives_too);
    tcase_add_test(tcase, a_signal_that_comes_meanwhile_is_not_lost);
    tcase_add_test(tcase, the_new_binary_is_the_one_at_the_path);
    tcase_add_test(tcase, a_restart_works_under_a_filter_of_system_calls);
    tcase_add_test(tcase, a_new_binary_that_would_fail_takes_nothing_over);
    tcase_add_test(tcase, a_new_binary_that_hangs_holds_up_nobody);
    tcase_add_test(tcase, what_was_not_handed_over_is_a_fresh_start);
    return suite_run(suite);
}
