/* SPDX-License-Identifier: BSD-3-Clause */
/* ivflat-server: the options that QEMU's server does not have. */
#include "program.h"

#include <errno.h>
#include <glib.h>
#include <libivflat/ivflat.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define IN_FRONT SERVER, "-F", "-S", test_path("s")
#define JOIN     CLIENT, "-S", test_path("s")

/* Bad ones: one sentence, exit status 2, nothing left behind ------------------------------------------------------ */

START_TEST(values_that_are_none)
{
    program_run(2, "^ivflat-server: --hugetlb=3M is no size of huge pages[^\n]*\n$", IN_FRONT, "--hugetlb=3M");
    program_run(2, "^ivflat-server: --hugetlb=4K is no size of huge pages[^\n]*\n$", IN_FRONT, "--hugetlb=4K");
    program_run(2, "^ivflat-server: --hugetlb=2B is no size of huge pages[^\n]*\n$", IN_FRONT, "--hugetlb=2B");
    program_run(2, "^ivflat-server: --hugetlb=0x2B is no size of huge pages[^\n]*\n$", IN_FRONT, "--hugetlb=0x2B");
    program_run(2, "^ivflat-server: --hugetlb=0x is no size of huge pages[^\n]*\n$", IN_FRONT, "--hugetlb=0x");
    program_run(2, "^ivflat-server: --hugetlb=1.5.5M is no size of huge pages[^\n]*\n$", IN_FRONT, "--hugetlb=1.5.5M");
    program_run(2, "^ivflat-server: --hugetlb=99999999P is no size[^\n]*\n$", IN_FRONT, "--hugetlb=99999999P");
    program_run(2, "^ivflat-server: --max-queue-memory=0 is no size[^\n]*\n$", IN_FRONT, "--max-queue-memory=0");
    program_run(2, "^ivflat-server: --max-queue-memory=K is no size[^\n]*\n$", IN_FRONT, "--max-queue-memory=K");
    program_run(2, "^ivflat-server: --mode=888 are no permissions[^\n]*\n$", IN_FRONT, "--mode=888");
    program_run(2, "^ivflat-server: --mode=1777 are no permissions[^\n]*\n$", IN_FRONT, "--mode=1777");
    program_run(2, "^ivflat-server: --group=no such: there is no such group\n$", IN_FRONT, "--group=no such");
    program_run(2, "^ivflat-server: --allow-uid=no such: there is no such user\n$", IN_FRONT, "--allow-uid=no such");
    program_run(2, "^ivflat-server: --allow-gid=-1: there is no such group\n$", IN_FRONT, "--allow-gid=-1");
    program_run(2, "^ivflat-server: --allow-uid=4294967295: there is no such user\n$", IN_FRONT,
                "--allow-uid=4294967295");
    program_run(2, "^ivflat-server: --ids=twice is no way to give ids[^\n]*\n$", IN_FRONT, "--ids=twice");
    program_run(2, "^ivflat-server: --peer=1 is no peer: [^\n]*\n$", IN_FRONT, "--peer=1");
    program_run(2, "^ivflat-server: --peer=65536=x is no peer: [^\n]*\n$", IN_FRONT, "--peer=65536=x");
    program_run(2, "^ivflat-server: --peer=x=y is no peer: [^\n]*\n$", IN_FRONT, "--peer=x=y");
    program_run(2, "^ivflat-server: --peer=1= is no peer: [^\n]*\n$", IN_FRONT, "--peer=1=");
    program_run(2, "^ivflat-server: --host-peer=70000 is no id[^\n]*\n$", IN_FRONT, "--host-peer=70000");
    program_run(2, "^ivflat-server: --size is 5000 bytes, no multiple of the page[^\n]*\n$", IN_FRONT, "-l", "5000",
                "--exact-size");
    expect_folder("");
}
END_TEST

