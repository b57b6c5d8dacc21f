/* SPDX-License-Identifier: BSD-3-Clause */
#include "signals.h"

#include <glib-unix.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct watch {
    void (*on_signal)(int number, gpointer user);
    gpointer user;
    int fd;
};

static gboolean is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

static gboolean on_readable(gint fd, GIOCondition condition, gpointer data)
{
    const struct watch *watch = data;
    struct signalfd_siginfo info;

    (void)condition;
    if (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
        watch->on_signal((int)info.ssi_signo, watch->user);
    }
    return G_SOURCE_CONTINUE;
}

static void stop(gpointer data)
{
    struct watch *watch = data;

    close(watch->fd);
    g_free(watch);
}

guint signals_watch(const int *numbers, void (*on_signal)(int number, gpointer user), gpointer user)
{
    struct watch *watch;
    sigset_t set;
    int fd;

    sigemptyset(&set);
    for (; *numbers; numbers++) {
        if (!is_ignored(*numbers)) {
            sigaddset(&set, *numbers);
        }
    }
    sigprocmask(SIG_BLOCK, &set, NULL);
    fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (fd < 0) {
        return 0;
    }
    watch = g_new(struct watch, 1);
    *watch = (struct watch){.on_signal = on_signal, .user = user, .fd = fd};
    return g_unix_fd_add_full(G_PRIORITY_DEFAULT, fd, G_IO_IN, on_readable, watch, stop);
}
