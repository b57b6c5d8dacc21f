/* SPDX-License-Identifier: BSD-3-Clause */
#include "served.h"

#include "server-state.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FOR_EVER 1000000 /* dispatches */

/* The server ------------------------------------------------------------------------------------------------------ */

static void say(struct served *served, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say(struct served *served, const char *format, ...)
{
    va_list args;

    if (served->said->len > 0) {
        g_string_append(served->said, "; ");
    }
    va_start(args, format);
    g_string_append_vprintf(served->said, format, args);
    va_end(args);
    if (served->inside) {
        served->inside(served);
    }
}

static int32_t on_connected(void *user, const ivflat_server_client *client)
{
    const struct served *served = user;

    return served->refuse ? served->refuse(client) : 0;
}

static void on_joined(void *user, const ivflat_server_client *client)
{
    ck_assert_uint_eq(client->struct_size, sizeof(*client));
    if (client->pid == getpid()) {
        say(user, "%u joined", client->id);
    } else {
        say(user, "%u joined from process %d", client->id, client->pid);
    }
}

static void on_left(void *user, const ivflat_server_client *client, uint32_t reason, const char *text)
{
    struct served *served = user;

    served->reason = reason;
    say(user, "%u left: %s", client->id, text);
}

static void on_refused(void *user, const ivflat_server_client *client, uint32_t reason, const char *text)
{
    struct served *served = user;

    served->reason = reason;
    ck_assert_int_eq(client->pid, getpid());
    ck_assert_uint_eq(client->uid, geteuid());
    ck_assert_uint_eq(client->gid, getegid());
    say(user, "refused: %s", text);
}

static void on_log(void *user, uint32_t level, const char *text)
{
    static const char *const names[] = {"?", "error", "warning", "info", "debug"};
    struct served *served = user;

    g_string_append_printf(served->logged, "%s: %s\n", names[level <= 4 ? level : 0], text);
}

static ivflat_server_config complete(const ivflat_server_config *config)
{
    ivflat_server_config whole = config ? *config : (ivflat_server_config){0};

    whole.struct_size = sizeof(whole);
    if (!whole.socket_path && !whole.listen_fd) {
        whole.socket_path = test_path("server");
    }
    return whole;
}

static void end_at_test_end(void *argument)
{
    served_end(argument);
}

static void make_server(struct served *served, const ivflat_server_config *config)
{
    ivflat_server_hooks hooks = {
        .struct_size = sizeof(hooks),
        .user = served,
        .client_connected = on_connected,
        .client_joined = on_joined,
        .client_left = on_left,
        .client_refused = on_refused,
        .descriptor_added = served->keep,
        .descriptor_removed = served->forget,
        .log = on_log,
    };
    int32_t error = ivflat_server_new(&served->server, config, &hooks);

    ck_assert_msg(error == 0, "no server: %s", ivflat_last_error());
}

void served_begin(struct served *served, const ivflat_server_config *config)
{
    ivflat_server_config whole = complete(config);

    *served = (struct served){.path = whole.socket_path,
                              .said = g_string_new(NULL),
                              .logged = g_string_new(NULL),
                              .keep = served->keep,
                              .forget = served->forget};
    make_server(served, &whole);
    at_test_end(end_at_test_end, served);
}

void served_take_descriptors(struct served *served)
{
    for (guint i = 0; i < served->server->doors->len; i++) {
        const struct ivf_door *door = g_ptr_array_index(served->server->doors, i);
        const int yes = 1;

        setsockopt(door->listener, SOL_SOCKET, 83 /* SO_PASSRIGHTS */, &yes, sizeof(yes));
    }
}

void served_restart(struct served *served, const ivflat_server_config *config)
{
    ivflat_server_config whole = complete(config);

    make_server(served, &whole);
}

void served_end(struct served *served)
{
    if (served->said) {
        ivflat_server_free(served->server);
        served->server = NULL;
        served->keep = NULL;
        served->forget = NULL;
        g_string_free(g_steal_pointer(&served->said), TRUE);
        g_string_free(g_steal_pointer(&served->logged), TRUE);
    }
}

void served_refused(const ivflat_server_config *config, int32_t error, const char *words)
{
    ivflat_server_config whole = complete(config);
    ivflat_server *server = (ivflat_server *)&whole;

    ck_assert_int_eq(ivflat_server_new(&server, &whole, NULL), error);
    ck_assert_ptr_null(server);
    ck_assert_msg(strstr(ivflat_last_error(), words), "no \"%s\" in: %s", words, ivflat_last_error());
}

void served_run(struct served *served)
{
    int dispatches = 0;

    while (ivflat_server_wait(served->server, 0) == 1) {
        ck_assert_int_eq(ivflat_server_dispatch(served->server), 0);
        ck_assert_msg(++dispatches < FOR_EVER, "the server has always something to do");
    }
}

const char *served_take(struct served *served)
{
    static char *taken;

    g_free(taken);
    taken = g_strdup(served->said->str);
    g_string_truncate(served->said, 0);
    return taken;
}

/* A client -------------------------------------------------------------------------------------------------------- */

void guest_connect(struct guest *guest, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
    strcpy(address.sun_path, path);
    guest->fds = g_array_new(FALSE, FALSE, sizeof(int));
    guest->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(guest->sock, 0);
    ck_assert_int_eq(connect(guest->sock, (struct sockaddr *)&address, sizeof(address)), 0);
}

void guest_join(struct guest *guest, struct served *served)
{
    guest_connect(guest, served->path);
    served_run(served);
}

void guest_leave(struct guest *guest, struct served *served)
{
    close_fd(guest->sock);
    for (guint i = 0; i < guest->fds->len; i++) {
        close_fd(guest_fd(guest, i));
    }
    g_array_free(guest->fds, TRUE);
    if (served) {
        served_run(served);
    }
}

int guest_send_fd(const struct guest *guest, int fd)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.align = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
    struct iovec piece = {(char[]){'x'}, 1};
    const struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t count;

    memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
    count = sendmsg(guest->sock, &message, MSG_NOSIGNAL);
    return count < 0 ? -errno : (int)count;
}

