/* SPDX-License-Identifier: BSD-3-Clause */
#include "support.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

struct cleanup {
    void (*function)(void *argument);
    void *argument;
};

static struct {
    char root[64]; /* the run's folder */
    char *folder;  /* the test's, in it */
    GSList *paths;
    GSList *cleanups;
    GString *fds; /* what was open before */
    GArray *filler;
    struct rlimit limit;
} test;

/* Descriptors ---------------------------------------------------------------------------------------------------- */

/* "3 -> socket:[12]" and so on: a leak is named, not only counted. */
static GString *list_fds(uint32_t *count)
{
    GString *list = g_string_new(NULL);
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;

    *count = 0;
    ck_assert_ptr_nonnull(dir);
    while ((entry = readdir(dir))) {
        char target[256] = "";
        ssize_t length = readlinkat(dirfd(dir), entry->d_name, target, sizeof(target) - 1);

        if (length < 0 || atoi(entry->d_name) == dirfd(dir) || strstr(target, "/check_")) {
            continue; /* Check's own file is another one each time, without fork */
        }
        g_string_append_printf(list, "  %s -> %s\n", entry->d_name, target);
        (*count)++;
    }
    closedir(dir);
    return list;
}

uint32_t count_fds(void)
{
    uint32_t count;

    g_string_free(list_fds(&count), TRUE);
    return count;
}

static void check_fds(void)
{
    uint32_t count;
    GString *now = list_fds(&count);
    bool same = strcmp(now->str, test.fds->str) == 0;

    if (!same) {
        fprintf(stderr, "descriptors before the test:\n%safter it:\n%s", test.fds->str, now->str);
    }
    g_string_free(now, TRUE);
    g_string_free(test.fds, TRUE);
    ck_assert_msg(same, "the test leaves other descriptors than it found");
}

void fill_fds(uint32_t spare)
{
    struct rlimit small;
    int fd;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &test.limit), 0);
    small = test.limit;
    small.rlim_cur = 128;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &small), 0);
    test.filler = g_array_new(FALSE, FALSE, sizeof(int));
    while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0) {
        g_array_append_val(test.filler, fd);
    }
    ck_assert_int_eq(errno, EMFILE);
    ck_assert_uint_ge(test.filler->len, spare);
    for (; spare > 0; spare--) {
        close_fd(g_array_index(test.filler, int, test.filler->len - 1));
        g_array_set_size(test.filler, test.filler->len - 1);
    }
}

void fill_fds_undo(void)
{
    for (guint i = 0; i < test.filler->len; i++) {
        close_fd(g_array_index(test.filler, int, i));
    }
    g_array_free(test.filler, TRUE);
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &test.limit), 0);
}

/* The folder ----------------------------------------------------------------------------------------------------- */

static void remove_tree(const char *folder)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir && (name = g_dir_read_name(dir))) {
        char *path = g_build_filename(folder, name, NULL);

        if (g_file_test(path, G_FILE_TEST_IS_DIR) && !g_file_test(path, G_FILE_TEST_IS_SYMLINK)) {
            remove_tree(path);
        } else {
            g_unlink(path);
        }
        g_free(path);
    }
    g_clear_pointer(&dir, g_dir_close);
    g_rmdir(folder);
}

const char *test_folder(void)
{
    return test.folder;
}

const char *test_path(const char *name)
{
    char *path = g_build_filename(test.folder, name, NULL);

    test.paths = g_slist_prepend(test.paths, path);
    return path;
}

/* The fixture ---------------------------------------------------------------------------------------------------- */

static void check_no_children(void)
{
    siginfo_t info;
    int found = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT);

    ck_assert_msg(found == -1 && errno == ECHILD, "a child process is left");
}

static void set_up(void)
{
    uint32_t count;

    test.folder = g_strdup_printf("%s/XXXXXX", test.root);
    ck_assert_ptr_nonnull(g_mkdtemp(test.folder));
    test.fds = list_fds(&count);
    check_no_children();
}

void at_test_end(void (*function)(void *argument), void *argument)
{
    struct cleanup *cleanup = g_new(struct cleanup, 1);

    *cleanup = (struct cleanup){.function = function, .argument = argument};
    test.cleanups = g_slist_prepend(test.cleanups, cleanup);
}

static void tear_down(void)
{
    while (test.cleanups) {
        struct cleanup *cleanup = test.cleanups->data;

        test.cleanups = g_slist_delete_link(test.cleanups, test.cleanups);
        cleanup->function(cleanup->argument);
        g_free(cleanup);
    }
    remove_tree(test.folder);
    g_clear_pointer(&test.folder, g_free);
    g_slist_free_full(test.paths, g_free);
    test.paths = NULL;
    check_no_children();
    check_fds();
}

TCase *suite_case(Suite *suite, const char *name)
{
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, set_up, tear_down);
    tcase_set_timeout(tcase, 2.0 * PATIENCE_MS / 1000);
    suite_add_tcase(suite, tcase);
    return tcase;
}

