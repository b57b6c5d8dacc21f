/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for a server: what it is, what it may replace, and what is left when it is not to be had. */
#include "support.h"

#include "region-create.h"

#include <fcntl.h>
#include <glib.h>
#include <libivflat/ivflat.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define EXEC_SEAL 0x20 /* F_SEAL_EXEC, where the kernel has it */

static char *make_name(void)
{
    /* As the folder's own, which nobody had before: a number of a process may have been one's that was killed. */
    return g_strdup_printf("/ivflat-create-%s", strrchr(test_folder(), '/') + 1);
}

static void expect_size(int fd, uint64_t size)
{
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_END), (off_t)size);
    ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
}

START_TEST(nobody_resizes_a_sealed_one)
{
    int fd = ivf_region_create_sealed(10000, 0);

    expect_size(fd, 10000);
    ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & ~EXEC_SEAL, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
    ck_assert_int_eq(ftruncate(fd, 9999), -1);
    ck_assert_int_eq(ftruncate(fd, 10001), -1);
    ck_assert_int_eq(pwrite(fd, "x", 1, 9999), 1);
    close_fd(fd);
}
END_TEST

START_TEST(a_size_that_no_file_has)
{
    ck_assert_int_eq(ivf_region_create_sealed((uint64_t)1 << 63, 0), IVFLAT_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "9223372036854775808 bytes: Invalid argument"));
    ck_assert_int_eq(ivf_region_create_in(test_folder(), (uint64_t)1 << 63), IVFLAT_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), test_folder()));
}
END_TEST

START_TEST(a_new_name_is_created)
{
    char *name = make_name();
    int fd = ivf_region_create_named(name, 4096);

    expect_size(fd, 4096);
    ivf_region_remove_named(name, fd);
    ck_assert_int_eq(shm_open(name, O_RDWR, 0), -1);
    close_fd(fd);
    g_free(name);
}
END_TEST

/* One that is there, of @there bytes with a mark in it. */
static int make_named(const char *name, uint64_t there)
{
    int fd = shm_open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(ftruncate(fd, (off_t)there), 0);
    ck_assert_int_eq(pwrite(fd, "mark", 4, 0), 4);
    return fd;
}

START_TEST(a_name_that_is_there_is_taken_and_may_grow)
{
    char *name = make_name();
    int before = make_named(name, 4096);
    char mark[5] = "";

    for (uint64_t size = 4096; size <= 8192; size += 4096) {
        int fd = ivf_region_create_named(name, size);

        expect_size(fd, size);
        ck_assert_int_eq(pread(fd, mark, 4, 0), 4);
        ck_assert_str_eq(mark, "mark");
        close_fd(fd);
    }
    ivf_region_remove_named(name, before);
    close_fd(before);
    g_free(name);
}
END_TEST

START_TEST(a_name_that_is_there_never_shrinks)
{
    char *name = make_name();
    int before = make_named(name, 8192);

    ck_assert_int_eq(ivf_region_create_named(name, 4096), IVFLAT_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "has 8192 bytes, 4096 are asked for"));
    ck_assert_int_eq(lseek(before, 0, SEEK_END), 8192);
    ivf_region_remove_named(name, before);
    close_fd(before);
    g_free(name);
}
END_TEST

START_TEST(a_name_that_is_anothers_is_not_taken)
{
    static const mode_t modes[] = {0620, 0602, 0600};
    char *name = make_name();
    int before = make_named(name, 4096);

    ck_assert_int_eq(fchmod(before, modes[_i]), 0);
    if (modes[_i] == 0600 && fchown(before, 65534, 65534) < 0) {
        printf("a_name_that_is_anothers: skipped, only root can give it away\n");
    } else {
        ck_assert_int_eq(ivf_region_create_named(name, 8192), IVFLAT_ERR_SYSTEM);
        ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "is there already and is not ours alone"));
        expect_size(before, 4096);
    }
    ivf_region_remove_named(name, before);
    close_fd(before);
    g_free(name);
}
END_TEST

START_TEST(a_name_that_is_a_fifo_is_not_taken)
{
    char *name = make_name();
    char *path = g_strconcat("/dev/shm", name, NULL);

    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_int_eq(ivf_region_create_named(name, 4096), IVFLAT_ERR_SYSTEM);
    ck_assert_int_eq(unlink(path), 0);
    g_free(path);
    g_free(name);
}
END_TEST

