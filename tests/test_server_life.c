/* SPDX-License-Identifier: BSD-3-Clause */
/* What the server is asked to be, what it refuses to be, and what it leaves behind. */
#include "served.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static struct served served;

/* Fields ---------------------------------------------------------------------------------------------------------- */

static char path_107[108];
static char path_108[109];

START_TEST(a_field_that_cannot_be_is_refused_by_its_name)
{
    memset(path_108, 'x', 108);
    served_refused(&(ivflat_server_config){.vectors = 65537}, IVFLAT_ERR_INVALID, "vectors is 65537, at most 65536");
    served_refused(&(ivflat_server_config){.no_interrupts = 2}, IVFLAT_ERR_INVALID, "no_interrupts is 2");
    served_refused(&(ivflat_server_config){.memory_size = (uint64_t)1 << 63}, IVFLAT_ERR_INVALID,
                   "memory_size is 9223372036854775808 bytes, at most 9223372036854775807");
    served_refused(&(ivflat_server_config){.memory_name = "/a", .memory_dir = "/tmp"}, IVFLAT_ERR_INVALID,
                   "memory_name, .memory_dir, .memory_file and .huge_page more than one");
    served_refused(&(ivflat_server_config){.memory_file = "/a", .huge_page = 1 << 21}, IVFLAT_ERR_INVALID,
                   "more than one");
    served_refused(&(ivflat_server_config){.huge_page = 3 << 20}, IVFLAT_ERR_INVALID, "huge_page is 3145728");
    served_refused(&(ivflat_server_config){.huge_page = 1 << 21, .memory_size = 3 << 20}, IVFLAT_ERR_INVALID,
                   "memory_size is 3145728 bytes, a multiple of .huge_page (2097152)");
    served_refused(&(ivflat_server_config){.allow_uid_count = 1}, IVFLAT_ERR_INVALID, "allow_uids");
    served_refused(&(ivflat_server_config){.allow_gid_count = 1}, IVFLAT_ERR_INVALID, "allow_gids");
    served_refused(&(ivflat_server_config){.socket_path = ""}, IVFLAT_ERR_INVALID, "no socket path");
    served_refused(&(ivflat_server_config){.socket_path = path_108}, IVFLAT_ERR_INVALID, "108 bytes");
}
END_TEST

/* Nobody has to listen: to those who come, go and are refused it is the same. */
START_TEST(hooks_are_not_needed)
{
    ivflat_server_config config = {
        .struct_size = sizeof(config), .socket_path = test_path("s"), .max_clients = 1, .keep_state = (uint32_t)_i};
    struct guest in, out;
    ivflat_server *server;

    ck_assert_int_eq(ivflat_server_new(&server, &config, NULL), 0);
    guest_connect(&in, config.socket_path);
    while (ivflat_server_wait(server, 0) == 1) {
        ck_assert_int_eq(ivflat_server_dispatch(server), 0);
    }
    guest_connect(&out, config.socket_path);
    while (ivflat_server_wait(server, 0) == 1) {
        ck_assert_int_eq(ivflat_server_dispatch(server), 0);
    }
    ck_assert_uint_eq(ivflat_server_clients(server), 1);
    guest_leave(&in, NULL);
    guest_leave(&out, NULL);
    while (ivflat_server_wait(server, 0) == 1) {
        ck_assert_int_eq(ivflat_server_dispatch(server), 0);
    }
    ck_assert_uint_eq(ivflat_server_clients(server), 0);
    ivflat_server_free(server);
}
END_TEST

START_TEST(no_config_and_no_path_are_refused)
{
    ivflat_server_config config = {.struct_size = sizeof(config)};
    ivflat_server *server;

    ck_assert_int_eq(ivflat_server_new(NULL, &config, NULL), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_new(&server, NULL, NULL), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_new(&server, &config, NULL), IVFLAT_ERR_INVALID);
    ck_assert_ptr_null(server);
}
END_TEST

/* A path of 107 bytes has no room for an end mark in the address, and is right. */
START_TEST(a_path_of_107_bytes_is_taken)
{
    struct stat status;

    snprintf(path_107, sizeof(path_107), "%s/%0*d", test_folder(), 107 - (int)strlen(test_folder()) - 1, 7);
    ck_assert_uint_eq(strlen(path_107), 107);
    served_begin(&served, &(ivflat_server_config){.socket_path = path_107});
    ck_assert_int_eq(lstat(path_107, &status), 0);
    served_end(&served);
    ck_assert_int_ne(lstat(path_107, &status), 0);
}
END_TEST

