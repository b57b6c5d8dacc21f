/* SPDX-License-Identifier: BSD-3-Clause */
/* What was handed on, and is damaged or another's: a fresh start, and a line that says so.  What is not all there: who
 * lacks it leaves, and nobody else. */
#include "restarted.h"

#include "server-map.h"
#include "server-save.h"

#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void damage_state(const struct ivf_map *map)
{
    for (off_t at = lseek(map->fd, 65536 * 16, SEEK_DATA); at >= 0; at = lseek(map->fd, at + 4096, SEEK_DATA)) {
        ck_assert_int_eq(pwrite(map->fd, "damage", 6, at + 60), 6);
    }
}

static void lose_state(const struct ivf_map *map)
{
    (void)map;
    g_hash_table_remove(restarted.store, "+state");
}

static void lose_memory(const struct ivf_map *map)
{
    (void)map;
    g_hash_table_remove(restarted.store, "+1");
}

static void other_vectors(const struct ivf_map *map)
{
    (void)map;
    restarted.config.vectors = 2;
}

static void other_size(const struct ivf_map *map)
{
    (void)map;
    restarted.config.memory_size = 8192;
}

/* More was sent than there was. */
static void too_far(const struct ivf_map *map)
{
    map->progress[0] = (struct ivf_progress){1000, 1000};
}

/* What is kept under the memory's name is something else. */
static void other_memory(const struct ivf_map *map)
{
    (void)map;
    g_hash_table_insert(restarted.store, g_strdup("+1"), GINT_TO_POINTER(make_eventfd()));
}

static void short_memory(const struct ivf_map *map)
{
    (void)map;
    g_hash_table_insert(restarted.store, g_strdup("+1"), GINT_TO_POINTER(make_memory(8192)));
}

static void (*const wrongs[])(const struct ivf_map *map) = {damage_state, lose_state, lose_memory,  other_vectors,
                                                            other_size,   too_far,    other_memory, short_memory};

START_TEST(what_cannot_be_used_is_a_fresh_start)
{
    struct guest old;
    struct guest new;

    restarted_begin(1);
    guest_join(&old, &restarted.served);
    wrongs[_i](&restarted.served.server->keeper.map);
    restarted_again();
    ck_assert_ptr_nonnull(strstr(restarted.served.logged->str, ": the server starts afresh\n"));
    ck_assert_uint_eq(ivflat_server_clients(restarted.served.server), 0);
    ck_assert_uint_eq(g_hash_table_size(restarted.store), 3);
    guest_skip(&old);
    guest_expect(&old, "end");
    guest_leave(&old, NULL);
    guest_join(&new, &restarted.served);
    ck_assert_uint_eq(guest_skip(&new), 3 + restarted.config.vectors);
    guest_leave(&new, &restarted.served);
    restarted.served.logged = g_string_truncate(restarted.served.logged, 0);
    restarted_again(); /* and that can be gone on with */
    ck_assert_str_eq(restarted.served.logged->str, "");
}
END_TEST

/* The manager is late to let go of the old listener: the path is free all the same. */
START_TEST(another_configuration_has_the_path_at_once)
{
    struct guest guest;
    int copy;

    restarted_begin(1);
    served_run(&restarted.served);
    copy = dup_fd(((struct ivf_door *)g_ptr_array_index(restarted.served.server->doors, 0))->listener);
    restarted.config.vectors = 2;
    restarted_again();
    ck_assert_ptr_nonnull(strstr(restarted.served.logged->str, ": the server starts afresh\n"));
    guest_join(&guest, &restarted.served);
    ck_assert_uint_eq(guest_skip(&guest), 3 + 2);
    guest_leave(&guest, NULL);
    close_fd(copy);
}
END_TEST

/* And so it is with clients: what they send is nobody's any more. */
START_TEST(nothing_of_before_is_waited_for)
{
    struct guest old;
    int copies[2];

    restarted_begin(1);
    guest_join(&old, &restarted.served);
    copies[0] = dup_fd(((struct ivf_client *)restarted.served.server->all.head->data)->sock);
    copies[1] = dup_fd(((struct ivf_door *)g_ptr_array_index(restarted.served.server->doors, 0))->listener);
    too_far(&restarted.served.server->keeper.map);
    restarted_again();
    ck_assert_ptr_nonnull(strstr(restarted.served.logged->str, ": the server starts afresh\n"));
    guest_skip(&old);
    ck_assert_int_le(send(old.sock, "x", 1, MSG_NOSIGNAL), 1);
    served_run(&restarted.served); /* it comes to an end */
    close_fd(copies[0]);
    close_fd(copies[1]);
    guest_leave(&old, NULL);
}
END_TEST

