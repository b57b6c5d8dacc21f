/* SPDX-License-Identifier: BSD-3-Clause */
#include "program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "support.h"

const char *where(const char *name)
{
    const char *value = getenv(name);

    ck_assert_msg(value && value[0], "the environment does not say where %s is: run this by meson test", name);
    return value;
}

static void forget(void *argument)
{
    struct program *program = argument;

    if (program->pid > 0)
        program_end(program, SIGKILL);
    close(program->out);
    free(program);
}

static void become(const char *const *arguments, int out)
{
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    dup2(out, STDOUT_FILENO);
    dup2(out, STDERR_FILENO);
    execv(arguments[0], (char *const *)(uintptr_t)arguments);
    _exit(127);
}

struct program *program_start(const char *const *arguments)
{
    struct program *program = calloc(1, sizeof *program);
    int ends[2];

    ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
    program->out = ends[0];
    program->pid = fork();
    if (program->pid == 0)
        become(arguments, ends[1]);
    close(ends[1]);
    at_test_end(forget, program);
    ck_assert_int_gt(program->pid, 0);
    return program;
}

/* A byte a read: what follows the line stays in the pipe. */
const char *program_line(struct program *program)
{
    struct pollfd poll_fd = {.fd = program->out, .events = POLLIN};

    for (size_t length = 0; length < sizeof program->line - 1; length++) {
        ck_assert_msg(poll(&poll_fd, 1, PATIENCE_MS) == 1, "it says nothing more after '%s'", program->line);
        program->line[length] = 0;
        if (read(program->out, &program->line[length], 1) != 1)
            return length ? program->line : NULL;
        if (program->line[length] == '\n') {
            program->line[length] = 0;
            return program->line;
        }
    }
    ck_abort_msg("a line without an end");
    return NULL;
}

void program_says(struct program *program, const char *text)
{
    const char *line = program_line(program);

    ck_assert_str_eq(line ? line : "(end)", text);
}

void program_tells(struct program *program, const char *text)
{
    const char *line = program_line(program);

    ck_assert_msg(line && strstr(line, text), "'%s' does not tell '%s'", line ? line : "(end)", text);
}

static void on_alarm(int number)
{
    (void)number;
}

int program_end(struct program *program, int number)
{
    struct sigaction action = {.sa_handler = on_alarm};
    int status = 0;
    pid_t ended;

    sigaction(SIGALRM, &action, NULL);
    if (number)
        kill(program->pid, number);
    alarm(PATIENCE_MS / 1000);
    ended = waitpid(program->pid, &status, 0);
    alarm(0);
    ck_assert_msg(ended == program->pid, "it does not end");
    program->pid = 0;
    return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

long long program_cpu_ns(const struct program *program)
{
    struct timespec time;
    clockid_t clock;

    ck_assert_int_eq(clock_getcpuclockid(program->pid, &clock), 0);
    ck_assert_int_eq(clock_gettime(clock, &time), 0);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}
