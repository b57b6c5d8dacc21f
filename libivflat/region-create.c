/* SPDX-License-Identifier: BSD-3-Clause */
#include "region-create.h"

#include "error.h"
#include "fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <inttypes.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#define SEALS       (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)
#define HUGE_SHIFT  26 /* MFD_HUGE_SHIFT, which is in a header that others contradict */
#define NOEXEC_SEAL 8u /* MFD_NOEXEC_SEAL of newer headers: nobody can make a program of it */

/* Pages come when they are first touched, as with QEMU's server: to have them all at once would cost a start seconds and
 * the machine memory that may never be used.  But what can never be had is refused here, for later it would be a SIGBUS
 * in every emulator.  0 bytes at most: nobody knows. */
static int32_t check_most(uint64_t size, uint64_t most, const char *where)
{
    if (most == 0 || size <= most) {
        return 0;
    }
    return ivf_fail(IVFLAT_ERR_SYSTEM, "%" PRIu64 " bytes of shared memory are more than all that %s has: %" PRIu64,
                    size, where, most);
}

static int32_t check_machine(uint64_t size)
{
    struct sysinfo info;

    if (sysinfo(&info) < 0) {
        return 0;
    }
    return check_most(size, ((uint64_t)info.totalram + info.totalswap) * info.mem_unit, "this machine");
}

static int32_t check_file_system(int fd, uint64_t size, const char *where)
{
    struct statvfs status;

    if (fstatvfs(fd, &status) < 0) {
        return 0;
    }
    return check_most(size, (uint64_t)status.f_blocks * status.f_frsize, where);
}

/* @fd, or, having closed it, @error. */
static int32_t fd_or(int fd, int32_t error)
{
    if (error == 0) {
        return fd;
    }
    ivf_fd_close(fd);
    return error;
}

/* The flag is newer than others that are asked for. */
static int open_memfd(uint64_t page)
{
    unsigned flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
    int fd;

    if (page) { /* which of them: its logarithm */
        return memfd_create("ivshmem", flags | MFD_HUGETLB | (unsigned)__builtin_ctzll(page) << HUGE_SHIFT);
    }
    fd = memfd_create("ivshmem", flags | NOEXEC_SEAL);
    return fd < 0 && errno == EINVAL ? memfd_create("ivshmem", flags) : fd;
}

/* Huge pages are few: one that is not there when it is touched kills who touches it. */
static int32_t take_pages(int fd, uint64_t size, uint64_t page)
{
    if (fallocate(fd, 0, 0, (off_t)size) == 0) {
        return 0;
    }
    return ivf_fail_errno(errno,
                          "cannot have %" PRIu64 " bytes in huge pages of %" PRIu64
                          " (/sys/kernel/mm/hugepages/hugepages-%" PRIu64 "kB says how many are free)",
                          size, page, page >> 10);
}

int32_t ivf_region_create_sealed(uint64_t size, uint64_t page)
{
    int fd = open_memfd(page);

    if (fd < 0 && page) {
        return ivf_fail_errno(errno, "cannot make a memfd of huge pages of %" PRIu64 " bytes", page);
    }
    if (fd < 0) {
        return ivf_fail_errno(errno, "cannot make a memfd for the shared memory");
    }
    if (ftruncate(fd, (off_t)size) < 0 || fcntl(fd, F_ADD_SEALS, SEALS) < 0) {
        return fd_or(fd, ivf_fail_errno(errno, "cannot give the shared memory's memfd %" PRIu64 " bytes", size));
    }
    return fd_or(fd, page ? take_pages(fd, size, page) : check_machine(size));
}

/* Opens what is there, or makes it. */
static int open_named(const char *name, bool *created)
{
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    *created = fd >= 0;
    return fd < 0 && errno == EEXIST ? shm_open(name, O_RDWR | O_NONBLOCK | O_CLOEXEC, 0) : fd;
}

/* What is there may be a trap: whoever else may write it, or has another name for it, can cut it short under us. */
static int32_t check_owner(const struct stat *status, const char *what, const char *name)
{
    if (S_ISREG(status->st_mode) && status->st_uid == geteuid() && status->st_nlink <= 1 &&
        !(status->st_mode & (S_IWGRP | S_IWOTH))) {
        return 0;
    }
    return ivf_fail(IVFLAT_ERR_SYSTEM,
                    "the %s %s is there already and is not ours alone (mode %o, user %u): remove it, "
                    "or take another name",
                    what, name, (unsigned)status->st_mode & 07777u, (unsigned)status->st_uid);
}

