/* SPDX-License-Identifier: BSD-3-Clause */
/* ivflat-server: memory of huge pages, in a hugetlbfs, and under a name that is there already.  Huge pages are few, and
 * mostly none: root makes some for the test, and takes them back. */
#include "program.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <libivflat/ivflat.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define IN_FRONT SERVER, "-F", "-S", test_path("s")
#define JOIN     CLIENT, "-S", test_path("s")

/* Names and folders --------------------------------------------------------------------------------------------- */

START_TEST(a_named_memory_is_removed_at_the_end)
{
    char *name = g_strdup_printf("ivflat-test-%d", (int)getpid());
    struct process *server = program_start(IN_FRONT, "-M", name, "-l", "64K");
    int fd;

    process_expect(server, "ready");
    program_run(0, "wrote 5 bytes", CLIENT, "-S", test_path("s"), "--write", "0:hello");
    fd = shm_open(name, O_RDWR | O_CLOEXEC, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_END), 65536);
    close_fd(fd);
    process_expect_end(server, SIGTERM, 0);
    ck_assert_int_eq(shm_open(name, O_RDWR, 0), -1);
    g_free(name);
}
END_TEST

START_TEST(a_named_memory_is_removed_at_the_end_of_the_last_one)
{
    char *name = g_strdup_printf("ivflat-test-%d", (int)getpid());
    struct process *server = program_start(IN_FRONT, "-M", name, "-l", "64K");

    process_expect(server, "ready");
    ck_assert_int_eq(kill(process_pid(server), SIGHUP), 0);
    process_expect(server, "goes on, with 0 clients");
    program_run(0, "wrote 5 bytes", JOIN, "--write", "0:hello");
    process_expect_end(server, SIGTERM, 0);
    ck_assert_int_eq(shm_open(name, O_RDWR, 0), -1);
    expect_folder("");
    g_free(name);
}
END_TEST

START_TEST(of_both_memories_the_last_one_counts)
{
    char *name = g_strdup_printf("ivflat-test-%d", (int)getpid());
    struct process *server = program_start(IN_FRONT, "-M", name, "-m", test_folder());

    process_expect(server, "ready");
    ck_assert_int_eq(shm_open(name, O_RDWR, 0), -1);
    process_expect_end(server, SIGTERM, 0);
    server = program_start(IN_FRONT, "-m", test_path("none"), "-M", name);
    process_expect(server, "ready");
    process_expect_end(server, SIGTERM, 0);
    g_free(name);
}
END_TEST

