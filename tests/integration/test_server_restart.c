/* SPDX-License-Identifier: BSD-3-Clause */
/* ivflat-server is replaced by itself while clients come, go and ring: by SIGHUP, where nothing is lost or doubled, and
 * by kill -9, where what cannot be known costs one client its link, and never a wrong vector. */
#include "keeper.h"
#include "members.h"
#include "program.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
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

static void wait_for_words(struct process *process, const char *words, uint32_t count)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_MS * 1000;

    while (times(process_said(process), words) < count) {
        ck_assert_msg(g_get_monotonic_time() < end, "\"%s\" not %u times: %s", words, count, process_said(process));
        members_wait(&members, -1, 1);
    }
}

static void wait_for_restart(struct process *server, uint32_t count)
{
    wait_for_words(server, "goes on, with", count);
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

/* kill -9 --------------------------------------------------------------------------------------------------------- */

static struct keeper keeper;

static void hear(void *user)
{
    keeper_hear(user);
}

/* Ready, or it does not come to that. */
static void wait_for_ready(void)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_MS * 1000;

    while (keeper.readies == 0) {
        ck_assert_msg(g_get_monotonic_time() < end, "the server does not get ready");
        members_wait(&members, keeper.notify, 10);
        keeper_hear(&keeper);
    }
}

/* False: this program was built without what it takes. */
static bool can_keep(void)
{
    struct process *server =
        program_start("env", "NOTIFY_SOCKET=/nowhere", SERVER, "-F", "--keep-state", "-S", test_path("none/s"));
    bool can = process_says(server, "cannot listen", PATIENCE_MS);

    process_expect_end(server, 0, 2);
    if (!can) {
        printf("skipped: %s", process_said(server));
    }
    return can;
}

START_TEST(a_hundred_kills_and_nobody_has_a_wrong_vector)
{
    const char *argv[] = {SERVER, "-F", "-n2", "-l64K", "--keep-state", "-S", test_path("s"), NULL};
    GRand *random = g_rand_new_with_seed(5);
    uint32_t closed = 0;
    uint32_t joined = 0;

    if (!can_keep()) {
        g_rand_free(random);
        return;
    }
    keeper_begin(&keeper, argv);
    members = (struct members){.path = test_path("s")};
    keeper_start(&keeper);
    wait_for_ready();
    for (uint32_t kill = 0; kill < RESTARTS; kill++) {
        for (int steps = g_rand_int_range(random, 1, 30); steps > 0; steps--) {
            uint32_t seat = (uint32_t)g_rand_int_range(random, 0, MEMBERS);

            if (!members.all[seat].dev) {
                member_join(&members, seat);
                joined++;
            } else if (g_rand_int_range(random, 0, 3) == 0) {
                member_leave(&members, seat);
            }
            members_wait(&members, keeper.notify, g_rand_int_range(random, 0, 2));
            keeper_hear(&keeper);
        }
        keeper_kill(&keeper, SIGKILL);
        keeper_start(&keeper);
        wait_for_ready();
        for (uint32_t seat = 0; seat < MEMBERS; seat++) {
            members_dispatch(&members);
            if (members.all[seat].dev && members.all[seat].down) {
                member_leave(&members, seat);
                closed++;
            }
        }
    }
    members_settle(&members, keeper.notify, hear, &keeper);
    members_ring(&members);
    printf("%d kills: of %u that joined, %u were closed\n", RESTARTS, joined, closed);
    for (uint32_t seat = 0; seat < MEMBERS; seat++) {
        if (members.all[seat].dev) {
            member_leave(&members, seat);
        }
    }
    keeper_kill(&keeper, SIGINT);
    ck_assert_uint_eq(g_hash_table_size(keeper.store), 0); /* it ended: nothing is to be gone on with */
    keeper_end(&keeper);
    g_rand_free(random);
    expect_folder("");
}
END_TEST

/* The manager's own sockets, and its word that it is ready ------------------------------------------------------------ */

