/* SPDX-License-Identifier: BSD-3-Clause */
/* step default|trusted PEERS: follows one ring instruction by instruction, and prints how many there are from
 * ivflat_device_write() to the system call, that one included, and how many until it has returned.
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

/* The child is the same program at the same addresses: it stops, then rings once. */
static void count(pid_t child)
{
    struct user_regs_struct registers;
    uint32_t steps = 0, to_syscall = 0;
    uint64_t back;
    int status;

    waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) {
        exit(WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE);
    }
    if (!run_to(child, (uint64_t)(uintptr_t)ivflat_device_write, &registers)) {
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

int main(int argc, char **argv)
{
    uint32_t peers = argc == 3 ? (uint32_t)atoi(argv[2]) : 0;
    int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), status;
    pid_t child;

    if (peers < 1 || peers > IVFLAT_MAX_PEERS) {
        fputs("usage: step default|trusted PEERS\n", stderr);
        return 2;
    }
    fflush(stdout);
    child = fork();
    if (child == 0) {
        ivflat_device *dev = table_new(strcmp(argv[1], "trusted") == 0, peers, fd); /* made here: a fork ends it */

        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) {
            puts("skipped: one process may not follow another here (ptrace)");
            fflush(stdout);
            _exit(77);
        }
        ivflat_device_write(dev, IVFLAT_REG_DOORBELL, 4, table_last(peers)); /* the linker does its part */
        raise(SIGSTOP);
        ivflat_device_write(dev, IVFLAT_REG_DOORBELL, 4, table_last(peers));
        ivflat_device_free(dev);
        _exit(EXIT_SUCCESS);
    }
    count(child);
    ptrace(PTRACE_DETACH, child, NULL, NULL);
    return waitpid(child, &status, 0) == child && WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}
#endif
