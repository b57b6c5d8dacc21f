/* SPDX-License-Identifier: BSD-3-Clause */
/* ivflat-client: its commands, its options, what it says and how it exits. */
#include "program.h"

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define JOIN CLIENT, "-S", test_path("s")

/* Bad command lines ----------------------------------------------------------------------------------------------- */

START_TEST(bad_command_lines_say_what_is_wrong)
{
    program_run(2, "^ivflat-client: Unknown option --nonsense\n$", CLIENT, "--nonsense");
    program_run(2, "^ivflat-client: word stands alone[^\n]*\n$", CLIENT, "word");
    program_run(2, "^ivflat-client: --ring: \"3\" lacks a colon\n$", CLIENT, "--ring", "3");
    program_run(2, "^ivflat-client: --ring: \"three\" is no peer[^\n]*65535\n$", CLIENT, "--ring=three:1");
    program_run(2, "^ivflat-client: --ring: \"65536\" is no peer[^\n]*\n$", CLIENT, "--ring=65536:1");
    program_run(2, "^ivflat-client: --ring: \"-1\" is no vector[^\n]*\n$", CLIENT, "--ring=1:-1");
    program_run(2, "^ivflat-client: --wait: \"x\" is no vector[^\n]*\n$", CLIENT, "--wait", "x");
    program_run(2, "^ivflat-client: --read: \"x\" is no offset[^\n]*\n$", CLIENT, "--read", "x:1");
    program_run(2, "^ivflat-client: --read: \"65537\" is no length[^\n]*65536[^\n]*\n$", CLIENT, "--read", "0:65537");
    program_run(2, "^ivflat-client: --write: \"\" is no offset[^\n]*\n$", CLIENT, "--write", ":text");
    program_run(2, "^ivflat-client: --timeout: \"soon\" is no time[^\n]*\n$", CLIENT, "--timeout", "soon");
    program_run(2, "^ivflat-client: --timeout: \"-1\" is no time[^\n]*\n$", CLIENT, "--timeout=-1");
}
END_TEST

START_TEST(a_path_that_is_too_long)
{
    char path[109] = "";

    memset(path, 'x', 108);
    program_run(2, "^ivflat-client: cannot join [^\n]*socket path of 108 bytes [^\n]*107[^\n]*\n$", CLIENT, "-S", path);
}
END_TEST

START_TEST(nobody_to_join)
{
    program_run(1, "^ivflat-client: cannot join the server on [^\n]*/s: [^\n]*No such file or directory\n$", JOIN);
    program_run(1, "^\\{\"event\":\"error\",\"text\":\"cannot join [^\n]*\"\\}\n$", JOIN, "--json", "--wait", "0");
    ck_assert(g_file_set_contents(test_path("s"), "no socket", -1, NULL));
    program_run(1, "^ivflat-client: cannot join [^\n]*Connection refused\n$", JOIN);
}
END_TEST

START_TEST(a_server_that_may_not_be_joined)
{
    server_begin("1");
    ck_assert_int_eq(chmod(test_path("s"), 0600), 0);
    program_run_as_nobody(1, "^ivflat-client: cannot join [^\n]*Permission denied\n", JOIN, "--read", "0:1");
}
END_TEST

START_TEST(help_and_version)
{
    program_run(0, "--socket.*--ring.*--wait.*--read.*--write.*--timeout.*--json", CLIENT, "--help");
    program_run(0, "^ivflat-client [0-9]+\\.[0-9]+\\.[0-9]+\n$", CLIENT, "--version");
}
END_TEST

/* Options for scripts --------------------------------------------------------------------------------------------- */

START_TEST(options_are_done_in_their_order)
{
    server_begin("2");
    program_run(0,
                "^joined as 0, 65536 bytes of memory\nwrote 5 bytes at 16\nread 16: \"hello\"\nwrote 1 byte at 17\n"
                "read 16: \"hallo\"\n$",
                JOIN, "--write", "16:hello", "--read", "0x10:5", "--write", "17:a", "--read", "16:5");
}
END_TEST

START_TEST(a_script_rings_itself_and_waits_for_it)
{
    server_begin("2");
    program_run(0, "rang peer 0, vector 1\n.*interrupt on vector 1, 1 time\n", JOIN, "--ring", "0:1", "--wait", "1");
    program_run(0, "vector 0\nrang peer 1, vector 1\n.*interrupt", JOIN, "--ring=1:all", "--wait=1", "--wait=0");
}
END_TEST

