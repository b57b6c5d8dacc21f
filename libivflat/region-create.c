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
#include <unistd.h>

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL)

int32_t ivf_region_create_sealed(uint64_t size)
{
    int fd = memfd_create("ivshmem", MFD_CLOEXEC | MFD_ALLOW_SEALING);
    int32_t error;

    if (fd < 0) {
        return ivf_fail_errno(errno, "cannot make a memfd for the shared memory");
    }
    if (ftruncate(fd, (off_t)size) == 0 && fcntl(fd, F_ADD_SEALS, SEALS) == 0) {
        return fd;
    }
    error = ivf_fail_errno(errno, "cannot give the shared memory's memfd %" PRIu64 " bytes", size);
    ivf_fd_close(fd);
    return error;
}

/* Opens what is there, or makes it. */
static int open_named(const char *name, bool *created)
{
    int fd = shm_open(name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    *created = fd >= 0;
    return fd < 0 && errno == EEXIST ? shm_open(name, O_RDWR | O_CLOEXEC, 0) : fd;
}

static int32_t resize_named(int fd, const char *name, uint64_t size)
{
    struct stat status;

    if (fstat(fd, &status) < 0) {
        return ivf_fail_errno(errno, "cannot look at the shared memory object %s", name);
    }
    if ((uint64_t)status.st_size > size) {
        return ivf_fail(IVFLAT_ERR_SYSTEM,
                        "the shared memory object %s is there already and has %" PRId64 " bytes, %" PRIu64
                        " are asked for, and to shrink it would kill who uses it: remove it, or take its size",
                        name, (int64_t)status.st_size, size);
    }
    if ((uint64_t)status.st_size < size && ftruncate(fd, (off_t)size) < 0) {
        return ivf_fail_errno(errno, "cannot give the shared memory object %s %" PRIu64 " bytes", name, size);
    }
    return 0;
}

int32_t ivf_region_create_named(const char *name, uint64_t size, bool *created)
{
    int fd = open_named(name, created);
    int32_t error;

    if (fd < 0) {
        return ivf_fail_errno(errno, "cannot make the shared memory object %s", name);
    }
    error = resize_named(fd, name, size);
    if (error == 0) {
        return fd;
    }
    ivf_fd_close(fd);
    if (*created) {
        ivf_region_remove_named(name);
    }
    return error;
}

void ivf_region_remove_named(const char *name)
{
    shm_unlink(name);
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
    int32_t error;

    if (fd < 0) {
        return ivf_fail_errno(errno, "cannot make a file for the shared memory in %s", dir);
    }
    if (ftruncate(fd, (off_t)size) == 0) {
        return fd;
    }
    error = ivf_fail_errno(errno, "cannot give the shared memory's file in %s %" PRIu64 " bytes", dir, size);
    ivf_fd_close(fd);
    return error;
}