START_TEST(a_socket_that_the_manager_listens_on)
{
    const char *argv[] = {SERVER, "-F", "-S", "/nowhere/s", NULL};

    if (!can_keep()) {
        return;
    }
    keeper_begin(&keeper, argv);
    keeper_listen(&keeper, "ivflat-server.socket", test_path("given"));
    keeper_start(&keeper);
    wait_for_ready();
    program_run(0, "joined as 0", CLIENT, "-S", test_path("given"), "--read", "0:1");
    keeper_kill(&keeper, SIGINT);
    ck_assert_uint_eq(g_hash_table_size(keeper.store), 0);
    keeper_end(&keeper);
    expect_folder("given");
}
END_TEST

/* Each time the sockets block again: whom a killed one is followed by does not hang in them when it is ended. */
START_TEST(each_peer_at_the_socket_that_is_named_for_it)
{
    const char *argv[] = {
        SERVER, "-F", "-l64K", "--keep-state", "-S", "/nowhere/s", "--peer=7=/nowhere/7", "--peer=9=/nowhere/9,keep",
        NULL};
    struct process *client = NULL;

    if (!can_keep()) {
        return;
    }
    keeper_begin(&keeper, argv);
    keeper_listen(&keeper, "peer-9", test_path("nine"));
    keeper_listen(&keeper, "ivflat-server.socket", test_path("given"));
    keeper_listen(&keeper, "peer-7", test_path("seven"));
    for (uint32_t round = 1; round <= 3; round++) {
        keeper_start(&keeper);
        wait_for_ready();
        if (!client) {
            client = program_start(CLIENT, "-S", test_path("given"));
            process_expect(client, "joined as 0");
        }
        program_run(0, "joined as 7", CLIENT, "-S", test_path("seven"), "--read", "0:1");
        program_run(0, "joined as 9", CLIENT, "-S", test_path("nine"), "--ring", "0:0");
        wait_for_words(client, "interrupt on vector 0", round);
        wait_for_words(client, "peer 7 left", round);
        ck_assert_uint_eq(times(process_said(client), "peer 9 has 1 vector"), 1);
        ck_assert_uint_eq(times(process_said(client), "peer 9 left"), 0);
        keeper_hear(&keeper);
        keeper_kill(&keeper, round == 1 ? SIGKILL : round == 2 ? SIGTERM : SIGINT);
    }
    process_end(client, SIGKILL);
    ck_assert_uint_eq(g_hash_table_size(keeper.store), 0);
    keeper_end(&keeper);
    expect_folder("given nine seven");
}
END_TEST

/* A manager that hands over @count sockets under @names. */
static void expect_refusal(const char *count, const char *names, const char *sentence)
{
    const char *argv[] = {"sh",
                          "-c",
                          "exec 4<&3; LISTEN_PID=$$ LISTEN_FDS=$1 LISTEN_FDNAMES=$2 exec \"$0\" -F "
                          "--socket=/nowhere/s --peer=7=/nowhere/7",
                          SERVER,
                          count,
                          names,
                          NULL};
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct process *server = process_start(argv, listener);
    char *pattern = g_strdup_printf("^ivflat-server: %s[^\n]*\n$", sentence);

    process_expect_end(server, 0, 2);
    process_expect(server, pattern);
    close_fd(listener);
    g_free(pattern);
}

START_TEST(sockets_that_belong_to_nobody)
{
    if (!can_keep()) {
        return;
    }
    expect_refusal("1", "peer-8",
                   "the manager of services listens on a socket named peer-8 for us, and there is no "
                   "--peer=8");
    expect_refusal("2", "peer-7:peer-7",
                   "the manager of services listens on two sockets named peer-7 for us, and there "
                   "is one --peer=7");
    expect_refusal("2", "a:b",
                   "the manager of services listens on two sockets for us: only those that it names peer-ID");
    expect_refusal("2", "a:peer-65536", "the manager of services listens on two sockets for us");
}
END_TEST

