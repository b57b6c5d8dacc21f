/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Preloaded, it has KVM say what it says elsewhere.  With KVM_ABSENT it is not there at all.  KVM_WITHOUT holds numbers
 * of capabilities, each followed by a comma, that it lacks, as a kernel that is older or was built without them.
 * KVM_ROOM is how many doorbells (KVM_IOEVENTFD) it takes at a time; older kernels took 1,000 devices a machine,
 * doorbells included, and newer ones end at memory.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...);
int open(const char *path, int flags, ...);
int open64(const char *path, int flags, ...);

static bool is_lacking(unsigned long number)
{
    const char *list = getenv("KVM_WITHOUT");
    char word[32];

    snprintf(word, sizeof word, "%lu,", number);
    return list && strstr(list, word);
}

static bool is_full(const struct kvm_ioeventfd *binding)
{
    static int bound;
    const char *room = getenv("KVM_ROOM");

    if (binding->flags & KVM_IOEVENTFD_FLAG_DEASSIGN) {
        bound--;
        return false;
    }
    if (room && bound >= atoi(room))
        return true;
    bound++;
    return false;
}

/* Both are the same on 64 bits. */
static int open_file(const char *path, int flags, va_list arguments)
{
    if (getenv("KVM_ABSENT") && strcmp(path, "/dev/kvm") == 0) {
        errno = ENOENT;
        return -1;
    }
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, flags & O_CREAT ? va_arg(arguments, unsigned) : 0u);
}

int open(const char *path, int flags, ...)
{
    va_list arguments;
    int fd;

    va_start(arguments, flags);
    fd = open_file(path, flags, arguments);
    va_end(arguments);
    return fd;
}

int open64(const char *path, int flags, ...)
{
    va_list arguments;
    int fd;

    va_start(arguments, flags);
    fd = open_file(path, flags, arguments);
    va_end(arguments);
    return fd;
}

int ioctl(int fd, unsigned long request, ...)
{
    unsigned long argument;
    va_list arguments;

    va_start(arguments, request);
    argument = va_arg(arguments, unsigned long);
    va_end(arguments);
    if (request == KVM_CHECK_EXTENSION && is_lacking(argument))
        return 0;
    if (request == KVM_IOEVENTFD && is_full((const struct kvm_ioeventfd *)argument)) {
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(SYS_ioctl, fd, request, argument);
}