/* A thousand damages: whatever comes of it, it is no crash, and a server that works. */
START_TEST(no_damage_does_harm)
{
    guint32 seed = 1;
    struct guest stays;

    restarted_begin(1);
    guest_join(&stays, &restarted.served);
    for (int round = 0; round < 300; round++) {
        GRand *random = g_rand_new_with_seed(seed++);
        GByteArray *body;
        struct guest guest;

        served_run(&restarted.served);
        restarted.served.server->keeper.changed = true;
        ivflat_server_dispatch(restarted.served.server);
        body = ivf_map_read(&restarted.served.server->keeper.map);
        for (int i = g_rand_int_range(random, 1, 4); i > 0; i--) {
            body->data[g_rand_int_range(random, 0, (gint32)body->len)] = (uint8_t)g_rand_int(random);
        }
        ck_assert_int_eq(ivf_map_write(&restarted.served.server->keeper.map, body), 0);
        g_byte_array_unref(body);
        g_rand_free(random);
        restarted_again();
        served_run(&restarted.served);
        guest_join(&guest, &restarted.served);
        guest_skip(&guest);
        guest_leave(&guest, &restarted.served);
        guest_skip(&stays);
        g_string_truncate(restarted.served.logged, 0);
        g_string_truncate(restarted.served.said, 0);
    }
    guest_leave(&stays, NULL);
}
END_TEST

/* Not all of it --------------------------------------------------------------------------------------------------- */

/* The second one's; of what it was told before, nothing is wrong. */
static void lose_an_eventfd(const ivflat_server_seat *seat)
{
    const struct ivf_client *client = restarted.served.server->all.tail->data;
    char *name = ivf_save_name(client->announcement->key + 1);

    restarted_kill();
    ck_assert(g_hash_table_remove(restarted.store, name));
    g_free(name);
    restarted_restart();
    ck_assert(!seat || ivflat_server_add_seat(restarted.served.server, seat) == 0);
    served_run(&restarted.served);
    ck_assert_uint_eq(restarted.served.reason, IVFLAT_LEFT_UNSURE);
    ck_assert_ptr_nonnull(strstr(restarted.served.said->str, "1 left: not all of its eventfds were kept"));
}

START_TEST(who_lacks_an_eventfd_has_left_and_nobody_else)
{
    struct guest first;
    struct guest second;

    restarted_begin(2);
    guest_join(&first, &restarted.served);
    guest_join(&second, &restarted.served);
    lose_an_eventfd(NULL);
    guest_expect(&first, "0; 0; -1 memory 4194304; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd; 1");
    guest_expect(&second, "0; 1; -1 memory 4194304; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd; end");
    guest_leave(&second, NULL);
    guest_join(&second, &restarted.served);
    guest_expect(&second, "0; 2; -1 memory 4194304; 0 eventfd; 0 eventfd; 2 eventfd; 2 eventfd");
    guest_leave(&second, &restarted.served);
    guest_leave(&first, &restarted.served);
    ck_assert_uint_eq(g_hash_table_size(restarted.store), 3); /* state, memory, listener */
}
END_TEST

/* What was kept at a seat is not there any more: who comes there next is somebody new. */
START_TEST(who_lacks_an_eventfd_has_lost_its_seat)
{
    const ivflat_server_seat seat = {.struct_size = sizeof(seat), .id = 1, .socket_path = test_path("one"), .keep = 1};
    struct guest first;
    struct guest second;

    restarted_begin(2);
    ck_assert_int_eq(ivflat_server_add_seat(restarted.served.server, &seat), 0);
    guest_join(&first, &restarted.served);
    guest_connect(&second, test_path("one"));
    served_run(&restarted.served);
    lose_an_eventfd(&seat);
    guest_expect(&first, "0; 0; -1 memory 4194304; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd; 1");
    guest_leave(&second, NULL);
    guest_connect(&second, test_path("one"));
    served_run(&restarted.served);
    guest_expect(&first, "1 eventfd; 1 eventfd");
    guest_expect(&second, "0; 1; -1 memory 4194304; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd");
    guest_leave(&second, &restarted.served);
    guest_leave(&first, &restarted.served);
    ck_assert_uint_eq(g_hash_table_size(restarted.store), 3 + 1 + 2); /* and the seat, with its eventfds */
}
END_TEST

