/* SPDX-License-Identifier: BSD-3-Clause */
#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

#define LENT_FD 3 /* the lent descriptor's number in the program */

struct process {
    int pid; /* 0: reaped */
    int input;
    int output;
    GString *said;
};

/* In the child.  A parent that died before prctl() would leave us for ever. */
static void become(const char *const *argv, int parent, int input, int output, int lent_fd)
{
    union {
        const char *const *ours;
        char *const *theirs;
    } arguments = {.ours = argv}; /* exec changes nothing, though its type does not say so */

    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent || dup2(input, 0) < 0 || dup2(output, 1) < 0 || dup2(output, 2) < 0) {
        _exit(126);
    }
    if (lent_fd == LENT_FD) {
        fcntl(lent_fd, F_SETFD, 0);
    } else if (lent_fd >= 0) {
        dup2(lent_fd, LENT_FD);
    }
    execvp(argv[0], arguments.theirs);
    dprintf(2, "%s cannot be run: %s\n", argv[0], strerror(errno));
    _exit(127);
}

static void process_free(void *argument)
{
    struct process *process = argument;

    if (process->pid > 0) {
        process_end(process, SIGKILL);
    }
    close_fd(process->input);
    close_fd(process->output);
    g_string_free(process->said, TRUE);
    g_free(process);
}

struct process *process_start(const char *const *argv, int lent_fd)
{
    struct process *process = g_new0(struct process, 1);
    int parent = getpid();
    int in[2];
    int out[2];

    make_pipe(in);
    make_pipe(out);
    process->pid = fork();
    ck_assert_int_ge(process->pid, 0);
    if (process->pid == 0) {
        become(argv, parent, in[0], out[1], lent_fd);
    }
    close_fd(in[0]);
    close_fd(out[1]);
    process->input = in[1];
    process->output = out[0];
    process->said = g_string_new(NULL);
    set_nonblock(process->output, true);
    at_test_end(process_free, process);
    return process;
}

void process_type(struct process *process, const char *text)
{
    ck_assert_int_eq(write(process->input, text, strlen(text)), strlen(text));
}

/* Takes what is there.  False: it has closed its outputs. */
static bool listen_to(struct process *process)
{
    char text[4096];
    ssize_t got;

    while ((got = read(process->output, text, sizeof(text))) > 0) {
        g_string_append_len(process->said, text, got);
    }
    return got < 0 && errno == EAGAIN;
}

static int64_t now_ms(void)
{
    return g_get_monotonic_time() / 1000;
}

/* False: nothing came in time. */
static bool wait_output(const struct process *process, int64_t deadline)
{
    struct pollfd output = {.fd = process->output, .events = POLLIN};
    int64_t rest = deadline - now_ms();

    return rest > 0 && poll(&output, 1, (int)rest) == 1;
}

bool process_says(struct process *process, const char *pattern, int timeout_ms)
{
    int64_t deadline = now_ms() + timeout_ms;
    bool talks = listen_to(process);

    while (!g_regex_match_simple(pattern, process->said->str, 0, 0)) {
        if (!talks || !wait_output(process, deadline)) {
            return false;
        }
        talks = listen_to(process);
    }
    return true;
}

void process_expect(struct process *process, const char *pattern)
{
    bool says = process_says(process, pattern, PATIENCE_MS);

    ck_assert_msg(says, "no \"%s\" came, but:\n%s", pattern, process->said->str);
}

const char *process_said(struct process *process)
{
    listen_to(process);
    return process->said->str;
}

/* Its outputs are closed when it ends, which can be waited for, and for so long and no longer. */
static void wait_silent(struct process *process)
{
    int64_t deadline = now_ms() + PATIENCE_MS;

    while (listen_to(process)) {
        ck_assert_msg(wait_output(process, deadline), "it does not end, and said:\n%s", process->said->str);
    }
}

int process_end(struct process *process, int signal)
{
    int pid = process->pid;
    int status;

    ck_assert_int_eq(kill(pid, signal), 0);
    wait_silent(process);
    process->pid = 0;
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    return status;
}

int process_pid(const struct process *process)
{
    return process->pid;
}
