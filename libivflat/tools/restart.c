/* SPDX-License-Identifier: BSD-3-Clause */
#include "restart.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define VARIABLE "IVFLAT_SERVER_HANDED"
#define PATIENCE 10 /* seconds for a program to say its version */

/* The child in which the program is tried. */
static struct {
    pid_t pid; /* 0: none */
    int fd;    /* readable when it has ended */
    guint ended;
    guint late;
    void (*tried)(const char *problem, gpointer user);
    gpointer user;
} trial;

static char *path; /* absolute: of the name that it was started by, and not of the file that this then was */
static char **words;

static char *find_program(const char *name)
{
    return strchr(name, '/') ? g_canonicalize_filename(name, NULL) : g_find_program_in_path(name);
}

void restart_remember(char **argv, struct handed *handed)
{
    const char *text = getenv(VARIABLE);

    words = argv;
    path = find_program(argv[0]);
    *handed = (struct handed){.pid_file = -1};
    if (text && sscanf(text, "%d %d %d", &handed->list, &handed->pid_file, &handed->background) != 3) {
        *handed = (struct handed){.pid_file = -1};
    }
    unsetenv(VARIABLE);
    if (handed->pid_file >= 0) {
        fcntl(handed->pid_file, F_SETFD, FD_CLOEXEC);
    }
}

/* Ours, and with them the word at which it ends when it has taken all of them. */
static char **trial_words(void)
{
    static char version[] = "--version";
    guint count = g_strv_length(words);
    char **all = g_new0(char *, count + 2);

    memcpy(all, words, count * sizeof(*all));
    if (count > 1 && g_str_equal(all[count - 1], "--")) {
        count--;
    }
    all[count] = version;
    return all;
}

/* What it prints is for nobody; what is wrong it says where we do.  0, or an error number. */
static int start_trial(void)
{
    char **all = trial_words();
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t none;
    int error;

    sigemptyset(&none);
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawnattr_init(&attributes);
    posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
    posix_spawnattr_setsigmask(&attributes, &none);
    error = path ? posix_spawn(&trial.pid, path, &actions, &attributes, all, environ) : ENOENT;
    posix_spawnattr_destroy(&attributes);
    posix_spawn_file_actions_destroy(&actions);
    g_free(all);
    trial.pid = error ? 0 : trial.pid;
    return error;
}

/* Takes the child in; NULL: it was well. */
static char *end_trial(void)
{
    int status = 0;

    g_clear_handle_id(&trial.ended, g_source_remove);
    g_clear_handle_id(&trial.late, g_source_remove);
    close(trial.fd);
    while (waitpid(trial.pid, &status, 0) < 0 && errno == EINTR) {
    }
    trial.pid = 0;
    if (WIFSIGNALED(status)) {
        return g_strdup_printf("%s was ended by signal %d when it was tried", path, WTERMSIG(status));
    }
    return WEXITSTATUS(status) == 0 ? NULL
                                    : g_strdup_printf("%s does not take the words that we were started with: exit "
                                                      "status %d when it was tried",
                                                      path, WEXITSTATUS(status));
}

static gboolean on_ended(gint fd, GIOCondition condition, gpointer user)
{
    char *problem = end_trial();

    (void)fd;
    (void)condition;
    (void)user;
    trial.tried(problem, trial.user);
    g_free(problem);
    return G_SOURCE_REMOVE;
}

static gboolean on_late(gpointer user)
{
    (void)user;
    trial.late = 0;
    kill(trial.pid, SIGKILL);
    return G_SOURCE_REMOVE;
}

void restart_try_no_more(void)
{
    if (trial.pid) {
        kill(trial.pid, SIGKILL);
        g_free(end_trial());
    }
}

void restart_try(void (*tried)(const char *problem, gpointer user), gpointer user)
{
    int error;

    if (trial.pid) {
        return;
    }
    trial.tried = tried;
    trial.user = user;
    error = start_trial();
    trial.fd = error ? -1 : (int)syscall(SYS_pidfd_open, trial.pid, 0);
    if (error) {
        tried(g_strerror(error), user);
    } else if (trial.fd < 0) { /* a kernel without: we wait for it here */
        on_ended(-1, 0, NULL);
    } else {
        trial.ended = g_unix_fd_add(trial.fd, G_IO_IN, on_ended, NULL);
        trial.late = g_timeout_add_seconds(PATIENCE, on_late, NULL);
    }
}

int restart_now(const struct handed *handed)
{
    char *text = g_strdup_printf("%d %d %d", handed->list, handed->pid_file, handed->background);
    int error;

    setenv(VARIABLE, text, TRUE);
    g_free(text);
    if (handed->pid_file >= 0) {
        fcntl(handed->pid_file, F_SETFD, 0);
    }
    fflush(stdout);
    if (path) {
        execv(path, words);
    } else {
        errno = ENOENT;
    }
    error = errno;
    unsetenv(VARIABLE);
    if (handed->pid_file >= 0) {
        fcntl(handed->pid_file, F_SETFD, FD_CLOEXEC);
    }
    errno = error;
    return -1;
}
