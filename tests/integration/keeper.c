/* SPDX-License-Identifier: BSD-3-Clause */
#include "keeper.h"

#include "support.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST 3 /* descriptor that is handed over */

static void let_go(gpointer fd)
{
    close_fd(GPOINTER_TO_INT(fd));
}

void keeper_begin(struct keeper *keeper, const char *const *argv)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    *keeper = (struct keeper){.argv = argv,
                              .names = g_ptr_array_new_with_free_func(g_free),
                              .listeners = g_array_new(FALSE, FALSE, sizeof(int)),
                              .status = g_string_new(NULL)};
    keeper->store = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, let_go);
    keeper->notify = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    strcpy(address.sun_path, test_path("notify"));
    ck_assert_int_eq(bind(keeper->notify, (struct sockaddr *)&address, sizeof(address)), 0);
}

void keeper_end(struct keeper *keeper)
{
    ck_assert_int_eq(keeper->pid, 0);
    g_hash_table_unref(keeper->store);
    for (guint i = 0; i < keeper->listeners->len; i++) {
        close_fd(g_array_index(keeper->listeners, int, i));
    }
    g_array_unref(keeper->listeners);
    g_ptr_array_unref(keeper->names);
    g_string_free(keeper->status, TRUE);
    close_fd(keeper->notify);
    ck_assert_int_eq(unlink(test_path("notify")), 0);
}

void keeper_listen(struct keeper *keeper, const char *name, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
    strcpy(address.sun_path, path);
    ck_assert_int_eq(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(fd, 10), 0);
    g_array_append_val(keeper->listeners, fd);
    g_ptr_array_add(keeper->names, g_strdup(name));
}

/* Sockets to listen on come first, and block: systemd makes them so each time. */
static void add_listeners(const struct keeper *keeper, GArray *fds, GString *names)
{
    for (guint i = 0; i < keeper->listeners->len; i++) {
        int fd = g_array_index(keeper->listeners, int, i);

        fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) & ~O_NONBLOCK);
        g_array_append_val(fds, fd);
        g_string_append_printf(names, "%s%s", names->len ? ":" : "", (const char *)g_ptr_array_index(keeper->names, i));
    }
}

/* In the child: @fds become 3, 4, ...; the names are told as the manager tells them. */
static void hand_over(const GArray *fds, const char *names)
{
    char number[16];
    int top = FIRST + (int)fds->len + 100;

    for (guint i = 0; i < fds->len; i++) { /* out of the way first */
        g_array_index(fds, int, i) = fcntl(g_array_index(fds, int, i), F_DUPFD_CLOEXEC, top);
    }
    for (guint i = 0; i < fds->len; i++) {
        dup2(g_array_index(fds, int, i), FIRST + (int)i);
    }
    snprintf(number, sizeof(number), "%u", fds->len);
    setenv("LISTEN_FDS", number, 1);
    snprintf(number, sizeof(number), "%d", (int)getpid());
    setenv("LISTEN_PID", number, 1);
    setenv("LISTEN_FDNAMES", names, 1);
}

static void become(const struct keeper *keeper)
{
    GArray *fds = g_array_new(FALSE, FALSE, sizeof(int));
    GString *names = g_string_new(NULL);
    GHashTableIter iter;
    gpointer name;
    gpointer fd;

    add_listeners(keeper, fds, names);
    g_hash_table_iter_init(&iter, keeper->store);
    while (g_hash_table_iter_next(&iter, &name, &fd)) {
        int number = GPOINTER_TO_INT(fd);

        g_array_append_val(fds, number);
        g_string_append_printf(names, "%s%s", names->len ? ":" : "", (const char *)name);
    }
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    setenv("NOTIFY_SOCKET", test_path("notify"), 1);
    hand_over(fds, names->str);
    execv(keeper->argv[0], (char *const *)(uintptr_t)keeper->argv);
    _exit(99);
}

void keeper_start(struct keeper *keeper)
{
    ck_assert_int_eq(keeper->pid, 0);
    keeper->readies = 0;
    keeper->pid = fork();
    ck_assert_int_ge(keeper->pid, 0);
    if (keeper->pid == 0) {
        become(keeper);
    }
}

/* One of "NAME=value" lines; NULL: it is not among them. */
static char *value_of(const char *text, const char *name)
{
    char **lines = g_strsplit(text, "\n", -1);
    char *value = NULL;

    for (int i = 0; lines[i] && !value; i++) {
        if (g_str_has_prefix(lines[i], name) && lines[i][strlen(name)] == '=') {
            value = g_strdup(lines[i] + strlen(name) + 1);
        }
    }
    g_strfreev(lines);
    return value;
}

static void take(struct keeper *keeper, const char *text, int fd)
{
    char *name = value_of(text, "FDNAME");
    char *store = value_of(text, "FDSTORE");
    char *remove = value_of(text, "FDSTOREREMOVE");
    char *ready = value_of(text, "READY");
    char *status = value_of(text, "STATUS");

    if (store && fd >= 0) {
        ck_assert_msg(name && strstr(text, "FDPOLL=0"), "%s", text);
        g_hash_table_insert(keeper->store, g_strdup(name), GINT_TO_POINTER(fd));
        keeper->asked++;
    } else if (remove) {
        g_hash_table_remove(keeper->store, name);
    }
    keeper->readies += ready != NULL;
    if (status) {
        g_string_assign(keeper->status, status);
    }
    g_free(name);
    g_free(store);
    g_free(remove);
    g_free(ready);
    g_free(status);
}

/* Each socket has a bound of its own, too: one more, until not even its first goes through. */
static bool fill_by_one(const struct sockaddr_un *address)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    uint32_t sent = 0;

    while (sendto(fd, "X=1", 3, 0, (const struct sockaddr *)address, sizeof(*address)) == 3) {
        sent++;
    }
    ck_assert_int_eq(errno, EAGAIN);
    close_fd(fd);
    return sent > 0;
}

void keeper_fill(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    strcpy(address.sun_path, test_path("notify"));
    while (fill_by_one(&address)) {
    }
}

void keeper_hear(struct keeper *keeper)
{
    for (;;) {
        union {
            struct cmsghdr align;
            char space[CMSG_SPACE(sizeof(int))];
        } control;
        char text[512];
        struct iovec piece = {text, sizeof(text) - 1};
        struct msghdr message = {
            .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
        ssize_t count = recvmsg(keeper->notify, &message, MSG_CMSG_CLOEXEC);
        int fd = -1;

        if (count < 0) {
            ck_assert_int_eq(errno, EAGAIN);
            return;
        }
        text[count] = '\0';
        if (CMSG_FIRSTHDR(&message) && CMSG_FIRSTHDR(&message)->cmsg_type == SCM_RIGHTS) {
            memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
        }
        take(keeper, text, fd);
    }
}

void keeper_kill(struct keeper *keeper, int signal)
{
    int status;

    ck_assert_int_eq(kill(keeper->pid, signal), 0);
    if (signal != SIGKILL) { /* it may wait for us to hear it */
        while (waitpid(keeper->pid, &status, WNOHANG) == 0) {
            keeper_hear(keeper);
            g_usleep(1000);
        }
        ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "it ended with %x", (unsigned)status);
    } else {
        ck_assert_int_eq(waitpid(keeper->pid, &status, 0), keeper->pid);
    }
    keeper->pid = 0;
    keeper_hear(keeper);
}
