/* SPDX-License-Identifier: BSD-3-Clause */
/* step default|trusted|list PEERS: follows one ring instruction by instruction, and prints how many there are from
 * ivflat_device_write(), or the comparator's, to the system call, that one included, and how many until it is back.
 *
 * Callgrind can only count there and back; this tells the two apart, and that both counts of the whole agree is seen by
 * who compares them. */
#include "table.h"

#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef __x86_64__
int main(void)
{
    puts("skipped: it knows the system call of x86-64 only");
    return 77;
}
#else

#define SYSCALL_BYTES 0x050fu

static uint64_t word_at(pid_t child, uint64_t address)
{
    return (uint64_t)ptrace(PTRACE_PEEKTEXT, child, (void *)address, NULL);
}

/* One instruction on; false when the child has ended. */
static int step(pid_t child, struct user_regs_struct *registers)
{
    int status;

    return ptrace(PTRACE_SINGLESTEP, child, NULL, NULL) == 0 && waitpid(child, &status, 0) == child &&
           WIFSTOPPED(status) && ptrace(PTRACE_GETREGS, child, NULL, registers) == 0;
}

static int run_to(pid_t child, uint64_t address, struct user_regs_struct *registers)
{
    while (step(child, registers)) {
        if (registers->rip == address) {
            return 1;
        }
    }
    return 0;
}

/* The child is the same program at the same addresses: it stops, then rings once, at @entry. */
static void count(pid_t child, uint64_t entry)
{
    struct user_regs_struct registers;
    uint32_t steps = 0, to_syscall = 0;
    uint64_t back;
    int status;

    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) {
        exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
    }
    if (!run_to(child, entry, &registers)) {
        fputs("the ring was never begun\n", stderr);
        exit(EXIT_FAILURE);
    }
    back = word_at(child, registers.rsp);
    while (registers.rip != back) {
        if (!to_syscall && (word_at(child, registers.rip) & 0xffff) == SYSCALL_BYTES) {
            to_syscall = steps + 1;
        }
        steps++;
        if (!step(child, &registers)) {
            fputs("the ring never ended\n", stderr);
            exit(EXIT_FAILURE);
        }
    }
    printf("%u %u\n", to_syscall, steps);
}

static void trace_me(void)
{
    if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) {
        puts("skipped: one process may not follow another here (ptrace)");
        fflush(stdout);
        _exit(77);
    }
}

/* The first ring is for the linker, which does its part then. */
static void ring_list(uint32_t peers, int fd)
{
    struct listed_peer *list = list_new(peers, &fd);

    trace_me();
    list_write(list, table_last(peers));
    raise(SIGSTOP);
    list_write(list, table_last(peers));
    free(list);
    _exit(EXIT_SUCCESS);
}

static void ring_device(bool trusted, uint32_t peers, int fd)
{
    ivflat_device *dev = table_new(trusted, peers, fd); /* made here: a fork ends it */

    trace_me();
    ivflat_device_write(dev, IVFLAT_REG_DOORBELL, 4, table_last(peers));
    raise(SIGSTOP);
    ivflat_device_write(dev, IVFLAT_REG_DOORBELL, 4, table_last(peers));
    ivflat_device_free(dev);
    _exit(EXIT_SUCCESS);
}

int main(int argc, char **argv)
{
    uint32_t peers = argc == 3 ? (uint32_t)atoi(argv[2]) : 0;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), status;
    bool list = argc == 3 && strcmp(argv[1], "list") == 0;
    pid_t child;

    if (peers < 1 || peers > IVFLAT_MAX_PEERS) {
        fputs("usage: step default|trusted|list PEERS\n", stderr);
        return 2;
    }
    fflush(stdout);
    child = fork();
    if (child == 0 && list) {
        ring_list(peers, fd);
    } else if (child == 0) {
        ring_device(strcmp(argv[1], "trusted") == 0, peers, fd);
    }
    count(child, list ? (uint64_t)(uintptr_t)list_write : (uint64_t)(uintptr_t)ivflat_device_write);
    ptrace(PTRACE_DETACH, child, NULL, NULL);
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
#endif
