/* SPDX-License-Identifier: BSD-3-Clause */
/* ivflat-server and the manager of services that keeps its descriptors: killed by kill -9, ended, handed sockets.  What
 * cannot be known costs one client its link, and nobody ever has a wrong vector. */
#include "keeper.h"
#include "members.h"
#include "program.h"

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define KILLS 100

static struct members members;
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
    for (uint32_t kill = 0; kill < KILLS; kill++) {
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
    printf("%d kills: of %u that joined, %u were closed\n", KILLS, joined, closed);
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

/* It comes to saying @words @count times. */
static void expect_times(struct process *client, const char *words, uint32_t count)
{
    char *pattern = g_strdup_printf("(%s[^\\0]*){%u}", words, count);

    process_expect(client, pattern);
    g_free(pattern);
}

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
        expect_times(client, "interrupt on vector 0", round);
        expect_times(client, "peer 7 left", round);
        expect_times(client, "peer 9 has 1 vector", 1);
        ck_assert_ptr_null(strstr(process_said(client), "peer 9 left"));
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

/* It says so once, and is a server like others. */
START_TEST(a_manager_that_is_not_there_keeps_nothing)
{
    struct process *server;

    if (!can_keep()) {
        return;
    }
    server = program_start("env", "NOTIFY_SOCKET=/nowhere", SERVER, "-F", "--keep-state", "-S", test_path("s"));
    process_expect(server, "ready on");
    program_run(0, "joined as 0", CLIENT, "-S", test_path("s"), "--read", "0:1");
    ck_assert(
        g_regex_match_simple("^ivflat-server: the manager of services does not keep all descriptors[^\n]*: No such "
                             "file or directory\nivflat-server: ready [^\n]*\n$",
                             process_said(server), 0, 0));
    process_expect_end(server, SIGINT, 0);
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
    Suite *suite = suite_create("server_killed");
    TCase *tcase = suite_case(suite, "kill -9");

    tcase_set_timeout(tcase, 240);
    tcase_add_test(tcase, a_hundred_kills_and_nobody_has_a_wrong_vector);
    tcase_add_test(tcase, a_socket_that_the_manager_listens_on);
    tcase_add_test(tcase, each_peer_at_the_socket_that_is_named_for_it);
    tcase_add_test(tcase, sockets_that_belong_to_nobody);
    tcase_add_test(tcase, who_is_ended_by_the_manager_is_gone_on_with);
    tcase_add_test(tcase, a_manager_that_does_not_read_holds_up_nobody);
    tcase_add_test(tcase, a_manager_that_is_not_there_keeps_nothing);
    tcase_add_test(tcase, without_a_manager_nothing_can_be_kept);
    return suite_run(suite);
}