START_TEST(a_memory_in_a_folder_has_no_name)
{
    struct process *server = program_start(IN_FRONT, "-m", test_folder());

    process_expect(server, "ready");
    program_run(0, "joined as 0, 4194304 bytes", CLIENT, "-S", test_path("s"), "--read", "0:1");
    expect_folder("s");
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

/* Huge pages ------------------------------------------------------------------------------------------------------ */

struct pool {
    const char *path;
    long before;
};

static long read_count(const char *path)
{
    char *text;
    long count;

    if (!g_file_get_contents(path, &text, NULL, NULL)) {
        return -1;
    }
    count = atol(text);
    g_free(text);
    return count;
}

static bool write_count(const char *path, long count)
{
    char text[32];
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    bool written = fd >= 0 && write(fd, text, (size_t)snprintf(text, sizeof(text), "%ld\n", count)) > 0;

    if (fd >= 0) {
        close(fd);
    }
    return written;
}

static void give_back(void *argument)
{
    struct pool *pool = argument;

    if (pool->path) {
        write_count(pool->path, pool->before);
        pool->path = NULL;
    }
}

/* @count more pages in the pool, until the test ends.  False: they cannot be had, and it is said. */
static bool have_pages(const char *path, long count)
{
    static struct pool pool;

    pool = (struct pool){path, read_count(path)};
    at_test_end(give_back, &pool);
    if (pool.before >= 0 && write_count(path, pool.before + count) && read_count(path) == pool.before + count) {
        return true;
    }
    printf("skipped: %ld more huge pages cannot be had (%s)\n", count, path);
    return false;
}

#define SMALL_POOL "/sys/kernel/mm/hugepages/hugepages-2048kB/nr_hugepages"
#define LARGE_POOL "/sys/kernel/mm/hugepages/hugepages-1048576kB/nr_hugepages"

/* It is one whole memory, whose pages are there, and which nobody can cut short. */
static void expect_memory(uint64_t size, bool sealed)
{
    ivflat_config config = {.struct_size = sizeof(config), .memory_size = size, .require_sealed = sealed};
    ivflat_hooks hooks = {.struct_size = sizeof(hooks)};
    ivflat_device *dev;
    uint8_t *memory;

    config.no_interrupts = 1;
    ck_assert_int_eq(ivflat_device_new(&dev, &config, &hooks), 0);
    ck_assert_int_eq(ivflat_device_connect(dev, test_path("s")), 0);
    ck_assert_msg(ivflat_device_greet(dev, PATIENCE_MS) == 0, "%s", ivflat_last_error());
    memory = ivflat_device_memory(dev);
    memory[0] = 'a';
    memory[size - 1] = 'z';
    ck_assert_uint_eq(ivflat_device_memory_size(dev), size);
    ivflat_device_free(dev);
}

static void share_huge_pages(const char *option, const char *size, uint64_t bytes)
{
    struct process *server = program_start(IN_FRONT, option, "-l", size);

    process_expect(server, "ready on");
    ck_assert_ptr_null(strstr(process_said(server), "cut it short"));
    expect_memory(bytes, true);
    program_run(0, "read [0-9]+: \"z\"", JOIN, "--read", bytes == 4 << 20 ? "4194303:1" : "1073741823:1");
    process_expect_end(server, SIGTERM, 0);
}

START_TEST(huge_pages_are_shared_and_sealed)
{
    if (have_pages(SMALL_POOL, 2)) {
        share_huge_pages("--hugetlb=2M", "4M", 4 << 20);
    }
    expect_folder("");
}
END_TEST

START_TEST(huge_pages_of_a_gigabyte)
{
    if (have_pages(LARGE_POOL, 1)) {
        share_huge_pages("--hugetlb=1G", "1G", 1 << 30);
    } else {
        program_run(
            2, "^ivflat-server: cannot (make a memfd of|have 1073741824 bytes in) huge pages of 1073741824[^\n]*\n$",
            IN_FRONT, "--hugetlb=1G", "-l1G");
    }
    expect_folder("");
}
END_TEST

/* All at once, or one sentence: a page that is not there later would kill who touches it. */
START_TEST(more_huge_pages_than_there_are)
{
    program_run(2, "^ivflat-server: cannot (make a memfd of|have [0-9]+ bytes in) huge pages of 2097152[^\n]*\n$",
                IN_FRONT, "--hugetlb=2M", "-l", "4T");
    program_run(2, "^ivflat-server: --size is 3145728 bytes, no multiple of the page, 2097152[^\n]*\n$", IN_FRONT,
                "--hugetlb=2M", "-l3M", "--exact-size");
    expect_folder("");
}
END_TEST

START_TEST(a_size_is_rounded_up_to_a_huge_page)
{
    struct process *server;

    if (!have_pages(SMALL_POOL, 1)) {
        return;
    }
    server = program_start(IN_FRONT, "--hugetlb=2M", "-l64K");
    process_expect(server, "the size of 65536 bytes is rounded up to 2097152\n(.|\n)*ready on");
    expect_memory(2 << 20, true);
    process_expect_end(server, SIGTERM, 0);
}
END_TEST

/* A namespace of our own: nobody else sees it, and it goes with us. */
static bool mount_hugetlbfs(void)
{
    ck_assert_int_eq(mkdir(test_path("huge"), 0700), 0);
    if (unshare(CLONE_NEWNS) < 0 || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
        mount("hugetlbfs", test_path("huge"), "hugetlbfs", 0, "pagesize=2M") < 0) {
        printf("skipped: no hugetlbfs can be mounted here: %s\n", g_strerror(errno));
        ck_assert_int_eq(rmdir(test_path("huge")), 0);
        return false;
    }
    return true;
}

START_TEST(a_folder_in_a_hugetlbfs)
{
    struct process *server;

    if (!have_pages(SMALL_POOL, 2) || !mount_hugetlbfs()) {
        return;
    }
    server = program_start(IN_FRONT, "-m", test_path("huge"), "-l64K");
    process_expect(server, "the size of 65536 bytes is rounded up to 2097152\n(.|\n)*cut it short(.|\n)*ready on");
    expect_memory(2 << 20, false);
    process_expect_end(server, SIGTERM, 0);
    ck_assert_int_eq(rmdir(test_path("huge")), -1);
    ck_assert_int_eq(umount(test_path("huge")), 0); /* nothing is left in it */
    ck_assert_int_eq(rmdir(test_path("huge")), 0);
}
END_TEST

/* A name that is there already -------------------------------------------------------------------------------------- */

static char *make_named(off_t size)
{
    char *name = g_strdup_printf("/ivflat-memory-%s", strrchr(test_folder(), '/') + 1);
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, size), 0);
    ck_assert_int_eq(pwrite(fd, "kept", 4, 0), 4);
    close_fd(fd);
    return name;
}

START_TEST(a_name_with_a_smaller_memory)
{
    char *name = make_named(4096);
    struct process *server = program_start(IN_FRONT, "-M", name, "-l64K");

    process_expect(server, "ready on [^\n]*\\(65536 bytes");
    program_run(0, "65536 bytes(.|\n)*read 0: \"kept\"", JOIN, "--read", "0:4");
    process_expect_end(server, SIGTERM, 0);
    ck_assert_int_eq(shm_unlink(name), -1); /* it is removed */
    g_free(name);
}
END_TEST

START_TEST(a_name_with_a_larger_memory)
{
    char *name = make_named(131072);

    program_run(2, "^ivflat-server: the shared memory object [^\n]* has 131072 bytes, 65536 are asked for[^\n]*\n$",
                IN_FRONT, "-M", name, "-l64K");
    expect_folder("");
    ck_assert_int_eq(shm_unlink(name), 0); /* it stays */
    g_free(name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_memory");
    TCase *tcase = suite_case(suite, "names and folders");

    tcase_add_test(tcase, a_named_memory_is_removed_at_the_end);
    tcase_add_test(tcase, a_named_memory_is_removed_at_the_end_of_the_last_one);
    tcase_add_test(tcase, of_both_memories_the_last_one_counts);
    tcase_add_test(tcase, a_memory_in_a_folder_has_no_name);

    tcase = suite_case(suite, "huge pages");

    tcase_add_test(tcase, huge_pages_are_shared_and_sealed);
    tcase_add_test(tcase, huge_pages_of_a_gigabyte);
    tcase_add_test(tcase, more_huge_pages_than_there_are);
    tcase_add_test(tcase, a_size_is_rounded_up_to_a_huge_page);
    tcase_add_test(tcase, a_folder_in_a_hugetlbfs);

    tcase = suite_case(suite, "a name");
    tcase_add_test(tcase, a_name_with_a_smaller_memory);
    tcase_add_test(tcase, a_name_with_a_larger_memory);
    return suite_run(suite);
}