/* A config or hooks of another release. */
struct longer {
    ivflat_server_config config;
    uint32_t more;
    uint32_t end;
};

START_TEST(struct_size_tells_what_is_there)
{
    struct longer longer = {.config = {.struct_size = sizeof(longer), .socket_path = test_path("server")}};
    ivflat_server_hooks hooks = {.struct_size = sizeof(hooks) - 1};
    ivflat_server *server;

    longer.more = 1;
    ck_assert_int_eq(ivflat_server_new(&server, &longer.config, NULL), IVFLAT_ERR_INVALID);
    longer.more = 0;
    ck_assert_int_eq(ivflat_server_new(&server, &longer.config, &hooks), IVFLAT_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "ivflat_server_hooks.struct_size"));
    hooks = (ivflat_server_hooks){.struct_size = sizeof(hooks), .reserved = 1};
    ck_assert_int_eq(ivflat_server_new(&server, &longer.config, &hooks), IVFLAT_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "reserved"));
    longer.config.struct_size = 0;
    ck_assert_int_eq(ivflat_server_new(&server, &longer.config, NULL), IVFLAT_ERR_INVALID);
    ck_assert(!g_file_test(longer.config.socket_path, G_FILE_TEST_EXISTS));
    longer.config.struct_size = sizeof(longer);
    ck_assert_int_eq(ivflat_server_new(&server, &longer.config, NULL), 0);
    ivflat_server_free(server);
}
END_TEST

/* The socket ------------------------------------------------------------------------------------------------------ */

/* What a server that was killed leaves. */
static void make_stale(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    strcpy(address.sun_path, path);
    ck_assert_int_eq(bind(sock, (struct sockaddr *)&address, sizeof(address)), 0);
    ck_assert_int_eq(listen(sock, 1), 0);
    close_fd(sock);
}

START_TEST(a_stale_socket_is_replaced)
{
    struct guest guest;

    make_stale(test_path("server"));
    served_begin(&served, NULL);
    guest_join(&guest, &served);
    guest_expect(&guest, "0; 0; -1 memory 4194304; 0 eventfd");
    guest_leave(&guest, NULL);
}
END_TEST

/* And the live one's clients do not notice that it was tried. */
START_TEST(a_live_socket_is_refused)
{
    struct guest guest;
    struct guest next;

    served_begin(&served, NULL);
    guest_join(&guest, &served);
    guest_skip(&guest);
    served_refused(NULL, IVFLAT_ERR_SYSTEM, "listens on");
    served_run(&served);
    guest_expect(&guest, "");
    guest_join(&next, &served);
    guest_expect(&next, "0; 1; -1 memory 4194304; 0 eventfd; 1 eventfd");
    guest_leave(&guest, NULL);
    guest_leave(&next, NULL);
}
END_TEST

START_TEST(what_is_no_socket_stays)
{
    ck_assert(g_file_set_contents(test_path("server"), "precious", -1, NULL));
    served_refused(NULL, IVFLAT_ERR_SYSTEM, "is no socket");
    ck_assert(g_file_test(test_path("server"), G_FILE_TEST_IS_REGULAR));
}
END_TEST

