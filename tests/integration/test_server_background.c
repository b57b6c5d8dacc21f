/* SPDX-License-Identifier: BSD-3-Clause */
/* ivflat-server in the background: the process id's file, and who hears what it says. */
#include "program.h"

#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

/* What is orphaned comes to us, so that it can be waited for. */
static int begin_background(void)
{
    char *text;
    int pid;

    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    program_run(0, "^ivflat-server: ready on [^\n]*/s \\(4194304 bytes, 1 vector, room for [0-9]+ clients\\)\n$",
                SERVER, "-S", test_path("s"), "-p", test_path("pid"));
    ck_assert(g_file_get_contents(test_path("pid"), &text, NULL, NULL));
    pid = atoi(text);
    ck_assert_int_gt(pid, 1);
    ck_assert_int_eq(text[strlen(text) - 1], '\n');
    g_free(text);
    return pid;
}

START_TEST(in_the_background_it_is_ready_when_it_seems_so)
{
    int pid = begin_background();
    char *link = g_strdup_printf("/proc/%d/fd/1", pid);
    char *target = g_file_read_link(link, NULL);

    ck_assert_str_eq(target, "/dev/null");
    ck_assert_int_eq(getsid(pid), pid);
    program_run(0, "joined as 0", CLIENT, "-S", test_path("s"), "--read", "0:1");
    expect_folder("pid s");
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(join_child(pid), 0);
    expect_folder("");
    g_free(link);
    g_free(target);
}
END_TEST

START_TEST(another_servers_pid_file_is_not_removed)
{
    int pid = begin_background();

    ck_assert(g_file_set_contents(test_path("pid"), "1\n", -1, NULL));
    ck_assert_int_eq(kill(pid, SIGINT), 0);
    ck_assert_int_eq(join_child(pid), 0);
    expect_folder("pid");
}
END_TEST

START_TEST(what_is_no_pid_file_is_left_alone)
{
    struct stat status;

    ck_assert_int_eq(mkfifo(test_path("fifo"), 0600), 0);
    ck_assert_int_eq(symlink("precious", test_path("link")), 0);
    program_run(
        2, "^ivflat-server: cannot write the pid file: [^\n]*/fifo: it is no regular file of ours alone; [^\n]*\n$",
        SERVER, "-S", test_path("s"), "-p", test_path("fifo"));
    program_run(2, "^ivflat-server: cannot write the pid file: [^\n]*/link: it is a symbolic link; [^\n]*\n$", SERVER,
                "-S", test_path("s"), "-p", test_path("link"));
    program_run(2,
                "^ivflat-server: cannot write the pid file: [^\n]*/s: it is no regular file of ours alone; [^\n]*\n$",
                SERVER, "-S", test_path("s"), "-p", test_path("s"));
    ck_assert(g_file_set_contents(test_path("one"), "precious", -1, NULL));
    ck_assert_int_eq(link(test_path("one"), test_path("two")), 0);
    program_run(2, "/two: it is no regular file of ours alone; ", SERVER, "-S", test_path("s"), "-p", test_path("two"));
    ck_assert_int_eq(stat(test_path("one"), &status), 0);
    ck_assert_int_eq(status.st_size, 8);
    ck_assert_int_eq(unlink(test_path("two")), 0);
    if (chown(test_path("one"), 65534, 65534) == 0) { /* where root may */
        program_run(2, "/one: it is no regular file of ours alone; ", SERVER, "-S", test_path("s"), "-p",
                    test_path("one"));
    }
    ck_assert_int_eq(unlink(test_path("one")), 0);
    ck_assert_int_eq(lstat(test_path("fifo"), &status), 0);
    ck_assert(S_ISFIFO(status.st_mode));
    if (mknod(test_path("device"), S_IFCHR | 0600, makedev(1, 3)) == 0) { /* where root may */
        program_run(2, "/device: (it is no regular file of ours alone|Permission denied); ", SERVER, "-S",
                    test_path("s"), "-p", test_path("device"));
        expect_folder("device fifo link");
    }
}
END_TEST

START_TEST(a_live_servers_pid_file_is_not_taken)
{
    int pid = begin_background();
    char *wanted = g_strdup_printf("%d\n", pid);
    char *text;

    program_run(2, "/pid: it is the file of a server that runs; ", SERVER, "-S", test_path("t"), "-p",
                test_path("pid"));
    ck_assert(g_file_get_contents(test_path("pid"), &text, NULL, NULL));
    ck_assert_str_eq(text, wanted);
    ck_assert_int_eq(kill(pid, SIGKILL), 0);
    join_child(pid);
    g_free(text);
    g_free(wanted);
    pid = begin_background(); /* a dead one's is */
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(join_child(pid), 0);
    expect_folder("");
}
END_TEST