int guest_fd(const struct guest *guest, uint32_t index)
{
    ck_assert_uint_lt(index, guest->fds->len);
    return g_array_index(guest->fds, int, index);
}

/* The descriptors of one message, of which the protocol allows one. */
static void keep_fds(struct guest *guest, struct msghdr *message)
{
    struct cmsghdr *part = CMSG_FIRSTHDR(message);
    int fd;

    ck_assert_int_eq(message->msg_flags & MSG_CTRUNC, 0);
    if (part) {
        ck_assert_int_eq(part->cmsg_type, SCM_RIGHTS);
        ck_assert_uint_eq(part->cmsg_len, CMSG_LEN(sizeof(int)));
        ck_assert_ptr_null(CMSG_NXTHDR(message, part));
        memcpy(&fd, CMSG_DATA(part), sizeof(fd));
        g_array_append_val(guest->fds, fd);
    }
}

/* 8 bytes or none: 1, 0 for nothing there, -1 at the end. */
static int receive(struct guest *guest, uint8_t bytes[8])
{
    union {
        struct cmsghdr align;
        char space[256];
    } control;
    struct iovec piece = {.iov_base = bytes, .iov_len = 8};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t count = recvmsg(guest->sock, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

    if (count < 0) {
        ck_assert_msg(errno == EAGAIN || errno == ECONNRESET, "recvmsg: %s", strerror(errno));
        return errno == EAGAIN ? 0 : -1;
    }
    if (count == 0) {
        return -1;
    }
    ck_assert_int_eq(count, 8);
    keep_fds(guest, &message);
    return 1;
}

/* Little-endian, signed (P1): written out here, for the library's own is under test. */
static int64_t number_of(const uint8_t bytes[8])
{
    uint64_t number = 0;

    for (int i = 7; i >= 0; i--) {
        number = number << 8 | bytes[i];
    }
    return (int64_t)number;
}

bool guest_take(struct guest *guest, int64_t *number)
{
    uint8_t bytes[8];
    bool is_there = receive(guest, bytes) == 1;

    *number = is_there ? number_of(bytes) : 0;
    return is_there;
}

uint32_t guest_skip(struct guest *guest)
{
    uint32_t count = 0;
    int64_t number;

    while (guest_take(guest, &number)) {
        count++;
    }
    for (guint i = 0; i < guest->fds->len; i++) {
        close_fd(guest_fd(guest, i));
    }
    g_array_set_size(guest->fds, 0);
    return count;
}

static char *what_is(int fd)
{
    char *link = g_strdup_printf("/proc/self/fd/%d", fd);
    char *target = g_file_read_link(link, NULL);
    struct stat status;
    char *what;

    ck_assert_ptr_nonnull(target);
    ck_assert_int_eq(fstat(fd, &status), 0);
    if (strcmp(target, "anon_inode:[eventfd]") == 0) {
        what = g_strdup("eventfd");
    } else if (S_ISREG(status.st_mode)) {
        what = g_strdup_printf("memory %ld", (long)status.st_size);
    } else {
        what = g_strdup(target);
    }
    g_free(link);
    g_free(target);
    return what;
}

static char *read_all(struct guest *guest)
{
    GString *text = g_string_new(NULL);
    uint8_t bytes[8];
    int result;
    guint fds = guest->fds->len;

    while ((result = receive(guest, bytes)) == 1) {
        g_string_append_printf(text, "%s%ld", text->len ? "; " : "", (long)number_of(bytes));
        if (guest->fds->len > fds) {
            char *what = what_is(guest_fd(guest, fds++));

            g_string_append_printf(text, " %s", what);
            g_free(what);
        }
    }
    g_string_append(text, result == 0 ? "" : text->len ? "; end" : "end");
    return g_string_free(text, FALSE);
}

void guest_expect_at(struct guest *guest, const char *expected, const char *file, int line)
{
    char *text = read_all(guest);

    if (strcmp(text, expected) != 0) {
        ck_abort_msg("%s:%d: expected: %s\n  but there came: %s", file, line, expected, text);
    }
    g_free(text);
}
