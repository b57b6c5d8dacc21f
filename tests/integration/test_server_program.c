/* SPDX-License-Identifier: BSD-3-Clause */
/* ivflat-server: its command line, its files, and how it begins and ends. */
#include "program.h"

#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define IN_FRONT SERVER, "-F", "-S", test_path("s")

/* Bad command lines: one sentence, exit status 2, nothing left behind -------------------------------------------- */

START_TEST(an_unknown_option)
{
    program_run(2, "^ivflat-server: -x is no option .*--help[^\n]*\n$", SERVER, "-x");
    program_run(2, "^ivflat-server: --nonsense is no option .*--help[^\n]*\n$", SERVER, "-F", "--nonsense", "-v");
    program_run(2, "^ivflat-server: -Fx is no option [^\n]*\n$", SERVER, "-Fx");
    program_run(2, "^ivflat-server: -S needs a value[^\n]*\n$", SERVER, "-S");
    program_run(2, "^ivflat-server: --size needs a value[^\n]*\n$", SERVER, "--size");
    program_run(2, "^ivflat-server: word stands alone[^\n]*\n$", SERVER, "-F", "word");
}
END_TEST

START_TEST(a_size_that_is_none)
{
    program_run(2, "^ivflat-server: --size=0 is no size[^\n]*\n$", IN_FRONT, "-l", "0");
    program_run(2, "^ivflat-server: --size=0K is no size[^\n]*\n$", IN_FRONT, "-l", "0K");
    program_run(2, "^ivflat-server: --size=four is no size[^\n]*\n$", IN_FRONT, "--size=four");
    program_run(2, "^ivflat-server: --size= is no size[^\n]*\n$", IN_FRONT, "-l", "");
    program_run(2, "^ivflat-server: --size=K is no size[^\n]*\n$", IN_FRONT, "-l", "K");
    program_run(2, "^ivflat-server: --size=-4M is no size[^\n]*\n$", IN_FRONT, "-l", "-4M");
    program_run(2, "^ivflat-server: --size=4MM is no size[^\n]*\n$", IN_FRONT, "-l", "4MM");
    program_run(2, "^ivflat-server: --size=1.5 is no size[^\n]*\n$", IN_FRONT, "-l", "1.5");
    program_run(2, "^ivflat-server: --size=1.K is no size[^\n]*\n$", IN_FRONT, "-l", "1.K");
    program_run(2, "^ivflat-server: --size=1.-5K is no size[^\n]*\n$", IN_FRONT, "-l", "1.-5K");
    program_run(2, "^ivflat-server: --size=0x1.8K is no size[^\n]*\n$", IN_FRONT, "-l", "0x1.8K");
    program_run(2, "^ivflat-server: --size=5000000T is too large[^\n]*\n$", IN_FRONT, "-l", "5000000T");
    program_run(2, "^ivflat-server: --size=8000000000G is too large[^\n]*\n$", IN_FRONT, "-l", "8000000000G");
    program_run(2, "^ivflat-server: --size=9223372036854775807 is too large[^\n]*\n$", IN_FRONT, "-l",
                "9223372036854775807");
    expect_folder("");
}
END_TEST

START_TEST(vectors_that_are_none)
{
    program_run(2, "^ivflat-server: --vectors=two is no number[^\n]*\n$", IN_FRONT, "-n", "two");
    program_run(2, "^ivflat-server: --vectors=-1 is no number[^\n]*\n$", IN_FRONT, "-n", "-1");
    program_run(2, "^ivflat-server: --vectors=65537 is no number [^\n]* 65536\n$", IN_FRONT, "-n65537");
    expect_folder("");
}
END_TEST

START_TEST(bounds_that_are_none)
{
    program_run(2, "^ivflat-server: --max-clients=0 is no bound: [^\n]* 1 to 65536\n$", IN_FRONT, "--max-clients=0");
    program_run(2, "^ivflat-server: --max-clients=65537 is no bound[^\n]*\n$", IN_FRONT, "--max-clients=65537");
    program_run(2, "^ivflat-server: --max-per-uid=x is no bound[^\n]*\n$", IN_FRONT, "--max-per-uid", "x");
    program_run(2, "^ivflat-server: --max-queue=-1 is no bound[^\n]*\n$", IN_FRONT, "--max-queue=-1");
    program_run(2, "^ivflat-server: --max-queue-memory=much is no size[^\n]*\n$", IN_FRONT, "--max-queue-memory=much");
    expect_folder("");
}
END_TEST