/* Other at each execve(): what the kernel hands a program. */
static char *vector_of(int pid)
{
    char *path = g_strdup_printf("/proc/%d/auxv", pid);
    GString *hex = g_string_new(NULL);
    char *bytes;
    gsize count;

    ck_assert(g_file_get_contents(path, &bytes, &count, NULL));
    for (gsize i = 0; i < count; i++) {
        g_string_append_printf(hex, "%02x", (uint8_t)bytes[i]);
    }
    g_free(bytes);
    g_free(path);
    return g_string_free(hex, FALSE);
}

static void wait_for_execve(int pid, const char *before)
{
    gint64 end = g_get_monotonic_time() + PATIENCE_MS * 1000;
    bool same = true;

    while (same) {
        char *now = vector_of(pid);

        same = strcmp(now, before) == 0;
        g_free(now);
        ck_assert_msg(g_get_monotonic_time() < end, "it does not start anew");
        g_usleep(1000);
    }
}

/* The same process, the same file with its lock, and still in the background. */
START_TEST(in_the_background_it_starts_anew_too)
{
    int pid = begin_background();
    char *before = vector_of(pid);

    ck_assert_int_eq(kill(pid, SIGHUP), 0);
    wait_for_execve(pid, before);
    program_run(0, "joined as 0", CLIENT, "-S", test_path("s"), "--read", "0:1");
    program_run(2, "/pid: it is the file of a server that runs; ", SERVER, "-S", test_path("t"), "-p",
                test_path("pid"));
    expect_folder("pid s");
    ck_assert_int_eq(kill(pid, SIGTERM), 0);
    ck_assert_int_eq(join_child(pid), 0);
    expect_folder("");
    g_free(before);
}
END_TEST

/* Where the system's log would be, for a process that sees our folder "dev" as /dev. */
static int open_log(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    ck_assert_int_eq(mkdir(test_path("dev"), 0755), 0);
    ck_assert(g_file_set_contents(test_path("dev/null"), "", -1, NULL));
    strcpy(address.sun_path, test_path("dev/log"));
    ck_assert_int_eq(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
    return sock;
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, path);
    ck_assert_int_eq(connect(sock, (struct sockaddr *)&address, sizeof(address)), 0);
    return sock;
}

#define CROWD 22 /* as many clients as the server may have descriptors: not one is left, for the log either */

/* A daemon's information; and what others of our user have under way, of which few are allowed here. */
static bool is_beside_the_point(const char *line)
{
    return (g_str_has_prefix(line, "<30>") && strstr(line, " joined, process ")) ||
           strstr(line, "too many descriptors");
}

START_TEST(its_warnings_go_to_the_systems_log)
{
    static const char script[] =
        "mount --bind \"$1\" /dev || exit 77; ulimit -n 22; exec \"$0\" -n 0 -S \"$2\" -p \"$3\"";
    const char *const argv[] = {"unshare",        "-m", "sh", "-c", script, SERVER, test_path("dev"), test_path("s"),
                                test_path("pid"), NULL};
    struct process *server;
    int socks[CROWD];
    char line[512] = "";
    char *text;
    int log = open_log();
    int status;

    ck_assert_int_eq(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    server = process_start(argv, -1);
    status = process_end(server, 0);
    if (status != 0) {
        printf("its_warnings_go_to_the_systems_log: skipped, no /dev of its own to be had: %s", process_said(server));
        close_fd(log);
        return;
    }
    for (int i = 0; i < CROWD; i++) {
        socks[i] = connect_to(test_path("s"));
    }
    do {
        memset(line, 0, sizeof(line));
        wait_readable(log);
        ck_assert_int_gt(recv(log, line, sizeof(line) - 1, 0), 0);
    } while (is_beside_the_point(line));
    ck_assert_msg(strstr(line, "ivflat-server[") && strstr(line, "Too many open files"), "%s", line);
    ck_assert_int_eq(memcmp(line, "<28>", 4), 0); /* a daemon's warning */
    ck_assert(g_file_get_contents(test_path("pid"), &text, NULL, NULL));
    ck_assert_int_eq(kill(atoi(text), SIGTERM), 0);
    ck_assert_int_eq(join_child(atoi(text)), 0);
    for (int i = 0; i < CROWD; i++) {
        close_fd(socks[i]);
    }
    close_fd(log);
    g_free(text);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_background");
    TCase *tcase = suite_case(suite, "background");
    tcase_add_test(tcase, in_the_background_it_is_ready_when_it_seems_so);
    tcase_add_test(tcase, another_servers_pid_file_is_not_removed);
    tcase_add_test(tcase, what_is_no_pid_file_is_left_alone);
    tcase_add_test(tcase, a_live_servers_pid_file_is_not_taken);
    tcase_add_test(tcase, in_the_background_it_starts_anew_too);
    tcase_add_test(tcase, its_warnings_go_to_the_systems_log);
    return suite_run(suite);
}