START_TEST(a_folder_that_is_not_there_is_named)
{
    served_refused(&(ivflat_server_config){.socket_path = test_path("none/server")}, IVFLAT_ERR_SYSTEM,
                   "none/server: No such file or directory");
    served_refused(&(ivflat_server_config){.memory_dir = test_path("none")}, IVFLAT_ERR_SYSTEM,
                   "none: No such file or directory");
    ck_assert(!g_file_test(test_path("server"), G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(another_servers_socket_is_not_removed)
{
    struct stat status;

    served_begin(&served, NULL);
    ck_assert_int_eq(unlink(served.path), 0);
    make_stale(served.path);
    served_end(&served);
    ck_assert_int_eq(lstat(test_path("server"), &status), 0);
}
END_TEST

START_TEST(without_descriptors_nothing_is_left_behind)
{
    for (uint32_t spare = 0; spare < 6; spare++) { /* listener, memory, epoll, wake, timer; one to look at the socket */
        fill_fds(spare);
        if (spare < 5) {
            served_refused(NULL, IVFLAT_ERR_SYSTEM, "Too many open files");
        } else {
            served_begin(&served, NULL);
            served_end(&served);
        }
        fill_fds_undo();
        ck_assert(!g_file_test(test_path("server"), G_FILE_TEST_EXISTS));
    }
}
END_TEST

/* The memory ------------------------------------------------------------------------------------------------------ */

static char *memory_name(void)
{
    return g_strdup_printf("/ivflat-test-%d", (int)getpid());
}

static int open_named(const char *name, int flags)
{
    return shm_open(name, flags | O_RDWR | O_CLOEXEC, 0600);
}

START_TEST(a_named_memory_is_removed_at_the_end)
{
    char *name = memory_name();
    struct guest guest;
    struct stat status;
    int fd;

    served_begin(&served, &(ivflat_server_config){.memory_name = name, .memory_size = 4096});
    guest_join(&guest, &served);
    guest_expect(&guest, "0; 0; -1 memory 4096; 0 eventfd");
    fd = open_named(name, 0);
    ck_assert_int_eq(fstat(fd, &status), 0);
    ck_assert_int_eq(status.st_size, 4096);
    ck_assert_int_eq(status.st_mode & 0777, 0600);
    close_fd(fd);
    served_end(&served);
    ck_assert_int_eq(open_named(name, 0), -1);
    guest_leave(&guest, NULL);
    g_free(name);
}
END_TEST

/* Whatever number the memory's descriptor has, and whatever is free below it. */
START_TEST(a_name_is_removed_where_it_is_still_ours)
{
    char *name = memory_name();
    int hole = make_eventfd();
    int fd;

    served_begin(&served, &(ivflat_server_config){.memory_name = name, .memory_size = 4096});
    close_fd(hole);
    served_end(&served);
    ck_assert_int_eq(open_named(name, 0), -1);

    served_begin(&served, &(ivflat_server_config){.memory_name = name, .memory_size = 4096});
    ck_assert_int_eq(shm_unlink(name), 0);
    fd = open_named(name, O_CREAT | O_EXCL); /* somebody else's by now */
    served_end(&served);
    close_fd(fd);
    fd = open_named(name, 0);
    ck_assert_int_ge(fd, 0);
    close_fd(fd);
    ck_assert_int_eq(shm_unlink(name), 0);
    g_free(name);
}
END_TEST

START_TEST(a_memory_in_a_folder_has_no_name)
{
    struct guest guest;
    GDir *dir;

    served_begin(&served, &(ivflat_server_config){.memory_dir = test_folder(), .memory_size = 4096});
    guest_join(&guest, &served);
    guest_expect(&guest, "0; 0; -1 memory 4096; 0 eventfd");
    dir = g_dir_open(test_folder(), 0, NULL);
    ck_assert_str_eq(g_dir_read_name(dir), "server");
    ck_assert_ptr_null(g_dir_read_name(dir));
    g_dir_close(dir);
    guest_leave(&guest, NULL);
}
END_TEST

/* Cut short by a client that has it, as any peer can: that is what the warning is for. */
START_TEST(memory_that_can_be_cut_short_is_warned_of_once)
{
    struct guest guest;

    served_begin(&served, &(ivflat_server_config){.memory_file = test_path("memory"), .memory_size = 4096});
    guest_join(&guest, &served);
    guest_expect(&guest, "0; 0; -1 memory 4096; 0 eventfd");
    ck_assert_int_eq(ftruncate(guest_fd(&guest, 0), 0), 0);
    ck_assert_str_eq(served.logged->str,
                     "warning: whoever may open the shared memory, and each peer, can cut it short, "
                     "which kills all who use it (SIGBUS); without a name, a folder or a file it "
                     "would be sealed\n");
    guest_leave(&guest, NULL);
    served_end(&served);
    ck_assert(g_file_test(test_path("memory"), G_FILE_TEST_IS_REGULAR)); /* it stays */
    served_begin(&served, NULL);
    ck_assert_str_eq(served.logged->str, "");
}
END_TEST

START_TEST(a_memory_that_is_not_taken_stays)
{
    char *name = memory_name();
    int fd = open_named(name, O_CREAT | O_EXCL);

    ck_assert_int_eq(ftruncate(fd, 8192), 0);
    served_refused(&(ivflat_server_config){.memory_name = name, .memory_size = 4096}, IVFLAT_ERR_SYSTEM, "8192 bytes");
    ck_assert_int_eq(fchmod(fd, 0666), 0);
    served_refused(&(ivflat_server_config){.memory_name = name, .memory_size = 8192}, IVFLAT_ERR_SYSTEM, "not ours");
    ck_assert_int_eq(shm_unlink(name), 0); /* it is there */
    close_fd(fd);
    g_free(name);
}
END_TEST

/* A second server on the first one's socket is refused before it touches the memory that both name. */
START_TEST(a_refused_server_touches_no_memory)
{
    char *name = memory_name();
    int fd;

    served_begin(&served, &(ivflat_server_config){.memory_name = name, .memory_size = 4096});
    served_refused(&(ivflat_server_config){.memory_name = name, .memory_size = 8192}, IVFLAT_ERR_SYSTEM, "listens on");
    fd = open_named(name, 0);
    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(lseek(fd, 0, SEEK_END), 4096);
    close_fd(fd);
    served_end(&served);
    g_free(name);
}
END_TEST

/* Another process ------------------------------------------------------------------------------------------------- */

static int free_it(void *argument)
{
    (void)argument;
    ivflat_server_free(served.server);
    return 0;
}

START_TEST(a_forked_child_leaves_the_server_alone)
{
    char *name = memory_name();
    struct guest guest;
    struct guest waits;
    struct guest next;
    int fd;

    served_begin(&served, &(ivflat_server_config){.memory_name = name});
    guest_join(&guest, &served);
    guest_skip(&guest);
    guest_connect(&waits, served.path);
    ck_assert_int_eq(send(guest.sock, "x", 1, 0), 1); /* unread: the server's to read, not the child's */
    ck_assert_int_eq(join_child(run_child(free_it, NULL)), 0);
    fd = open_named(name, 0);
    ck_assert_int_ge(fd, 0);
    close_fd(fd);
    ck_assert_int_eq(send(guest.sock, "x", 1, 0), 1);
    guest_join(&next, &served);
    guest_expect(&guest, "1 eventfd; 2 eventfd");
    ck_assert_uint_eq(ivflat_server_clients(served.server), 3);
    guest_leave(&waits, NULL);
    guest_leave(&next, NULL);
    guest_leave(&guest, NULL);
    g_free(name);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server_life");
    TCase *tcase = suite_case(suite, "fields");

    tcase_add_test(tcase, a_field_that_cannot_be_is_refused_by_its_name);
    tcase_add_loop_test(tcase, hooks_are_not_needed, 0, 2);
    tcase_add_test(tcase, no_config_and_no_path_are_refused);
    tcase_add_test(tcase, a_path_of_107_bytes_is_taken);
    tcase_add_test(tcase, struct_size_tells_what_is_there);

    tcase = suite_case(suite, "socket");
    tcase_add_test(tcase, a_stale_socket_is_replaced);
    tcase_add_test(tcase, a_live_socket_is_refused);
    tcase_add_test(tcase, what_is_no_socket_stays);
    tcase_add_test(tcase, a_folder_that_is_not_there_is_named);
    tcase_add_test(tcase, another_servers_socket_is_not_removed);
    tcase_add_test(tcase, without_descriptors_nothing_is_left_behind);

    tcase = suite_case(suite, "memory");
    tcase_add_test(tcase, a_named_memory_is_removed_at_the_end);
    tcase_add_test(tcase, a_name_is_removed_where_it_is_still_ours);
    tcase_add_test(tcase, a_memory_in_a_folder_has_no_name);
    tcase_add_test(tcase, a_refused_server_touches_no_memory);
    tcase_add_test(tcase, memory_that_can_be_cut_short_is_warned_of_once);
    tcase_add_test(tcase, a_memory_that_is_not_taken_stays);

    tcase = suite_case(suite, "another process");
    tcase_add_test(tcase, a_forked_child_leaves_the_server_alone);
    return suite_run(suite);
}