static int32_t resize_named(int fd, const char *name, uint64_t size)
{
    struct stat status;
    int32_t error;

    if (fstat(fd, &status) < 0) {
        return ivf_fail_errno(errno, "cannot look at the shared memory object %s", name);
    }
    error = check_owner(&status, "shared memory object", name);
    if (error) {
        return error;
    }
    if ((uint64_t)status.st_size > size) {
        return ivf_fail(IVFLAT_ERR_SYSTEM,
                        "the shared memory object %s is there already and has %" PRId64 " bytes, %" PRIu64
                        " are asked for, and to shrink it would kill who uses it: remove it, or take its size",
                        name, (int64_t)status.st_size, size);
    }
    error = check_file_system(fd, size, "the file system of shared memory objects");
    if (error == 0 && (uint64_t)status.st_size < size && ftruncate(fd, (off_t)size) < 0) {
        error = ivf_fail_errno(errno, "cannot give the shared memory object %s %" PRIu64 " bytes", name, size);
    }
    return error;
}

int32_t ivf_region_create_named(const char *name, uint64_t size)
{
    bool created = false;
    int fd = open_named(name, &created);
    int32_t error;

    if (fd < 0) {
        return ivf_fail_errno(errno, "cannot make the shared memory object %s", name);
    }
    error = resize_named(fd, name, size);
    if (error && created) {
        ivf_region_remove_named(name, fd);
    }
    return fd_or(fd, error);
}

void ivf_region_remove_named(const char *name, int fd)
{
    int there = shm_open(name, O_RDONLY | O_NONBLOCK | O_CLOEXEC, 0);
    struct stat ours;
    struct stat theirs;

    if (there >= 0 && fstat(fd, &ours) == 0 && fstat(there, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
        ours.st_ino == theirs.st_ino) {
        shm_unlink(name);
    }
    ivf_fd_close(there);
}

/* A file that has lost its name. */
static int open_nameless(const char *dir)
{
    char *path = g_build_filename(dir, "ivshmem.XXXXXX", NULL);
    int fd = mkostemp(path, O_CLOEXEC);

    if (fd >= 0) {
        unlink(path);
    }
    g_free(path);
    return fd;
}

int32_t ivf_region_create_in(const char *dir, uint64_t size)
{
    int fd = open_nameless(dir);

    if (fd < 0) {
        return ivf_fail_errno(errno, "cannot make a file for the shared memory in %s", dir);
    }
    if (ftruncate(fd, (off_t)size) < 0) {
        return fd_or(fd,
                     ivf_fail_errno(errno, "cannot give the shared memory's file in %s %" PRIu64 " bytes", dir, size));
    }
    return fd_or(fd, check_file_system(fd, size, dir));
}

static int open_file(const char *path, bool *created)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    *created = fd >= 0;
    if (fd < 0 && errno == EEXIST) {
        fd = open(path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    }
    return fd;
}

static int32_t check_file(int fd, const char *path, uint64_t size)
{
    struct stat status;
    int32_t error;

    if (fstat(fd, &status) < 0) {
        return ivf_fail_errno(errno, "cannot look at the file %s", path);
    }
    error = check_owner(&status, "file", path);
    if (error == 0 && (uint64_t)status.st_size != size) {
        error = ivf_fail(IVFLAT_ERR_SYSTEM,
                         "the file %s is there already and has %" PRId64 " bytes, %" PRIu64
                         " are asked for: remove it, or take its size",
                         path, (int64_t)status.st_size, size);
    }
    return error;
}

static int32_t size_file(int fd, const char *path, uint64_t size)
{
    int32_t error = check_file_system(fd, size, path);

    if (error == 0 && ftruncate(fd, (off_t)size) < 0) {
        error = ivf_fail_errno(errno, "cannot give the file %s %" PRIu64 " bytes", path, size);
    }
    if (error) {
        unlink(path);
    }
    return error;
}

int32_t ivf_region_create_file(const char *path, uint64_t size)
{
    bool created = false;
    int fd = open_file(path, &created);

    if (fd < 0 && errno == ELOOP) {
        return ivf_fail(IVFLAT_ERR_SYSTEM, "%s is a symbolic link, which is not followed: name the file itself", path);
    }
    if (fd < 0) {
        return ivf_fail_errno(errno, "cannot open the file %s for the shared memory", path);
    }
    return fd_or(fd, created ? size_file(fd, path, size) : check_file(fd, path, size));
}