START_TEST(options_that_contradict_each_other)
{
    char *same = g_strconcat("--peer=1=", test_path("s"), NULL);
    char *peer = g_strconcat("--peer=1=", test_path("one"), NULL);

    program_run(2, "^ivflat-server: -M, -m, --file and --hugetlb are different memories[^\n]*\n$", IN_FRONT, "-M", "x",
                "--hugetlb=2M");
    program_run(2, "^ivflat-server: -M, -m, --file and --hugetlb [^\n]*\n$", IN_FRONT, "--file=x", "-m", "/tmp");
    program_run(2, "^ivflat-server: --peer takes id 1 twice[^\n]*\n$", IN_FRONT, peer, peer);
    program_run(2, "^ivflat-server: --peer and --host-peer both take id 1[^\n]*\n$", IN_FRONT, peer, "--host-peer=1");
    program_run(2, "^ivflat-server: --peer=1=[^\n]*/s is the socket of all others[^\n]*\n$", IN_FRONT, same);
    program_run(2, "^ivflat-server: --host-peer needs --foreground[^\n]*\n$", SERVER, "-S", test_path("s"),
                "--host-peer=1");
    expect_folder("");
    g_free(same);
    g_free(peer);
}
END_TEST

START_TEST(a_file_that_is_wrong)
{
    char *link = g_strconcat("--file=", test_path("link"), NULL);
    char *file = g_strconcat("--file=", test_path("f"), NULL);

    ck_assert_int_eq(symlink("f", test_path("link")), 0);
    ck_assert(g_file_set_contents(test_path("f"), "short", -1, NULL));
    ck_assert_int_eq(chmod(test_path("f"), 0600), 0);
    program_run(2, "^ivflat-server: [^\n]*/link is a symbolic link[^\n]*\n$", IN_FRONT, link);
    program_run(2, "^ivflat-server: the file [^\n]*/f [^\n]* 5 bytes, 4194304 are asked for[^\n]*\n$", IN_FRONT, file);
    expect_folder("f link");
    g_free(link);
    g_free(file);
}
END_TEST

START_TEST(a_named_memory_that_is_a_link)
{
    char *name = g_strdup_printf("ivflat-link-%d", (int)getpid());
    char *path = g_strconcat("/dev/shm/", name, NULL);

    ck_assert_int_eq(symlink(test_path("f"), path), 0);
    program_run(2, "^ivflat-server: cannot make the shared memory object [^\n]*symbolic links\n$", IN_FRONT, "-M",
                name);
    expect_folder("");
    ck_assert_int_eq(unlink(path), 0);
    g_free(path);
    g_free(name);
}
END_TEST

START_TEST(a_seat_that_cannot_be_had_leaves_nothing_behind)
{
    char *peer = g_strconcat("--peer=1=", test_path("none/one"), NULL);
    char *good = g_strconcat("--peer=2=", test_path("two"), NULL);

    program_run(2, "^ivflat-server: cannot listen on [^\n]*/none/one: No such file or directory\n$", IN_FRONT, good,
                peer);
    expect_folder("");
    g_free(peer);
    g_free(good);
}
END_TEST

/* Good ones ------------------------------------------------------------------------------------------------------- */

START_TEST(a_file_is_shared_and_stays)
{
    char *file = g_strconcat("--file=", test_path("f"), NULL);
    struct process *server;

    for (int round = 0; round < 2; round++) {
        server = program_start(IN_FRONT, file, "-l", "64K");
        process_expect(server, "ready");
        ck_assert_ptr_nonnull(strstr(process_said(server), "can cut it short"));
        program_run(0, round == 0 ? "wrote 5 bytes" : "read 0: \"hello\"", JOIN, round == 0 ? "--write" : "--read",
                    round == 0 ? "0:hello" : "0:5");
        process_expect_end(server, SIGTERM, 0);
        expect_folder("f");
    }
    g_free(file);
}
END_TEST