START_TEST(options_that_contradict_each_other)
{
    program_run(2, "^ivflat-server: --verbose needs --foreground[^\n]*\n$", SERVER, "-v", "-S", test_path("s"));
    expect_folder("");
}
END_TEST

START_TEST(a_path_that_is_too_long)
{
    char path[109] = "";

    memset(path, 'x', 108);
    program_run(2, "^ivflat-server: socket path of 108 bytes [^\n]*107[^\n]*\n$", SERVER, "-F", "-S", path);
    program_run(2, "^ivflat-server: no socket path [^\n]*\n$", SERVER, "-F", "-S", "");
    expect_folder("");
}
END_TEST

START_TEST(folders_that_are_not_there)
{
    program_run(2, "^ivflat-server: cannot listen on [^\n]*/none/s: No such file or directory\n$", SERVER, "-F", "-S",
                test_path("none/s"));
    program_run(2, "^ivflat-server: cannot make a file [^\n]*/none: No such file or directory\n$", IN_FRONT, "-m",
                test_path("none"));
    program_run(2, "^ivflat-server: cannot write the pid file: [^\n]*none/pid[^\n]*No such file[^\n]*\n$", SERVER, "-S",
                test_path("s"), "-p", test_path("none/pid"));
    expect_folder("");
}
END_TEST

START_TEST(folders_that_cannot_be_written)
{
    if (!program_run_as_nobody(2, "^ivflat-server: cannot listen on [^\n]*/s: Permission denied\n", IN_FRONT)) {
        return;
    }
    ck_assert_int_eq(mkdir(test_path("open"), 0777), 0);
    ck_assert_int_eq(chmod(test_path("open"), 0777), 0);
    program_run_as_nobody(2, "^ivflat-server: cannot make a file [^\n]*: Permission denied\n", SERVER, "-F", "-S",
                          test_path("open/s"), "-m", test_folder());
    program_run_as_nobody(2, "^ivflat-server: cannot write the pid file: [^\n]*Permission denied[^\n]*\n", SERVER, "-S",
                          test_path("open/s"), "-p", test_path("pid"));
    expect_folder("open");
    ck_assert_int_eq(rmdir(test_path("open")), 0); /* it is empty */
}
END_TEST

