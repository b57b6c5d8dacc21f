/* SPDX-License-Identifier: BSD-3-Clause */
#include "sandbox.h"

#ifdef HAVE_LIBSECCOMP

#include <errno.h>
#include <seccomp.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#define FILTERED 2 /* PR_GET_SECCOMP: there is a filter */

/* What a server does from its start to its end, and what a program needs to start in its place. */
static const int allowed[] = {
    /* files and memory */
    SCMP_SYS(access),
    SCMP_SYS(brk),
    SCMP_SYS(chmod),
    SCMP_SYS(close),
    SCMP_SYS(dup),
    SCMP_SYS(dup2),
    SCMP_SYS(dup3),
    SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2),
    SCMP_SYS(fallocate),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(fcntl),
    SCMP_SYS(flock),
    SCMP_SYS(fstat),
    SCMP_SYS(fstatfs),
    SCMP_SYS(ftruncate),
    SCMP_SYS(getcwd),
    SCMP_SYS(getdents64),
    SCMP_SYS(getrandom),
    SCMP_SYS(ioctl),
    SCMP_SYS(lchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(lseek),
    SCMP_SYS(lstat),
    SCMP_SYS(madvise),
    SCMP_SYS(memfd_create),
    SCMP_SYS(mmap),
    SCMP_SYS(mprotect),
    SCMP_SYS(mremap),
    SCMP_SYS(munmap),
    SCMP_SYS(newfstatat),
    SCMP_SYS(open),
    SCMP_SYS(openat),
    SCMP_SYS(pipe2),
    SCMP_SYS(pread64),
    SCMP_SYS(preadv2),
    SCMP_SYS(pwrite64),
    SCMP_SYS(pwritev2),
    SCMP_SYS(read),
    SCMP_SYS(readlink),
    SCMP_SYS(readlinkat),
    SCMP_SYS(readv),
    SCMP_SYS(stat),
    SCMP_SYS(statfs),
    SCMP_SYS(statx),
    SCMP_SYS(umask),
    SCMP_SYS(unlink),
    SCMP_SYS(unlinkat),
    SCMP_SYS(vmsplice),
    SCMP_SYS(write),
    SCMP_SYS(writev),
    SCMP_SYS(io_setup),
    SCMP_SYS(io_submit),
    SCMP_SYS(io_destroy),
    /* waiting */
    SCMP_SYS(clock_gettime),
    SCMP_SYS(clock_nanosleep),
    SCMP_SYS(epoll_create1),
    SCMP_SYS(epoll_ctl),
    SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_wait),
    SCMP_SYS(eventfd2),
    SCMP_SYS(futex),
    SCMP_SYS(nanosleep),
    SCMP_SYS(poll),
    SCMP_SYS(ppoll),
    SCMP_SYS(restart_syscall),
    SCMP_SYS(rt_sigaction),
    SCMP_SYS(rt_sigprocmask),
    SCMP_SYS(rt_sigreturn),
    SCMP_SYS(sigaltstack),
    SCMP_SYS(signalfd4),
    SCMP_SYS(timerfd_create),
    SCMP_SYS(timerfd_settime),
    /* sockets; which, is below */
    SCMP_SYS(accept4),
    SCMP_SYS(bind),
    SCMP_SYS(connect),
    SCMP_SYS(getpeername),
    SCMP_SYS(getsockname),
    SCMP_SYS(getsockopt),
    SCMP_SYS(listen),
    SCMP_SYS(recvfrom),
    SCMP_SYS(recvmsg),
    SCMP_SYS(sendmmsg),
    SCMP_SYS(sendmsg),
    SCMP_SYS(sendto),
    SCMP_SYS(setsockopt),
    SCMP_SYS(shutdown),
    /* itself, and what is started in its place */
    SCMP_SYS(arch_prctl),
    SCMP_SYS(clone),
    SCMP_SYS(clone3),
    SCMP_SYS(execve),
    SCMP_SYS(exit),
    SCMP_SYS(exit_group),
    SCMP_SYS(getegid),
    SCMP_SYS(geteuid),
    SCMP_SYS(getgid),
    SCMP_SYS(getpid),
    SCMP_SYS(getppid),
    SCMP_SYS(getrlimit),
    SCMP_SYS(gettid),
    SCMP_SYS(getuid),
    SCMP_SYS(kill),
    SCMP_SYS(pidfd_open),
    SCMP_SYS(prctl),
    SCMP_SYS(prlimit64),
    SCMP_SYS(rseq),
    SCMP_SYS(sched_getaffinity),
    SCMP_SYS(sched_yield),
    SCMP_SYS(set_robust_list),
    SCMP_SYS(set_tid_address),
    SCMP_SYS(setrlimit),
    SCMP_SYS(sysinfo),
    SCMP_SYS(tgkill),
    SCMP_SYS(uname),
    SCMP_SYS(vfork),
    SCMP_SYS(wait4),
    /* the same on machines of 32 bits; nothing elsewhere */
    SCMP_SYS(_llseek),
    SCMP_SYS(clock_gettime64),
    SCMP_SYS(clock_nanosleep_time64),
    SCMP_SYS(fcntl64),
    SCMP_SYS(fstat64),
    SCMP_SYS(fstatat64),
    SCMP_SYS(fstatfs64),
    SCMP_SYS(ftruncate64),
    SCMP_SYS(futex_time64),
    SCMP_SYS(getegid32),
    SCMP_SYS(geteuid32),
    SCMP_SYS(getgid32),
    SCMP_SYS(getuid32),
    SCMP_SYS(lchown32),
    SCMP_SYS(lstat64),
    SCMP_SYS(mmap2),
    SCMP_SYS(ppoll_time64),
    SCMP_SYS(send),
    SCMP_SYS(set_thread_area),
    SCMP_SYS(sigreturn),
    SCMP_SYS(stat64),
    SCMP_SYS(statfs64),
    SCMP_SYS(timerfd_settime64),
    SCMP_SYS(ugetrlimit),
};

gboolean sandbox_is_there(void)
{
    return TRUE;
}

/* Sockets of the UNIX family alone. */
static int allow_sockets(scmp_filter_ctx filter)
{
    int result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));

    return result < 0
               ? result
               : seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1, SCMP_A0(SCMP_CMP_EQ, AF_UNIX));
}

static int allow_all(scmp_filter_ctx filter)
{
    int result = allow_sockets(filter);

    for (guint i = 0; i < G_N_ELEMENTS(allowed) && result == 0; i++) {
        result = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
    }
    return result;
}

int sandbox_enter(gboolean inherited)
{
    scmp_filter_ctx filter;
    int result;

    if (inherited && prctl(PR_GET_SECCOMP, 0, 0, 0, 0) == FILTERED) {
        return 0;
    }
    filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS)); /* so that a newer C library falls back to older calls */
    if (!filter) {
        return ENOMEM;
    }
    result = allow_all(filter);
    result = result < 0 ? result : seccomp_load(filter);
    seccomp_release(filter);
    return -result;
}

#else

#include <errno.h>

gboolean sandbox_is_there(void)
{
    return FALSE;
}

int sandbox_enter(gboolean inherited)
{
    (void)inherited;
    return ENOSYS;
}

#endif
