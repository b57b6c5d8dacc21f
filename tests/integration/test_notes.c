/* SPDX-License-Identifier: BSD-3-Clause */
/* What ivflat-server tells a manager of services: in order, and without waiting for one that does not read. */
#include "notes.h"
#include "support.h"

#include <errno.h>
#include <glib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static int manager;

static void end(void *argument)
{
    (void)argument;
    notes_end();
}

static void listen_at(const char *name, bool is_file)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t length = strlen(name);

    manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    memcpy(address.sun_path + !is_file, name + !is_file, length - !is_file);
    ck_assert_int_eq(
        bind(manager, (struct sockaddr *)&address, (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length)), 0);
    g_setenv("NOTIFY_SOCKET", name, TRUE);
    at_test_end(end, NULL);
}

/* The next thing that it is told, and "+" when a descriptor came with it; "": nothing. */
static const char *told(void)
{
    static char text[256];
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control;
    struct iovec piece = {text, sizeof(text) - 2};
    struct msghdr message = {
        .msg_iov = &piece, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
    ssize_t count = recvmsg(manager, &message, MSG_CMSG_CLOEXEC);
    int fd;

    if (count < 0) {
        ck_assert_int_eq(errno, EAGAIN);
        return "";
    }
    text[count] = '\0';
    if (CMSG_FIRSTHDR(&message)) {
        memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
        close_fd(fd);
        strcat(text, "+");
    }
    return text;
}

/* As much as it takes. */
static void fill(void)
{
    const char *path = g_getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    bool more = true;

    strcpy(address.sun_path, path);
    while (more) { /* each socket has a bound of its own, too */
        int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

        more = false;
        while (sendto(fd, "X", 1, 0, (struct sockaddr *)&address, sizeof(address)) == 1) {
            more = true;
        }
        close_fd(fd);
    }
}

static void drain(void)
{
    while (strcmp(told(), "X") == 0) {
    }
}

static void run_until_told(void)
{
    while (!notes_are_told()) {
        g_main_context_iteration(NULL, TRUE);
    }
}

START_TEST(what_is_told_comes_at_once)
{
    int fd = make_eventfd();
    char *name = _i ? g_strdup(test_path("notify")) : g_strdup_printf("@ivflat-%s", strrchr(test_folder(), '/') + 1);

    listen_at(name, _i);
    ck_assert(notes_tell("READY=1"));
    ck_assert(notes_keep("+3", fd));
    ck_assert(notes_forget("+3"));
    ck_assert(notes_are_told());
    ck_assert_str_eq(told(), "READY=1");
    ck_assert_str_eq(told(), "FDSTORE=1\nFDPOLL=0\nFDNAME=+3+");
    ck_assert_str_eq(told(), "FDSTOREREMOVE=1\nFDNAME=+3");
    ck_assert_str_eq(told(), "");
    close_fd(fd);
    close_fd(manager);
    g_free(name);
}
END_TEST

START_TEST(nobody_to_tell)
{
    static const char *const none[] = {NULL, "", "/", "relative", "/nowhere/notify", "@ivflat-nobody-is-there"};
    char *longer = g_strnfill(200, '/');

    at_test_end(end, NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(none); i++) {
        if (none[i]) {
            g_setenv("NOTIFY_SOCKET", none[i], TRUE);
        } else {
            g_unsetenv("NOTIFY_SOCKET");
        }
        ck_assert(!notes_tell("READY=1"));
        ck_assert_int_ne(errno, 0);
        ck_assert(!notes_keep("+3", STDOUT_FILENO));
        ck_assert(!notes_forget("+3"));
        ck_assert(notes_are_told());
    }
    g_setenv("NOTIFY_SOCKET", longer, TRUE);
    ck_assert(!notes_tell("READY=1"));
    g_free(longer);
}
END_TEST

/* The descriptor may be closed meanwhile, and its number another's. */
START_TEST(what_it_does_not_read_comes_later_in_order)
{
    uint32_t before = count_fds();
    int fd = make_eventfd();

    listen_at(test_path("notify"), true);
    ck_assert(notes_tell("first"));
    ck_assert_str_eq(told(), "first");
    fill();
    ck_assert(notes_keep("+1", fd));
    close_fd(fd);
    ck_assert(notes_tell("second"));
    ck_assert(notes_forget("+0"));
    ck_assert(!notes_are_told());
    g_main_context_iteration(NULL, TRUE); /* it is tried again, and still full */
    ck_assert(!notes_are_told());
    drain();
    ck_assert_str_eq(told(), "");
    ck_assert(notes_tell("third")); /* there is room, but it is not its turn */
    ck_assert_str_eq(told(), "");
    run_until_told();
    ck_assert_str_eq(told(), "FDSTORE=1\nFDPOLL=0\nFDNAME=+1+");
    ck_assert_str_eq(told(), "second");
    ck_assert_str_eq(told(), "FDSTOREREMOVE=1\nFDNAME=+0");
    ck_assert_str_eq(told(), "third");
    close_fd(manager);
    ck_assert_uint_le(count_fds(), before + 1); /* the one to tell by */
}
END_TEST

START_TEST(who_was_gone_before_it_was_told_is_not_told_of)
{
    uint32_t before;
    int fd = make_eventfd();

    listen_at(test_path("notify"), true);
    ck_assert(notes_tell("first"));
    ck_assert_str_eq(told(), "first");
    fill();
    before = count_fds();
    ck_assert(notes_keep("+1", fd));
    ck_assert(notes_keep("+2", fd));
    ck_assert(notes_keep("+3", fd));
    ck_assert_uint_eq(count_fds(), before + 3);
    ck_assert(notes_forget("+1"));
    ck_assert(notes_forget("+3"));
    ck_assert_uint_eq(count_fds(), before + 1);
    drain();
    run_until_told();
    ck_assert_str_eq(told(), "FDSTORE=1\nFDPOLL=0\nFDNAME=+2+");
    ck_assert_str_eq(told(), "");
    ck_assert(notes_forget("+2")); /* of this one it knows */
    ck_assert_str_eq(told(), "FDSTOREREMOVE=1\nFDNAME=+2");
    ck_assert_uint_eq(count_fds(), before);
    close_fd(fd);
    close_fd(manager);
}
END_TEST

/* It went away while something waited: that is nobody's any more. */
START_TEST(a_manager_that_is_gone)
{
    int fd = make_eventfd();

    listen_at(test_path("notify"), true);
    fill();
    ck_assert(notes_keep("+1", fd));
    ck_assert(notes_tell("second"));
    close_fd(manager);
    run_until_told();
    ck_assert(!notes_tell("third"));
    close_fd(fd);
}
END_TEST

START_TEST(without_descriptors_it_says_so)
{
    int fd = make_eventfd();

    listen_at(test_path("notify"), true);
    ck_assert(notes_tell("first"));
    ck_assert_str_eq(told(), "first");
    fill();
    fill_fds(0);
    ck_assert(!notes_keep("+1", fd));
    ck_assert_int_eq(errno, EMFILE);
    ck_assert(notes_tell("second"));
    fill_fds_undo();
    drain();
    run_until_told();
    ck_assert_str_eq(told(), "second");
    close_fd(fd);
    close_fd(manager);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("notes");
    TCase *tcase = suite_case(suite, "notes");

    g_main_context_default(); /* it has a descriptor of its own, and the tests count theirs */

    tcase_add_loop_test(tcase, what_is_told_comes_at_once, 0, 2);
    tcase_add_test(tcase, nobody_to_tell);
    tcase_add_test(tcase, what_it_does_not_read_comes_later_in_order);
    tcase_add_test(tcase, who_was_gone_before_it_was_told_is_not_told_of);
    tcase_add_test(tcase, a_manager_that_is_gone);
    tcase_add_test(tcase, without_descriptors_it_says_so);
    return suite_run(suite);
}
