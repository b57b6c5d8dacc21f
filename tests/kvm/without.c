/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Preloaded, it has KVM say what it says elsewhere.  KVM_WITHOUT holds numbers of capabilities, each followed by a comma,
 * that it lacks, as a kernel that is older or was built without them.  KVM_ROOM is how many doorbells (KVM_IOEVENTFD)
 * it takes at a time; older kernels took 1,000 devices a machine, doorbells included, and newer ones end at memory.
 */
#include <errno.h>
#include <linux/kvm.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

int ioctl(int fd, unsigned long request, ...);

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
