/* SPDX-License-Identifier: BSD-3-Clause */
#include "pid-file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* A FIFO that nobody reads, and a socket, cannot be opened at all.  Another user's file would be that user's to change,
 * and one with two names may be anything. */
static gboolean is_regular(int fd)
{
    struct stat status;

    return fd >= 0 ? fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && status.st_uid == geteuid() &&
                         status.st_nlink <= 1
                   : errno != ENXIO;
}

/* Another may have been put there, or none, since we opened it. */
static gboolean is_at(int fd, const char *path)
{
    struct stat ours;
    struct stat there;

    return fstat(fd, &ours) == 0 && lstat(path, &there) == 0 && ours.st_dev == there.st_dev &&
           ours.st_ino == there.st_ino;
}

static int refuse(int fd, int error)
{
    close(fd);
    errno = error;
    return -1;
}

/* No link is followed, and nothing is cut short before it is known to be right.  -1 with errno. */
static int open_locked(const char *path)
{
    for (;;) {
        int fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0644);

        if (!is_regular(fd)) {
            return refuse(fd, ENOTSUP);
        }
        if (fd < 0) {
            return -1;
        }
        if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
            return refuse(fd, errno);
        }
        if (is_at(fd, path)) {
            return fd;
        }
        close(fd); /* who had it locked has just removed it */
    }
}

static const char *reason_of(int error)
{
    switch (error) {
    case ENOTSUP:
        return "it is no regular file of ours alone";
    case ELOOP:
        return "it is a symbolic link";
    case EWOULDBLOCK:
        return "it is the file of a server that runs";
    default:
        return g_strerror(error);
    }
}

int pid_file_write(const char *path, GError **error)
{
    int fd = open_locked(path);

    if (fd >= 0 && ftruncate(fd, 0) == 0 && dprintf(fd, "%d\n", (int)getpid()) > 0) {
        return fd;
    }
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(errno), "%s: %s", path, reason_of(errno));
    if (fd >= 0) {
        pid_file_remove(path, fd);
    }
    return -1;
}

void pid_file_remove(const char *path, int fd)
{
    if (is_at(fd, path)) {
        unlink(path);
    }
    close(fd);
}