START_TEST(scripts_ring_each_other)
{
    struct process *waiting;

    server_begin("2");
    waiting = program_start(JOIN, "--wait", "1", "--read", "8:2");
    process_expect(waiting, "joined as 0");
    program_run(0, "rang peer 0, vector 1", JOIN, "--write", "8:hi", "--ring", "0:1");
    process_expect(waiting, "read 8: \"hi\"\n");
    process_expect_end(waiting, 0, 0);
}
END_TEST

/* Each --wait takes one ring. */
START_TEST(each_wait_takes_one_ring)
{
    server_begin("1");
    program_run(0, "", JOIN, "--ring=0:0", "--ring=0:0", "--wait=0", "--wait=0", "--timeout=20");
    program_run(3, "no interrupt came on vector 0\n$", JOIN, "--ring=1:0", "--wait=0", "--wait=0", "--timeout=0.05");
}
END_TEST

START_TEST(exit_status_3_when_no_interrupt_comes)
{
    server_begin("2");
    program_run(3, "^joined as 0[^\n]*\nivflat-client: no interrupt came on vector 1\n$", JOIN, "--wait", "1",
                "--timeout", "0.05");
    program_run(3,
                "^\\{\"event\":\"joined\",\"id\":1,\"memory\":65536\\}\n"
                "\\{\"event\":\"error\",\"text\":\"no interrupt came on vector 0\"\\}\n$",
                JOIN, "--wait", "0", "--timeout", "0", "-j");
}
END_TEST

START_TEST(exit_status_4_when_nobody_is_there_to_be_rung)
{
    server_begin("2");
    program_run(4, "peer 77 is not there\n$", JOIN, "--ring", "77:0", "--timeout", "0.05");
    program_run(4, "peer 1 has no vector 2: its vectors are 0 to 1\n$", JOIN, "--ring", "1:2", "--timeout", "0.05");
}
END_TEST

/* A peer's vectors may come after READY: a ring waits for it. */
START_TEST(a_ring_waits_for_its_peer)
{
    struct process *early;

    server_begin("1");
    early = program_start(JOIN, "--ring", "1:0", "--timeout", "20");
    process_expect(early, "joined as 0");
    client_begin("1");
    process_expect(early, "rang peer 1, vector 0\n");
    process_expect_end(early, 0, 0);
}
END_TEST

START_TEST(exit_status_2_outside_the_memory)
{
    server_begin("1");
    program_run(2, "2 bytes at offset 65535 are not inside the memory of 65536 bytes\n$", JOIN, "--read", "65535:2");
    program_run(2, "offset 18446744073709551615 are not inside", JOIN, "--read", "0xffffffffffffffff:1");
    program_run(2, "not inside", JOIN, "--write", "64K:x");
    program_run(0, "wrote 0 bytes at 65536\n", JOIN, "--write", "64K:");
    program_run(0, "read 65535: \"z\"\n", JOIN, "--write", "65535:z", "--read", "65535:1");
}
END_TEST

START_TEST(exit_status_1_when_the_link_is_lost)
{
    struct process *server = server_begin("1");
    struct process *client = program_start(JOIN, "--wait", "0");

    process_expect(client, "joined");
    process_expect_end(server, SIGTERM, 0);
    process_expect(client, "ivflat-client: the link was lost: [^\n]+\n$");
    process_expect_end(client, 0, 1);
}
END_TEST