START_TEST(a_name_that_names_another_by_now_is_not_removed)
{
    char *name = make_name();
    int first = make_named(name, 4096);
    int second;

    ck_assert_int_eq(shm_unlink(name), 0);
    second = make_named(name, 4096);
    ivf_region_remove_named(name, first);
    ck_assert_int_eq(shm_unlink(name), 0); /* it is there */
    close_fd(first);
    close_fd(second);
    g_free(name);
}
END_TEST

/* An exabyte: a file may be so long, but no machine has it. */
START_TEST(what_can_never_be_had_is_refused)
{
    char *name = make_name();
    struct statvfs status;
    uint64_t size = (uint64_t)1 << 60;

    ck_assert_int_eq(ivf_region_create_sealed(size, 0), IVFLAT_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "1152921504606846976 bytes of shared memory are more than all"));
    ck_assert_int_eq(statvfs("/dev/shm", &status), 0);
    if (status.f_blocks > 0) {
        ck_assert_int_eq(ivf_region_create_named(name, status.f_blocks * status.f_frsize + 4096), IVFLAT_ERR_SYSTEM);
        ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "more than all"));
        ck_assert_int_eq(shm_open(name, O_RDWR, 0), -1);
        ck_assert_int_eq(ivf_region_create_in("/dev/shm", size), IVFLAT_ERR_SYSTEM);
    }
    g_free(name);
}
END_TEST

START_TEST(a_new_name_without_its_size_is_removed)
{
    char *name = make_name();

    ck_assert_int_lt(ivf_region_create_named(name, (uint64_t)1 << 63), 0);
    ck_assert_int_eq(shm_open(name, O_RDWR, 0), -1);
    g_free(name);
}
END_TEST

START_TEST(a_name_that_cannot_be)
{

    ck_assert_int_eq(ivf_region_create_named("/with/a/folder", 4096), IVFLAT_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "/with/a/folder"));
}
END_TEST

START_TEST(a_file_in_a_folder_has_no_name)
{
    int fd = ivf_region_create_in(test_folder(), 4097);
    GDir *dir = g_dir_open(test_folder(), 0, NULL);

    expect_size(fd, 4097);
    ck_assert_ptr_null(g_dir_read_name(dir));
    g_dir_close(dir);
    close_fd(fd);
}
END_TEST

START_TEST(a_file_is_created_or_taken_as_it_is)
{
    int first = ivf_region_create_file(test_path("f"), 4096);
    char mark[5] = "";
    struct stat status;
    int second;

    expect_size(first, 4096);
    ck_assert_int_eq(fstat(first, &status), 0);
    ck_assert_uint_eq(status.st_mode & 07777, 0600);
    ck_assert_int_eq(pwrite(first, "mark", 4, 0), 4);
    second = ivf_region_create_file(test_path("f"), 4096);
    expect_size(second, 4096);
    ck_assert_int_eq(pread(second, mark, 4, 0), 4);
    ck_assert_str_eq(mark, "mark");
    close_fd(first);
    close_fd(second);
}
END_TEST

static void refuse_file(const char *path, uint64_t size, const char *words)
{
    ck_assert_int_eq(ivf_region_create_file(path, size), IVFLAT_ERR_SYSTEM);
    ck_assert_msg(strstr(ivflat_last_error(), words), "%s", ivflat_last_error());
}

START_TEST(a_file_that_is_wrong_is_left_alone)
{
    int fd = ivf_region_create_file(test_path("f"), 4096);

    refuse_file(test_path("f"), 8192, "has 4096 bytes, 8192 are asked for");
    refuse_file(test_path("f"), 2048, "has 4096 bytes, 2048 are asked for");
    expect_size(fd, 4096);
    ck_assert_int_eq(symlink("f", test_path("link")), 0);
    refuse_file(test_path("link"), 4096, "is a symbolic link");
    ck_assert_int_eq(symlink("nowhere", test_path("dangling")), 0);
    refuse_file(test_path("dangling"), 4096, "is a symbolic link");
    ck_assert_int_eq(access(test_path("nowhere"), F_OK), -1);
    ck_assert_int_eq(mkfifo(test_path("fifo"), 0600), 0);
    refuse_file(test_path("fifo"), 4096, "is not ours alone");
    refuse_file(test_folder(), 4096, "directory");
    ck_assert_int_eq(link(test_path("f"), test_path("other")), 0); /* in a folder of others, maybe */
    refuse_file(test_path("f"), 4096, "is not ours alone");
    ck_assert_int_eq(unlink(test_path("other")), 0);
    ck_assert_int_eq(fchmod(fd, 0660), 0);
    refuse_file(test_path("f"), 4096, "not ours alone (mode 660");
    refuse_file(test_path("no/such/folder"), 4096, "No such file or directory");
    refuse_file(test_path("huge"), (uint64_t)1 << 62, "huge");
    ck_assert_int_eq(access(test_path("huge"), F_OK), -1);
    close_fd(fd);
}
END_TEST