/* Who left is still to be told to one whose socket is not kept either. */
START_TEST(what_nobody_waits_for_any_more_is_closed)
{
    struct guest silent;
    struct guest guest;
    char *name;

    restarted_begin(2);
    guest_join(&silent, &restarted.served);
    for (int i = 0; i < 200; i++) {
        guest_join(&guest, &restarted.served);
        guest_leave(&guest, &restarted.served);
    }
    ck_assert_uint_gt(g_hash_table_size(restarted.store), 100);
    name = ivf_save_name(((struct ivf_client *)restarted.served.server->all.head->data)->key);
    restarted_kill();
    ck_assert(g_hash_table_remove(restarted.store, name));
    restarted_restart();
    served_run(&restarted.served);
    ck_assert_uint_eq(g_hash_table_size(restarted.store), 3);
    guest_leave(&silent, NULL);
    g_free(name);
}
END_TEST

/* An old state is worse than none: then there is nothing to go on with. */
START_TEST(a_state_that_cannot_be_written_is_let_go_with_all)
{
    struct guest guest;
    int fd;

    restarted_begin(1);
    guest_join(&guest, &restarted.served);
    ck_assert_uint_gt(g_hash_table_size(restarted.store), 3);
    fd = open(test_folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    ck_assert_int_ge(dup3(fd, restarted.served.server->keeper.map.fd, O_CLOEXEC), 0);
    close_fd(fd);
    guest_leave(&guest, &restarted.served);
    ck_assert_str_eq(restarted.served.logged->str,
                     "warning: cannot keep the state any more, which a crash would lose: Bad file descriptor\n");
    ck_assert_uint_eq(g_hash_table_size(restarted.store), 0);
    guest_join(&guest, &restarted.served); /* it goes on, and keeps nothing */
    guest_expect(&guest, "0; 1; -1 memory 4194304; 1 eventfd");
    ck_assert_uint_eq(g_hash_table_size(restarted.store), 0);
    guest_leave(&guest, &restarted.served);
}
END_TEST

/* A seat that is asked for otherwise than it was: who was kept there and is away has left, who is there stays. */
START_TEST(a_seat_that_is_not_kept_any_more_or_from_now_on)
{
    ivflat_server_seat seat = {
        .struct_size = sizeof(seat), .id = 9, .socket_path = test_path("nine"), .keep = (uint32_t)_i % 2};
    bool is_there = _i / 2;
    struct guest stays;
    struct guest guest;

    restarted_begin(1);
    ck_assert_int_eq(ivflat_server_add_seat(restarted.served.server, &seat), 0);
    guest_join(&stays, &restarted.served);
    guest_connect(&guest, test_path("nine"));
    served_run(&restarted.served);
    guest_expect(&stays, "0; 0; -1 memory 4194304; 0 eventfd; 9 eventfd");
    if (!is_there) {
        guest_leave(&guest, &restarted.served);
        guest_expect(&stays, seat.keep ? "" : "9");
    }
    restarted_again();
    seat.keep = !seat.keep;
    ck_assert_int_eq(ivflat_server_add_seat(restarted.served.server, &seat), 0);
    served_run(&restarted.served);
    guest_expect(&stays, !is_there && !seat.keep ? "9" : "");
    if (is_there) {
        guest_leave(&guest, &restarted.served);
        guest_expect(&stays, seat.keep ? "" : "9");
    }
    guest_connect(&guest, test_path("nine"));
    served_run(&restarted.served);
    guest_expect(&stays, is_there && seat.keep ? "" : "9 eventfd");
    guest_expect(&guest, "0; 9; -1 memory 4194304; 0 eventfd; 9 eventfd");
    guest_leave(&guest, &restarted.served);
    guest_leave(&stays, &restarted.served);
}
END_TEST

/* Other seats than before: those that are not asked for any more are given up, and who is in the way of a new one goes. */
START_TEST(seats_are_those_that_are_asked_for_now)
{
    ivflat_server_seat seat = {.struct_size = sizeof(seat), .id = 9, .socket_path = test_path("nine"), .keep = 1};
    struct guest stays;
    struct guest guest;

    restarted_begin(1);
    ck_assert_int_eq(ivflat_server_add_seat(restarted.served.server, &seat), 0);
    guest_join(&stays, &restarted.served); /* 0 */
    guest_connect(&guest, test_path("nine"));
    served_run(&restarted.served);
    guest_skip(&stays);
    guest_skip(&guest);
    restarted_again();
    if (_i == 1) { /* at another place */
        seat.socket_path = test_path("other");
        ck_assert_int_eq(ivflat_server_add_seat(restarted.served.server, &seat), 0);
    } else if (_i == 2) { /* where somebody is */
        seat.id = 0;
        seat.socket_path = test_path("other");
        ck_assert_int_eq(ivflat_server_add_seat(restarted.served.server, &seat), 0);
    }
    served_run(&restarted.served);
    ck_assert(!g_file_test(test_path("nine"), G_FILE_TEST_EXISTS));
    guest_expect(&guest, "end");
    guest_expect(&stays, _i == 2 ? "end" : "9");
    ck_assert_uint_eq(ivflat_server_clients(restarted.served.server), _i != 2);
    guest_leave(&guest, NULL);
    if (_i > 0) {
        guest_connect(&guest, test_path("other"));
        served_run(&restarted.served);
        guest_expect(&guest,
                     _i == 1 ? "0; 9; -1 memory 4194304; 0 eventfd; 9 eventfd" : "0; 0; -1 memory 4194304; 0 eventfd");
        guest_leave(&guest, &restarted.served);
    }
    guest_leave(&stays, &restarted.served);
    restarted_again(); /* and that can be gone on with */
    ck_assert_str_eq(restarted.served.logged->str, "");
    guest_join(&guest, &restarted.served);
    guest_expect(&guest, "0; 1; -1 memory 4194304; 1 eventfd");
    guest_leave(&guest, NULL);
}
END_TEST

/* A manager may have kept two under one name. */
START_TEST(of_two_with_one_name_none_is_forgotten)
{
    ivflat_server_config config = {.struct_size = sizeof(config), .socket_path = test_path("server")};
    char *text = g_strdup_printf("%d +state\n%d +state\n%d +7\n", make_eventfd(), make_memory(4096), make_eventfd());

    config.handed_fd = ivf_map_write_list(text);
    served_begin(&restarted.served, &config);
    ck_assert_str_eq(restarted.served.logged->str,
                     "warning: what was handed on as the state is none: the server starts afresh\n");
    g_free(text);
}
END_TEST

/* An id that comes back: of the one who had it before, nothing is taken for sent. */
static void expect_nothing_sent(struct served *of)
{
    if (g_str_has_suffix(of->said->str, "joined") && restarted.served.server) {
        ck_assert_uint_eq(restarted.served.server->keeper.map.progress[0].sent, 0);
        ck_assert_uint_eq(restarted.served.server->keeper.map.progress[0].tried, 0);
    }
}

START_TEST(who_has_an_id_again_was_sent_nothing_yet)
{
    struct guest guest;

    restarted_begin(1);
    served_end(&restarted.served);
    restarted.config.ids = IVFLAT_IDS_LOWEST;
    restarted.served.said = NULL;
    served_begin(&restarted.served, &restarted.config);
    restarted.served.inside = expect_nothing_sent;
    for (int i = 0; i < 2; i++) {
        guest_join(&guest, &restarted.served);
        guest_expect(&guest, "0; 0; -1 memory 4194304; 0 eventfd");
        ck_assert_uint_eq(restarted.served.server->keeper.map.progress[0].sent, 4);
        guest_leave(&guest, &restarted.served);
    }
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server-damage");
    TCase *tcase = suite_case(suite, "afresh");

    tcase_add_loop_test(tcase, what_cannot_be_used_is_a_fresh_start, 0, G_N_ELEMENTS(wrongs));
    tcase_add_test(tcase, another_configuration_has_the_path_at_once);
    tcase_add_test(tcase, nothing_of_before_is_waited_for);
    tcase_add_test(tcase, no_damage_does_harm);
    tcase = suite_case(suite, "not all");
    tcase_add_test(tcase, who_lacks_an_eventfd_has_left_and_nobody_else);
    tcase_add_test(tcase, who_lacks_an_eventfd_has_lost_its_seat);
    tcase_add_test(tcase, what_nobody_waits_for_any_more_is_closed);
    tcase_add_test(tcase, a_state_that_cannot_be_written_is_let_go_with_all);
    tcase_add_loop_test(tcase, a_seat_that_is_not_kept_any_more_or_from_now_on, 0, 4);
    tcase_add_loop_test(tcase, seats_are_those_that_are_asked_for_now, 0, 3);
    tcase_add_test(tcase, of_two_with_one_name_none_is_forgotten);
    tcase_add_test(tcase, who_has_an_id_again_was_sent_nothing_yet);
    return suite_run(suite);
}