/* Where what is written is lost. */
START_TEST(output_that_is_lost_is_an_error)
{
    struct process *server = server_begin("1");

    program_run(1, "^ivflat-client: not all could be written to standard output[^\n]*\n$", "sh", "-c",
                "exec \"$0\" -S \"$1\" -j --read 0:1 >/dev/full", CLIENT, test_path("s"));
    program_run(1, "^ivflat-client: not all could be written [^\n]*\n$", "sh", "-c", "exec \"$0\" --version >/dev/full",
                CLIENT);
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(json_of_a_bad_option)
{
    program_run(2, "^\\{\"event\":\"error\",\"text\":\"[^\n]*\"\\}\n$", CLIENT, "-j", "--nonsense");
    program_run(2, "^\\{\"event\":\"error\",[^\n]*\n$", CLIENT, "-x", "-j");
    program_run(2, "^\\{\"event\":\"error\",[^\n]*\n$", CLIENT, "--wait=x", "--json");
    program_run(2, "^ivflat-client: [^\n]*\n$", CLIENT, "--nonsense");
}
END_TEST

START_TEST(json_is_json_whatever_the_memory_holds)
{
    server_begin("1");
    program_run(0,
                "^\\{\"event\":\"joined\",\"id\":0,\"memory\":65536\\}\n"
                "\\{\"event\":\"wrote\",\"offset\":0,\"length\":8\\}\n"
                "\\{\"event\":\"read\",\"offset\":0,\"length\":9,"
                "\"text\":\"a\\\\\"b\\\\\\\\c\\\\u0009\\\\u00c3\\\\u00a9\\\\u0000\","
                "\"hex\":\"6122625c6309c3a900\"\\}\n$",
                JOIN, "--json", "--write", "0:a\"b\\c\t\xc3\xa9", "--read", "0:9");
}
END_TEST

START_TEST(json_tells_who_comes_goes_and_rings)
{
    struct process *client;

    server_begin("2");
    client = program_start(JOIN, "--json");
    process_expect(client, "^\\{\"event\":\"joined\",\"id\":0,\"memory\":65536\\}\n$");
    program_run(0, "", JOIN, "--ring", "0:1", "--ring", "1:0");
    process_expect(client, "\\{\"event\":\"peer\",\"id\":1,\"vectors\":2,\"ours\":false\\}\n");
    process_expect(client, "\\{\"event\":\"interrupt\",\"vector\":1,\"count\":1\\}\n");
    process_expect(client, "\\{\"event\":\"left\",\"id\":1\\}\n");
    client_does(client, "ring 0 0", "\\{\"event\":\"rang\",\"peer\":0,\"vector\":0\\}\n");
    client_does(client, "peers", "\\{\"event\":\"peer\",\"id\":0,\"vectors\":2,\"ours\":true\\}\n");
    client_does(client, "\"\\\x01",
                "\\{\"event\":\"error\",\"text\":\"\\\\\"\\\\\"\\\\\\\\\\\\u0001\\\\\" is no command[^\n]*\"\\}\n");
    client_does(client, "help", "\\{\"event\":\"help\",\"text\":\"help [^\n]*\\\\u000a[^\n]*\"\\}\n");
    client_does(client, "quit", "");
    process_expect_end(client, 0, 0);
}
END_TEST

/* Commands -------------------------------------------------------------------------------------------------------- */

START_TEST(commands)
{
    struct process *first;
    struct process *second;

    server_begin("2");
    first = client_begin("0");
    second = client_begin("1");
    process_expect(first, "peer 1 has 2 vectors\n");
    process_expect(second, "peer 0 has 2 vectors\n");
    client_does(second, "peers", "peer 0 has 2 vectors\npeer 1 has 2 vectors, it is us\n");
    client_does(second, "write 32   two words ", "wrote 12 bytes at 32\n");
    client_does(first, "read 0x20 12", "read 32: \"  two words \"\n");
    client_does(second, "ring 0 1", "rang peer 0, vector 1\n");
    process_expect(first, "interrupt on vector 1, 1 time\n");
    client_does(second, "  ring\t0   all  ", "rang peer 0, vector 0\nrang peer 0, vector 1\n");
    process_expect(first, "interrupt on vector 0, 1 time\n");
    client_does(first, "help", "help .*\npeers .*\nring .*\nread .*\nwrite .*\nquit ");
    client_does(second, "quit", "");
    process_expect_end(second, 0, 0);
    process_expect(first, "peer 1 left\n");
    client_does(first, "ring 1 0", "ivflat-client: peer 1 is not there\n");
}
END_TEST

START_TEST(bad_commands_get_a_sentence_and_it_goes_on)
{
    struct process *client;

    server_begin("2");
    client = client_begin("0");
    client_does(client, "", "");
    client_does(client, "dance", "ivflat-client: \"dance\" is no command: help shows those that are\n");
    client_does(client, "ringing 1 2", "\"ringing 1 2\" is no command");
    client_does(client, "ring", "say: ring PEER VECTOR, or: ring PEER all\n");
    client_does(client, "ring 1 2 3", "all\n.*say: ring PEER VECTOR, or: ring PEER all\n");
    client_does(client, "ring x 2", "\"x\" is no peer: give a number from 0 to 65535\n");
    client_does(client, "ring 0 2", "peer 0 has no vector 2: its vectors are 0 to 1\n");
    client_does(client, "ring 9 0", "peer 9 is not there\n");
    client_does(client, "read 0", "say: read OFFSET LENGTH\n");
    client_does(client, "read 65536 1", "1 bytes at offset 65536 are not inside the memory of 65536 bytes\n");
    client_does(client, "read 0 1M", "\"1M\" is no length");
    client_does(client, "write", "say: write OFFSET TEXT\n");
    client_does(client, "write 5", "say: write OFFSET TEXT\n.*say: write OFFSET TEXT\n");
    client_does(client, "write 65535 ab", "2 bytes at offset 65535 are not inside");
    client_does(client, "ring 0 1", "rang peer 0, vector 1\n");
    client_does(client, "quit", "");
    process_expect_end(client, 0, 0);
}
END_TEST

START_TEST(a_line_without_end_is_no_command)
{
    char *line = g_strnfill(70000, 'x');
    struct process *client;

    server_begin("1");
    client = client_begin("0");
    process_type(client, line);
    client_does(client, "", "ivflat-client: a line of more than 65536 bytes is no command\n");
    client_does(client, "ring 0 0", "rang peer 0, vector 0\n");
    client_does(client, "quit", "");
    process_expect_end(client, 0, 0);
    g_free(line);
}
END_TEST

START_TEST(the_end_of_the_input_is_quit)
{
    server_begin("1");
    program_run(0, "^joined as 0, 65536 bytes of memory\n$", "sh", "-c", "exec \"$0\" -S \"$1\" </dev/null", CLIENT,
                test_path("s"));
    program_run(0, "^joined as 1[^\n]*\nrang peer 1, vector 0\n", "sh", "-c", "printf 'ring 1 0' | \"$0\" -S \"$1\"",
                CLIENT, test_path("s"));
    program_run(0, "^joined as 2[^\n]*\n$", "sh", "-c", "exec \"$0\" -S \"$1\" <&-", CLIENT, test_path("s"));
}
END_TEST

/* Those that are there when it joins are known before its input is read. */
START_TEST(piped_commands_find_the_peers_that_are_there)
{
    server_begin("4");
    client_begin("0");
    client_begin("1");
    program_run(0, "peer 0 has 4 vectors\npeer 1 has 4 vectors\n.*rang peer 0, vector 3\n", "sh", "-c",
                "printf 'peers\nring 0 3\n' | \"$0\" -S \"$1\"", CLIENT, test_path("s"));
}
END_TEST

/* And without vectors there is none to wait for. */
START_TEST(a_server_without_vectors)
{
    struct process *client;

    server_begin("0");
    client = client_begin("0");
    client_does(client, "write 0 x", "wrote 1 byte at 0\n");
    client_does(client, "ring 0 0", "peer 0 is not there\n");
    program_run(0, "^joined as 1[^\n]*\nread 0: \"x\"\n$", JOIN, "--read", "0:1");
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("client_program");
    TCase *tcase = suite_case(suite, "bad command lines");

    tcase_add_test(tcase, bad_command_lines_say_what_is_wrong);
    tcase_add_test(tcase, a_path_that_is_too_long);
    tcase_add_test(tcase, nobody_to_join);
    tcase_add_test(tcase, a_server_that_may_not_be_joined);
    tcase_add_test(tcase, help_and_version);

    tcase = suite_case(suite, "scripts");
    tcase_add_test(tcase, options_are_done_in_their_order);
    tcase_add_test(tcase, a_script_rings_itself_and_waits_for_it);
    tcase_add_test(tcase, scripts_ring_each_other);
    tcase_add_test(tcase, each_wait_takes_one_ring);
    tcase_add_test(tcase, exit_status_3_when_no_interrupt_comes);
    tcase_add_test(tcase, exit_status_4_when_nobody_is_there_to_be_rung);
    tcase_add_test(tcase, a_ring_waits_for_its_peer);
    tcase_add_test(tcase, exit_status_2_outside_the_memory);
    tcase_add_test(tcase, exit_status_1_when_the_link_is_lost);
    tcase_add_test(tcase, output_that_is_lost_is_an_error);
    tcase_add_test(tcase, json_of_a_bad_option);
    tcase_add_test(tcase, json_is_json_whatever_the_memory_holds);
    tcase_add_test(tcase, json_tells_who_comes_goes_and_rings);

    tcase = suite_case(suite, "commands");
    tcase_add_test(tcase, commands);
    tcase_add_test(tcase, bad_commands_get_a_sentence_and_it_goes_on);
    tcase_add_test(tcase, a_line_without_end_is_no_command);
    tcase_add_test(tcase, the_end_of_the_input_is_quit);
    tcase_add_test(tcase, piped_commands_find_the_peers_that_are_there);
    tcase_add_test(tcase, a_server_without_vectors);
    return suite_run(suite);
}