START_TEST(a_socket_that_lives)
{
    struct process *server = server_begin("1");

    program_run(2, "^ivflat-server: a server listens on [^\n]*/s already[^\n]*\n$", IN_FRONT);
    program_run(2, "^ivflat-server: a server listens on [^\n]*/s already[^\n]*\n$", SERVER, "-S", test_path("s"), "-p",
                test_path("pid"));
    expect_folder("s");
    program_run(0, "joined as 0", CLIENT, "-S", test_path("s"), "--read", "0:1");
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(a_file_that_is_no_socket)
{
    ck_assert(g_file_set_contents(test_path("s"), "precious", -1, NULL));
    program_run(2, "^ivflat-server: [^\n]*/s is there and is no socket[^\n]*\n$", IN_FRONT);
    expect_folder("s");
}
END_TEST

/* What is right --------------------------------------------------------------------------------------------------- */

START_TEST(help_and_version)
{
    program_run(0,
                "^usage: .*-h, --help.*-v, --verbose.*-F, --foreground.*-p, --pid-file.*-S, --socket.*-M, --shm-name.*"
                "-m, --shm-dir.*-l, --size.*-n, --vectors",
                SERVER, "-h");
    program_run(0, "^usage: ", SERVER, "--help");
    program_run(0, "^ivflat-server [0-9]+\\.[0-9]+\\.[0-9]+\n$", SERVER, "--version");
}
END_TEST

/* Up, with what it says; then down. */
static void expect_ready(const char *option, const char *value, const char *said)
{
    struct process *server = program_start(IN_FRONT, option, value);
    char *pattern = g_strdup_printf("^%s$", said);

    process_expect(server, pattern);
    process_expect_end(server, SIGTERM, 0);
    expect_folder("");
    g_free(pattern);
}

START_TEST(the_defaults_are_those_of_qemus_server)
{
    expect_ready(NULL, NULL,
                 "ivflat-server: ready on [^\n]*/s \\(4194304 bytes, 1 vector, room for [0-9]+ clients\\)\n");
}
END_TEST

START_TEST(sizes_are_rounded_up_to_a_power_of_two_and_it_is_said)
{
    expect_ready("-l", "5M",
                 "ivflat-server: the size of 5242880 bytes is rounded up to 8388608\n"
                 "ivflat-server: ready [^\n]*\\(8388608 bytes, 1 vector, room for [0-9]+ clients\\)\n");
    expect_ready("-l", "4097", "ivflat-server: [^\n]* 4097 [^\n]* 8192\n[^\n]*\\(8192 bytes[^\n]*\n");
    expect_ready("-l64k", NULL, "ivflat-server: ready [^\n]*\\(65536 bytes[^\n]*\n");
    expect_ready("--size=2g", NULL, "ivflat-server: ready [^\n]*\\(2147483648 bytes[^\n]*\n");
    expect_ready("-l", "1.5m", "ivflat-server: [^\n]* 1572864 [^\n]* 2097152\n[^\n]*\\(2097152 bytes[^\n]*\n");
    expect_ready("-l", "0.25G", "ivflat-server: ready [^\n]*\\(268435456 bytes[^\n]*\n");
    expect_ready("-l", "4096B", "ivflat-server: ready [^\n]*\\(4096 bytes[^\n]*\n");
    expect_ready("-l", "0x1000", "ivflat-server: ready [^\n]*\\(4096 bytes[^\n]*\n");
}
END_TEST

START_TEST(as_many_vectors_as_asked_for)
{
    expect_ready("-n0", NULL, "[^\n]*\\(4194304 bytes, 0 vectors, room for [0-9]+ clients\\)\n");
    expect_ready("--vectors", "64", "[^\n]*, 64 vectors, room for [0-9]+ clients\\)\n");
    expect_ready("-n", "0x10", "[^\n]*, 16 vectors, room for [0-9]+ clients\\)\n");
    expect_ready("-n65536", NULL, "[^\n]*, 65536 vectors, room for [0-9]+ clients\\)\n");
}
END_TEST

START_TEST(two_signals_end_it_cleanly)
{
    static const int signals[] = {SIGTERM, SIGINT};

    for (int i = 0; i < 2; i++) {
        struct process *server = server_begin("1");

        expect_folder("s");
        process_expect_end(server, signals[i], 0);
        expect_folder("");
    }
}
END_TEST

START_TEST(nohup_is_obeyed)
{
    struct process *server = program_start("sh", "-c", "trap '' HUP; exec \"$0\" -F -S \"$1\"", SERVER, test_path("s"));

    process_expect(server, "ready");
    ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
    program_run(0, "joined as 0", CLIENT, "-S", test_path("s"), "--read", "0:1");
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(what_can_never_be_had_is_refused)
{
    program_run(2, "^ivflat-server: [0-9]+ bytes of shared memory are more than all that this machine has: [0-9]+\n$",
                IN_FRONT, "-l", "1073741824G");
    expect_folder("");
}
END_TEST

START_TEST(it_says_how_many_clients_it_has_room_for)
{
    struct process *server = program_start("prlimit", "--nofile=20:113", IN_FRONT, "-n", "3");

    process_expect(server, "room for 25 clients\\)\n"); /* the hard limit, less what it takes itself, by four */
    process_expect_end(server, SIGTERM, 0);
    expect_ready("--max-clients=7", NULL, "[^\n]*, room for 7 clients\\)\n");
}
END_TEST

START_TEST(as_many_as_asked_for_may_join)
{
    struct process *server = program_start(IN_FRONT, "--max-clients=1", "-v");

    process_expect(server, "ready");
    process_expect(program_start(CLIENT, "-S", test_path("s")), "joined as 0");
    program_run(1, "cannot join", CLIENT, "-S", test_path("s"), "--read", "0:1");
    process_expect(server, "refused a client \\(process [0-9]+, user [0-9]+, group [0-9]+\\): no more than 1 clients");
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(verbose_says_who_comes_and_goes)
{
    struct process *server = server_begin("1");
    struct process *client = client_begin("0");
    char *pattern = g_strdup_printf("client 0 joined, process %d, user [0-9]+\n", process_pid(client));

    process_expect(server, pattern);
    client_does(client, "quit", "");
    process_expect(server, "client 0 left: it closed the connection\n");
    process_expect_end(client, 0, 0);
    process_expect_end(server, SIGTERM, 0);
    g_free(pattern);
}
END_TEST

/* A client needs its socket and eight eventfds. */
START_TEST(SIGUSR1_shows_who_is_there)
{
    struct process *server = server_begin("2");
    struct process *client = client_begin("0");
    char *pattern = g_strdup_printf("status: up [0-9]+ s, 1 clients, 1 joined, 0 left \\(0 dropped\\), 0 refused, 5 "
                                    "messages sent, 0 restarts\nstatus: client 0: process %d, user [0-9]+, group "
                                    "[0-9]+, [0-9]+ s, 5 messages sent, 0 waiting, 0 bytes received\n",
                                    process_pid(client));

    process_expect(client, "0 \\(this is us\\)|joined as 0");
    ck_assert_int_eq(kill(process_pid(server), SIGUSR1), 0);
    process_expect(server, pattern);
    process_expect_end(server, SIGTERM, 0);
    g_free(pattern);
}
END_TEST

START_TEST(json_for_programs)
{
    struct process *server = program_start(IN_FRONT, "--json", "--max-clients=1");
    struct process *client;
    char *pattern;

    process_expect(server, "^\\{\"event\":\"ready\",\"socket\":\"[^\"]*/s\",\"memory\":4194304,\"vectors\":1,"
                           "\"room\":1,\"clients\":0\\}\n$");
    client = program_start(CLIENT, "-S", test_path("s"));
    pattern = g_strdup_printf("\n\\{\"event\":\"joined\",\"id\":0,\"pid\":%d,\"uid\":%d,\"gid\":%d,\"reason\":0,"
                              "\"text\":\"\"\\}\n",
                              process_pid(client), (int)geteuid(), (int)getegid());
    process_expect(server, pattern);
    program_run(1, "cannot join", CLIENT, "-S", test_path("s"), "--read", "0:1");
    process_expect(server, "\\{\"event\":\"refused\",\"id\":1,[^\n]*,\"reason\":3,\"text\":\"no more than 1 clients");
    process_expect(server, "\\{\"event\":\"log\",\"level\":\"warning\",\"text\":\"refused a client");
    process_end(client, SIGKILL);
    process_expect(server, "\\{\"event\":\"left\",\"id\":0,[^\n]*,\"reason\":1,\"text\":\"it closed");
    ck_assert_int_eq(kill(process_pid(server), SIGUSR1), 0);
    process_expect(server, "\\{\"event\":\"status\",\"uptime\":[0-9]+,\"clients\":0,\"joined\":1,[^\n]*\\}\n");
    process_expect_end(server, SIGTERM, 0);
    program_run(2, "^ivflat-server: --json needs --foreground[^\n]*\n$", SERVER, "--json", "-S", test_path("s"));
    g_free(pattern);
}
END_TEST

START_TEST(without_descriptors_it_says_so_and_goes_on)
{
    struct process *server =
        program_start("sh", "-c", "ulimit -n 23; exec \"$0\" -F -n 8 -S \"$1\"", SERVER, test_path("s"));

    process_expect(server, "ready");
    for (int i = 0; i < 2; i++) {
        program_start(CLIENT, "-S", test_path("s"));
    }
    process_expect(server, "ivflat-server: [^\n]*: Too many open files; there are [01] clients\n");
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(a_server_that_was_killed_leaves_no_obstacle)
{
    struct process *server = server_begin("1");

    process_end(server, SIGKILL);
    expect_folder("s");
    server = server_begin("1");
    client_begin("0");
    process_expect_end(server, SIGTERM, 0);
    expect_folder("");
}
END_TEST

START_TEST(a_reader_of_its_lines_may_go)
{
    const char *argv[] = {"sh", "-c", "exec \"$0\" -F -v -S \"$1\" >&3", SERVER, test_path("s"), NULL};
    struct process *server;
    int ends[2];

    make_pipe(ends);
    server = process_start(argv, ends[1]);
    wait_readable(ends[0]); /* "ready" */
    close_fd(ends[0]);
    close_fd(ends[1]);
    for (int i = 0; i < 3; i++) {
        program_run(0, "joined as", CLIENT, "-S", test_path("s"), "--read", "0:1");
    }
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

/* A pipe that is full: the lines are lost, their number is told, and nobody waits for anybody. */
START_TEST(a_reader_of_its_lines_may_sleep)
{
    const char *argv[] = {"sh", "-c", "exec \"$0\" -F -v -S \"$1\" >&3", SERVER, test_path("s"), NULL};
    static char bytes[1 << 20];
    struct process *server;
    ssize_t count;
    int ends[2];

    make_pipe(ends);
    server = process_start(argv, ends[1]);
    wait_readable(ends[0]);
    set_nonblock(ends[1], true);
    memset(bytes, '.', sizeof(bytes));
    while (write(ends[1], bytes, 4096) > 0) {
    }
    set_nonblock(ends[1], false);
    for (int i = 0; i < 3; i++) {
        program_run(0, "joined as", CLIENT, "-S", test_path("s"), "--read", "0:1");
    }
    set_nonblock(ends[0], true);
    while (read(ends[0], bytes, sizeof(bytes)) > 0) {
    }
    ck_assert_int_eq(kill(process_pid(server), SIGUSR1), 0);
    wait_readable(ends[0]);
    count = read(ends[0], bytes, sizeof(bytes) - 1);
    ck_assert_int_gt(count, 0);
    bytes[count] = '\0';
    ck_assert_msg(g_regex_match_simple("^ivflat-server: nobody read, and 6 lines were lost\nstatus: up ", bytes, 0, 0),
                  "%s", bytes);
    process_expect_end(server, SIGTERM, 0);
    close_fd(ends[0]);
    close_fd(ends[1]);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_program");
    TCase *tcase = suite_case(suite, "bad command lines");

    tcase_add_test(tcase, an_unknown_option);
    tcase_add_test(tcase, a_size_that_is_none);
    tcase_add_test(tcase, vectors_that_are_none);
    tcase_add_test(tcase, bounds_that_are_none);
    tcase_add_test(tcase, options_that_contradict_each_other);
    tcase_add_test(tcase, a_path_that_is_too_long);
    tcase_add_test(tcase, folders_that_are_not_there);
    tcase_add_test(tcase, folders_that_cannot_be_written);
    tcase_add_test(tcase, a_socket_that_lives);
    tcase_add_test(tcase, a_file_that_is_no_socket);

    tcase = suite_case(suite, "what is right");
    tcase_add_test(tcase, help_and_version);
    tcase_add_test(tcase, the_defaults_are_those_of_qemus_server);
    tcase_add_test(tcase, sizes_are_rounded_up_to_a_power_of_two_and_it_is_said);
    tcase_add_test(tcase, as_many_vectors_as_asked_for);
    tcase_add_test(tcase, two_signals_end_it_cleanly);
    tcase_add_test(tcase, nohup_is_obeyed);
    tcase_add_test(tcase, what_can_never_be_had_is_refused);
    tcase_add_test(tcase, it_says_how_many_clients_it_has_room_for);
    tcase_add_test(tcase, as_many_as_asked_for_may_join);
    tcase_add_test(tcase, verbose_says_who_comes_and_goes);
    tcase_add_test(tcase, SIGUSR1_shows_who_is_there);
    tcase_add_test(tcase, json_for_programs);
    tcase_add_test(tcase, without_descriptors_it_says_so_and_goes_on);
    tcase_add_test(tcase, a_server_that_was_killed_leaves_no_obstacle);
    tcase_add_test(tcase, a_reader_of_its_lines_may_go);
    tcase_add_test(tcase, a_reader_of_its_lines_may_sleep);
    return suite_run(suite);
}