START_TEST(an_exact_size_is_not_rounded)
{
    struct process *server = program_start(IN_FRONT, "-l", "12K", "--exact-size");

    process_expect(server, "^ivflat-server: ready on [^\n]*\\(12288 bytes");
    program_run(0, "joined as 0, 12288 bytes", JOIN, "--read", "0:1");
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(a_mode_lets_others_in_and_allow_uid_keeps_them_out)
{
    struct process *server = program_start(IN_FRONT, "--mode=666");
    struct stat status;

    process_expect(server, "ready");
    ck_assert_int_eq(stat(test_path("s"), &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0666);
    if (!program_run_as_nobody(0, "joined as 0", JOIN, "--read", "0:1")) {
        process_expect_end(server, SIGTERM, 0);
        return;
    }
    process_expect_end(server, SIGTERM, 0);
    server = program_start(IN_FRONT, "--mode=666", "--allow-uid=root", "--group=65534");
    process_expect(server, "ready");
    ck_assert_int_eq(stat(test_path("s"), &status), 0);
    ck_assert_uint_eq(status.st_gid, 65534);
    program_run_as_nobody(1, "cannot join", JOIN, "--read", "0:1");
    process_expect(server, "refused a client \\(process [0-9]+, user 65534, group 65534\\): neither its user nor its "
                           "group may join");
    program_run(0, "joined as 0", JOIN, "--read", "0:1");
    process_expect_end(server, SIGTERM, 0);
    server = program_start(IN_FRONT, "--mode=666", "--allow-uid=root", "--allow-gid=65534");
    process_expect(server, "ready");
    program_run_as_nobody(0, "joined as 0", JOIN, "--read", "0:1");
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(the_lowest_id_comes_back)
{
    struct process *server = program_start(IN_FRONT, "--ids=lowest");

    process_expect(server, "ready");
    for (int i = 0; i < 3; i++) {
        program_run(0, "joined as 0", JOIN, "--read", "0:1");
    }
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(peers_have_ids_of_their_own)
{
    char *seven = g_strconcat("--peer=7=", test_path("seven"), NULL);
    char *nine = g_strconcat("--peer=9=", test_path("nine"), ",keep", NULL);
    struct process *server = program_start(IN_FRONT, seven, nine);
    struct process *client;

    process_expect(server, "ready");
    expect_folder("nine s seven");
    client = program_start(JOIN);
    process_expect(client, "joined as 0");
    for (int i = 0; i < 2; i++) {
        program_run(0, "joined as 7", CLIENT, "-S", test_path("seven"), "--read", "0:1");
        program_run(0, "joined as 9", CLIENT, "-S", test_path("nine"), "--ring", "0:0");
    }
    process_expect(client, "interrupt(.|\n)*interrupt");
    ck_assert_ptr_null(strstr(process_said(client), "peer 9 left"));
    process_expect_end(server, SIGTERM, 0);
    expect_folder("");
    g_free(seven);
    g_free(nine);
}
END_TEST

START_TEST(the_server_itself_is_a_peer)
{
    struct process *server = program_start(IN_FRONT, "-n2", "--host-peer=5");
    struct process *client;

    process_expect(server, "ready");
    client = program_start(JOIN);
    process_expect(client, "joined as 0(.|\n)*peer 5 [^\n]*2 vectors");
    client_does(client, "ring 5 1", "rang peer 5, vector 1");
    client_does(client, "write x", "say: write OFFSET TEXT");
    client_does(client, "write  x", "say: write OFFSET TEXT");
    process_expect(server, "interrupt on vector 1, 1 time\n");
    process_type(server, "0 1\n");
    process_expect(server, "rang peer 0, vector 1\n");
    process_expect(client, "interrupt on vector 1");
    process_type(server, "0 2\nnonsense\n");
    process_expect(server, "there is no vector 2 of a peer 0 to ring\nivflat-server: \"nonsense\" is no ring");
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

/* What somebody types there may be anything; what is typed on another terminal has its end. */
START_TEST(what_the_host_peer_is_told_may_be_anything)
{
    struct process *server = program_start(IN_FRONT, "-n2", "--host-peer=5");
    char *endless = g_strnfill(10000, '7');
    char *ten = g_strconcat(endless, "\n5 0\n", NULL);

    process_expect(server, "ready");
    process_type(server, "\n70000 0\n");
    process_expect(server, "\"70000 0\" is no ring: say PEER VECTOR, two numbers\n");
    process_type(server, "0 70000\n");
    process_expect(server, "\"0 70000\" is no ring");
    process_type(server, "1 2 3\n");
    process_expect(server, "\"1 2 3\" is no ring");
    process_type(server, "9 0\n");
    process_expect(server, "there is no vector 0 of a peer 9 to ring\n");
    process_type(server, ten);
    process_expect(server, "7777\" is no ring");
    process_expect(server, "rang peer 5, vector 0\n(.|\n)*interrupt on vector 0, 1 time\n");
    process_expect_end(server, SIGTERM, 0);
    g_free(ten);
    g_free(endless);
}
END_TEST

/* Who joins reads nothing, so that all that is sent is sent to the host: more than its socket takes, and than may wait. */
START_TEST(a_host_peer_that_is_dropped_joins_again)
{
    struct process *server = program_start(IN_FRONT, "-n1000", "--max-queue=1", "--host-peer=5");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    process_expect(server, "ready");
    strcpy(address.sun_path, test_path("s"));
    ck_assert_int_eq(connect(sock, (struct sockaddr *)&address, sizeof(address)), 0);
    process_expect(server, "host peer: its link is down, it joins again\n");
    for (int i = 0; i < 200 && !process_says(server, "interrupt on vector 999, [0-9]+ time", 50); i++) {
        process_type(server, "5 999\n"); /* until it has it again */
    }
    process_expect(server, "interrupt on vector 999, [0-9]+ time");
    close_fd(sock);
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(what_is_the_default_may_be_said)
{
    struct process *server = program_start(IN_FRONT, "--ids=once", "-n0X2");

    process_expect(server, "ready on [^\n]*2 vectors");
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(a_host_peer_without_vectors_has_the_memory)
{
    struct process *server = program_start(IN_FRONT, "-n0", "--host-peer=5", "--json");

    process_expect(server, "\"event\":\"ready\"");
    process_expect(server, "no interrupts");
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

/* Hexadecimal, of the process's status. */
static uint64_t status_of(struct process *process, const char *name)
{
    char *path = g_strdup_printf("/proc/%d/status", process_pid(process));
    const char *line;
    uint64_t number;
    char *text;

    ck_assert(g_file_get_contents(path, &text, NULL, NULL));
    line = strstr(text, name);
    ck_assert_ptr_nonnull(line);
    number = g_ascii_strtoull(line + strlen(name), NULL, 16);
    g_free(text);
    g_free(path);
    return number;
}

/* Of root's: CHOWN, DAC_OVERRIDE and SYS_RESOURCE.  A program that is started in its place gets no others back. */
START_TEST(nothing_gets_more_privileges_from_it)
{
    struct process *server = program_start(IN_FRONT);

    process_expect(server, "ready");
    for (int round = 0; round < 2; round++) {
        ck_assert_uint_eq(status_of(server, "NoNewPrivs:\t"), 1);
        ck_assert_uint_eq(status_of(server, "CapPrm:\t") & ~UINT64_C(0x1000003), 0);
        ck_assert_uint_eq(status_of(server, "CapEff:\t") & ~UINT64_C(0x1000003), 0);
        ck_assert_uint_eq(status_of(server, "CapInh:\t"), 0);
        if (round == 0) {
            ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
            process_expect(server, "goes on");
        }
    }
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

/* A peer, of the library: what it was given as memory is tried to be cut short. */
static int attempts[2];

static int32_t on_memory(void *user, int32_t fd, uint64_t size)
{
    (void)user;
    attempts[0] = ftruncate(fd, 0) < 0 ? errno : 0;
    attempts[1] = ftruncate(fd, (off_t)size * 2) < 0 ? errno : 0;
    return 0;
}

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user;
    (void)vector;
    (void)count;
}

static ivflat_device *join_device(int32_t *result, uint32_t hostile)
{
    ivflat_config config = {.struct_size = sizeof(config), .require_sealed = 1};
    ivflat_hooks hooks = {
        .struct_size = sizeof(hooks), .interrupt = on_interrupt, .memory_attached = hostile ? on_memory : NULL};
    ivflat_device *dev;

    ck_assert_int_eq(ivflat_device_new(&dev, &config, &hooks), 0);
    ck_assert_int_eq(ivflat_device_connect(dev, test_path("s")), 0);
    *result = ivflat_device_greet(dev, PATIENCE_MS);
    return dev;
}

START_TEST(P15_no_peer_can_pull_the_memory_away)
{
    struct process *server = server_begin("1");
    ivflat_device *victim;
    ivflat_device *hostile;
    char *last;
    int32_t result;

    victim = join_device(&result, 0);
    ck_assert_int_eq(result, 0);
    hostile = join_device(&result, 1);
    ck_assert_int_eq(result, 0);
    ck_assert_int_eq(attempts[0], EPERM);
    ck_assert_int_eq(attempts[1], EPERM);
    last = (char *)ivflat_device_memory(victim) + ivflat_device_memory_size(victim) - 1;
    *(volatile char *)last = 'x'; /* or it would be SIGBUS */
    ck_assert_int_eq(((char *)ivflat_device_memory(hostile))[65535], 'x');
    ivflat_device_free(victim);
    ivflat_device_free(hostile);
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

START_TEST(P15_memory_that_could_be_is_refused_by_who_asks_for_sealed)
{
    char *file = g_strconcat("--file=", test_path("f"), NULL);
    struct process *server = program_start(IN_FRONT, file, "-l", "64K");
    ivflat_device *dev;
    int32_t result;

    process_expect(server, "ready");
    dev = join_device(&result, 0);
    ck_assert_int_eq(result, IVFLAT_ERR_MEMORY);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "sealed"));
    ivflat_device_free(dev);
    process_expect_end(server, SIGTERM, 0);
    g_free(file);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_options");
    TCase *tcase = suite_case(suite, "bad");

    tcase_add_test(tcase, values_that_are_none);
    tcase_add_test(tcase, options_that_contradict_each_other);
    tcase_add_test(tcase, a_file_that_is_wrong);
    tcase_add_test(tcase, a_named_memory_that_is_a_link);
    tcase_add_test(tcase, a_seat_that_cannot_be_had_leaves_nothing_behind);

    tcase = suite_case(suite, "good");
    tcase_add_test(tcase, a_file_is_shared_and_stays);
    tcase_add_test(tcase, an_exact_size_is_not_rounded);
    tcase_add_test(tcase, a_mode_lets_others_in_and_allow_uid_keeps_them_out);
    tcase_add_test(tcase, the_lowest_id_comes_back);
    tcase_add_test(tcase, peers_have_ids_of_their_own);
    tcase_add_test(tcase, the_server_itself_is_a_peer);
    tcase_add_test(tcase, P15_no_peer_can_pull_the_memory_away);
    tcase_add_test(tcase, P15_memory_that_could_be_is_refused_by_who_asks_for_sealed);
    tcase_add_test(tcase, what_the_host_peer_is_told_may_be_anything);
    tcase_add_test(tcase, a_host_peer_that_is_dropped_joins_again);
    tcase_add_test(tcase, what_is_the_default_may_be_said);
    tcase_add_test(tcase, a_host_peer_without_vectors_has_the_memory);
    tcase_add_test(tcase, nothing_gets_more_privileges_from_it);
    return suite_run(suite);
}