/* As a manager does that starts it anew, for a newer program or library: nothing is closed, nobody is told anything. */
START_TEST(who_is_ended_by_the_manager_is_gone_on_with)
{
    const char *argv[] = {SERVER, "-F", "-n2", "-l64K", "--keep-state", "-S", test_path("s"), NULL};

    if (!can_keep()) {
        return;
    }
    keeper_begin(&keeper, argv);
    members = (struct members){.path = test_path("s")};
    for (uint32_t round = 0; round < 5; round++) {
        keeper_start(&keeper);
        wait_for_ready();
        member_join(&members, round);
        members_settle(&members, keeper.notify, hear, &keeper);
        members_ring(&members);
        keeper_kill(&keeper, round < 4 ? SIGTERM : SIGINT);
        for (uint32_t i = 0; i <= round; i++) {
            members_dispatch(&members);
            ck_assert_int_eq(members.all[i].down, round == 4);
        }
    }
    for (uint32_t i = 0; i < 5; i++) {
        member_leave(&members, i);
    }
    ck_assert_uint_eq(g_hash_table_size(keeper.store), 0);
    keeper_end(&keeper);
    expect_folder("");
}
END_TEST

/* Clients come and go; what of them it is to keep waits, and what went meanwhile it never hears of. */
START_TEST(a_manager_that_does_not_read_holds_up_nobody)
{
    const char *argv[] = {SERVER, "-F", "-v", "-n8", "-l64K", "--keep-state", "-S", test_path("s"), NULL};
    struct process *client;
    uint32_t kept;

    if (!can_keep()) {
        return;
    }
    keeper_begin(&keeper, argv);
    keeper_start(&keeper);
    wait_for_ready();
    kept = g_hash_table_size(keeper.store);
    keeper.asked = 0;
    keeper_fill();
    for (uint32_t round = 0; round < 20; round++) {
        program_run(0, "joined as", CLIENT, "-S", test_path("s"), "--read", "0:1");
    }
    client = program_start(CLIENT, "-S", test_path("s"));
    process_expect(client, "joined as 20");
    ck_assert_int_eq(kill(keeper.pid, SIGHUP), 0); /* what waits would be lost: it goes on */
    program_run(0, "joined as 21", CLIENT, "-S", test_path("s"), "--read", "0:1");
    while (g_hash_table_size(keeper.store) < kept + 9) { /* its socket, and eight vectors */
        members_wait(&members, keeper.notify, 10);
        keeper_hear(&keeper);
    }
    ck_assert_uint_le(keeper.asked, 2 * 9); /* of those that had gone it never heard */
    keeper_kill(&keeper, SIGKILL);
    keeper_start(&keeper);
    wait_for_ready();
    client_does(client, "ring 20 0", "interrupt on vector 0");
    process_end(client, SIGKILL);
    keeper_kill(&keeper, SIGINT);
    ck_assert_uint_eq(g_hash_table_size(keeper.store), 0);
    keeper_end(&keeper);
    expect_folder("");
}
END_TEST

START_TEST(without_a_manager_nothing_can_be_kept)
{
    program_run(2, "^ivflat-server: --keep-state needs a manager of services [^\n]*\n$", "env", "-u", "NOTIFY_SOCKET",
                SERVER, "-F", "--keep-state", "-S", test_path("s"));
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

    tcase = suite_case(suite, "kill -9");
    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, a_hundred_kills_and_nobody_has_a_wrong_vector);
    tcase_add_test(tcase, a_socket_that_the_manager_listens_on);
    tcase_add_test(tcase, each_peer_at_the_socket_that_is_named_for_it);
    tcase_add_test(tcase, sockets_that_belong_to_nobody);
    tcase_add_test(tcase, who_is_ended_by_the_manager_is_gone_on_with);
    tcase_add_test(tcase, a_manager_that_does_not_read_holds_up_nobody);
    tcase_add_test(tcase, without_a_manager_nothing_can_be_kept);
    return suite_run(suite);
}