/* Where the machine has none, it is said; where root may make some, they are had. */
START_TEST(huge_pages_or_a_sentence)
{
    int fd = ivf_region_create_sealed(2 << 20, 2 << 20);
    struct stat status;

    if (fd >= 0) {
        ck_assert_int_eq(fstat(fd, &status), 0);
        ck_assert_int_eq(status.st_size, 2 << 20);
        ck_assert_int_eq(status.st_blksize, 2 << 20);
        ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & ~EXEC_SEAL, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
        ck_assert_int_eq(ftruncate(fd, 0), -1);
        close_fd(fd);
    } else {
        printf("huge_pages: there are none here: %s\n", ivflat_last_error());
        ck_assert_int_eq(fd, IVFLAT_ERR_SYSTEM);
        ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "huge pages of 2097152"));
    }
    ck_assert_int_eq(ivf_region_create_sealed((uint64_t)1 << 50, 2 << 20), IVFLAT_ERR_SYSTEM); /* nobody has so many */
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "huge pages of 2097152"));
    ck_assert_int_eq(ivf_region_create_sealed(1 << 20, 1 << 13), IVFLAT_ERR_SYSTEM); /* no such page */
}
END_TEST

/* As nobody, for root may write anywhere. */
static int refused(void *argument)
{
    int32_t fd;

    (void)argument;
    if (setresuid(65534, 65534, 65534) < 0) {
        return 77;
    }
    fd = ivf_region_create_in(test_folder(), 4096);
    return fd == IVFLAT_ERR_SYSTEM && strstr(ivflat_last_error(), "Permission denied") ? 0 : 1;
}

START_TEST(a_folder_that_cannot_be_written)
{
    int child;

    if (geteuid() != 0) {
        printf("a_folder_that_cannot_be_written: skipped, only root can be somebody else\n");
        return;
    }
    child = run_child(refused, NULL);
    ck_assert_int_eq(join_child(child), 0);
}
END_TEST

START_TEST(without_descriptors)
{
    char *name = make_name();

    fill_fds(0);
    ck_assert_int_eq(ivf_region_create_sealed(4096, 0), IVFLAT_ERR_SYSTEM);
    ck_assert_int_eq(ivf_region_create_named(name, 4096), IVFLAT_ERR_SYSTEM);
    ck_assert_int_eq(ivf_region_create_in(test_folder(), 4096), IVFLAT_ERR_SYSTEM);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "Too many open files"));
    fill_fds_undo();
    shm_unlink(name); /* Valgrind has the kernel open it, and says afterwards that there was no descriptor */
    g_free(name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("region-create");
    TCase *tcase = suite_case(suite, "memory");

    tcase_add_test(tcase, nobody_resizes_a_sealed_one);
    tcase_add_test(tcase, a_size_that_no_file_has);
    tcase_add_test(tcase, a_new_name_is_created);
    tcase_add_test(tcase, a_name_that_is_there_is_taken_and_may_grow);
    tcase_add_test(tcase, a_name_that_is_there_never_shrinks);
    tcase_add_loop_test(tcase, a_name_that_is_anothers_is_not_taken, 0, 3);
    tcase_add_test(tcase, a_name_that_is_a_fifo_is_not_taken);
    tcase_add_test(tcase, a_name_that_names_another_by_now_is_not_removed);
    tcase_add_test(tcase, what_can_never_be_had_is_refused);
    tcase_add_test(tcase, a_new_name_without_its_size_is_removed);
    tcase_add_test(tcase, a_name_that_cannot_be);
    tcase_add_test(tcase, a_file_in_a_folder_has_no_name);
    tcase_add_test(tcase, a_file_is_created_or_taken_as_it_is);
    tcase_add_test(tcase, a_file_that_is_wrong_is_left_alone);
    tcase_add_test(tcase, huge_pages_or_a_sentence);
    tcase_add_test(tcase, a_folder_that_cannot_be_written);
    tcase_add_test(tcase, without_descriptors);
    return suite_run(suite);
}