/* What whoever runs us ignores or blocks (nohup(1): SIGHUP), the programs that we run would ignore and block too. */
static void heed_signals(void)
{
    struct sigaction action;
    sigset_t none;

    for (int number = 1; number < NSIG; number++) {
        if (sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN) {
            signal(number, SIG_DFL);
        }
    }
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
}

/* 0: none. */
static int first_child(void)
{
    char *path = g_strdup_printf("/proc/self/task/%d/children", getpid());
    char *children = NULL;
    int pid = g_file_get_contents(path, &children, NULL, NULL) ? atoi(children) : 0;

    g_free(children);
    g_free(path);
    return pid;
}

/* A test that fails ends on the spot, and a server in the background would go on. */
static void kill_orphans(void)
{
    int pid;

    while ((pid = first_child()) > 0) {
        kill(pid, SIGKILL);
        waitpid(pid, NULL, 0);
    }
}

int suite_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);
    int failed;

    heed_signals();
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* what a test orphans comes to us */
    snprintf(test.root, sizeof(test.root), "/tmp/ivflat-test-XXXXXX");
    if (!g_mkdtemp(test.root)) {
        perror(test.root);
        return EXIT_FAILURE;
    }
    srunner_run_all(runner, CK_ENV);
    failed = srunner_ntests_failed(runner);
    srunner_free(runner);
    kill_orphans();
    remove_tree(test.root);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Makers --------------------------------------------------------------------------------------------------------- */

int make_eventfd(void)
{
    int fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

    ck_assert_int_ge(fd, 0);
    return fd;
}

static int make_memfd(uint64_t size, int seals)
{
    int fd = memfd_create("test memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)size), 0);
    if (seals) {
        ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    }
    return fd;
}

int make_memory(uint64_t size)
{
    return make_memfd(size, 0);
}

int make_sealed_memory(uint64_t size)
{
    return make_memfd(size, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
}

int make_readonly_memory(uint64_t size)
{
    int memory = make_memory(size);
    char path[64];
    int fd;

    snprintf(path, sizeof(path), "/proc/self/fd/%d", memory);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    ck_assert_int_ge(fd, 0);
    close_fd(memory);
    return fd;
}

void make_pipe(int ends[2])
{
    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
}

void make_socketpair(int ends[2])
{
    ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
}

int dup_fd(int fd)
{
    int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

    ck_assert_int_ge(copy, 0);
    return copy;
}

void close_fd(int fd)
{
    ck_assert_msg(close(fd) == 0, "descriptor %d was closed already", fd);
}

/* What is in a descriptor ---------------------------------------------------------------------------------------- */

uint64_t take_count(int fd)
{
    uint64_t sum = 0;
    uint64_t number;

    while (is_readable(fd) && read(fd, &number, sizeof(number)) == (ssize_t)sizeof(number)) {
        sum += number;
    }
    return sum;
}

void add_count(int fd, uint64_t count)
{
    ck_assert_int_eq(write(fd, &count, sizeof(count)), sizeof(count));
}

void set_nonblock(int fd, bool on)
{
    int flags = fcntl(fd, F_GETFL);

    ck_assert_int_eq(fcntl(fd, F_SETFL, on ? flags | O_NONBLOCK : flags & ~O_NONBLOCK), 0);
}

bool get_nonblock(int fd)
{
    return fcntl(fd, F_GETFL) & O_NONBLOCK;
}

static bool poll_readable(int fd, int timeout_ms)
{
    struct pollfd wanted = {.fd = fd, .events = POLLIN};
    int count;

    do {
        count = poll(&wanted, 1, timeout_ms);
    } while (count < 0 && errno == EINTR);
    return count == 1 && (wanted.revents & (POLLIN | POLLHUP));
}

bool is_readable(int fd)
{
    return poll_readable(fd, 0);
}

void wait_readable(int fd)
{
    ck_assert_msg(poll_readable(fd, PATIENCE_MS), "nothing came within %d ms", PATIENCE_MS);
}

bool is_open(int fd)
{
    return fcntl(fd, F_GETFD) >= 0;
}

bool is_eventfd(int fd)
{
    char link[64];
    char target[64] = "";

    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    return readlink(link, target, sizeof(target) - 1) > 0 && strcmp(target, "anon_inode:[eventfd]") == 0;
}

bool at_end_of_file(int sock)
{
    char byte;
    ssize_t got = recv(sock, &byte, 1, MSG_DONTWAIT | MSG_PEEK);

    return got == 0 || (got < 0 && errno == ECONNRESET); /* reset: it closed with bytes of ours unread */
}

/* Processes ------------------------------------------------------------------------------------------------------ */

int run_child(int (*function)(void *argument), void *argument)
{
    int pid = fork();

    ck_assert_int_ge(pid, 0);
    if (pid == 0) {
        _exit(function(argument));
    }
    return pid;
}

int join_child(int pid)
{
    int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
    int status;

    if (pidfd >= 0) {
        if (!poll_readable(pidfd, PATIENCE_MS)) {
            kill(pid, SIGKILL);
            waitpid(pid, &status, 0);
            ck_abort_msg("the child hung");
        }
        close_fd(pidfd);
    } else {
        ck_assert_int_eq(errno, ENOSYS); /* valgrind 3.19 does not know it: the test's own limit has to do */
    }
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}
