/* SPDX-License-Identifier: BSD-3-Clause */
/* Ids that are somebody's: at a socket of their own, kept or not, and the one of the server's own process. */
#include "raw.h"
#include "served.h"

#include <libivflat/ivflat.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct served served;

/* Adds one that listens at test_path(@name). */
static int32_t add(uint32_t id, const char *name, uint32_t keep)
{
    const ivflat_server_seat seat = {
        .struct_size = sizeof(seat), .id = id, .socket_path = test_path(name), .keep = keep};

    return ivflat_server_add_seat(served.server, &seat);
}

static void sit(struct guest *guest, const char *name)
{
    guest_connect(guest, test_path(name));
    served_run(&served);
}

START_TEST(an_id_is_given_at_its_own_socket_only)
{
    struct guest guests[4];

    served_begin(&served, NULL);
    ck_assert_int_eq(add(1, "one", 0), 0);
    ck_assert_int_eq(add(65535, "last", 0), 0);
    guest_join(&guests[0], &served);
    guest_join(&guests[1], &served);
    guest_expect(&guests[0], "0; 0; -1 memory 4194304; 0 eventfd; 2 eventfd");
    guest_expect(&guests[1], "0; 2; -1 memory 4194304; 0 eventfd; 2 eventfd");
    sit(&guests[2], "last");
    guest_expect(&guests[2], "0; 65535; -1 memory 4194304; 0 eventfd; 2 eventfd; 65535 eventfd");
    sit(&guests[3], "one");
    guest_expect(&guests[3], "0; 1; -1 memory 4194304; 0 eventfd; 2 eventfd; 65535 eventfd; 1 eventfd");
    for (int i = 0; i < 4; i++) {
        guest_leave(&guests[i], NULL);
    }
    served_end(&served);
    ck_assert(!g_file_test(test_path("one"), G_FILE_TEST_EXISTS));
    ck_assert(!g_file_test(test_path("last"), G_FILE_TEST_EXISTS));
}
END_TEST

START_TEST(one_at_a_time)
{
    struct guest first;
    struct guest second;

    served_begin(&served, NULL);
    ck_assert_int_eq(add(5, "five", 0), 0);
    sit(&first, "five");
    sit(&second, "five");
    guest_expect(&second, "end");
    ck_assert_uint_eq(served.reason, IVFLAT_REFUSED_ID);
    served_expect(&served, "5 joined; refused: id 5, which is the only one at its socket, is taken");
    guest_leave(&second, NULL);
    guest_leave(&first, &served);
    sit(&second, "five"); /* at once: nothing has to be waited for */
    guest_expect(&second, "0; 5; -1 memory 4194304; 5 eventfd");
    guest_leave(&second, NULL);
}
END_TEST

START_TEST(the_others_hear_when_one_leaves_that_is_not_kept)
{
    struct guest stays;
    struct guest guest;

    served_begin(&served, NULL);
    ck_assert_int_eq(add(5, "five", 0), 0);
    guest_join(&stays, &served);
    sit(&guest, "five");
    guest_leave(&guest, &served);
    sit(&guest, "five");
    guest_expect(&stays, "0; 0; -1 memory 4194304; 0 eventfd; 5 eventfd; 5; 5 eventfd");
    guest_leave(&guest, NULL);
    guest_leave(&stays, NULL);
}
END_TEST

START_TEST(P10_who_is_kept_comes_back_with_the_same_eventfds_and_nobody_hears)
{
    struct guest stays;
    struct guest guest;
    struct guest late;

    served_begin(&served, &(ivflat_server_config){.vectors = 2});
    ck_assert_int_eq(add(5, "five", 1), 0);
    guest_join(&stays, &served);
    sit(&guest, "five");
    guest_expect(&stays, "0; 0; -1 memory 4194304; 0 eventfd; 0 eventfd; 5 eventfd; 5 eventfd");
    guest_leave(&guest, &served);
    guest_expect(&stays, "");
    add_count(guest_fd(&stays, 4), 7); /* rung while it is away: its second vector */
    guest_join(&late, &served);
    guest_expect(&late, "0; 1; -1 memory 4194304; 0 eventfd; 0 eventfd; 5 eventfd; 5 eventfd; 1 eventfd; 1 eventfd");
    sit(&guest, "five");
    guest_expect(&stays, "1 eventfd; 1 eventfd");
    guest_expect(&late, "");
    guest_expect(&guest, "0; 5; -1 memory 4194304; 0 eventfd; 0 eventfd; 1 eventfd; 1 eventfd; 5 eventfd; 5 eventfd");
    ck_assert_uint_eq(take_count(guest_fd(&guest, 6)), 7);
    served_expect(&served, "0 joined; 5 joined; 5 left: it closed the connection; 1 joined; 5 joined");
    guest_leave(&late, NULL);
    guest_leave(&guest, NULL);
    guest_leave(&stays, NULL);
}
END_TEST

START_TEST(a_seat_may_have_a_given_listener)
{
    const ivflat_server_seat seat = {
        .struct_size = sizeof(seat), .id = 9, .listen_fd = raw_listen(test_path("given"), 1)};
    struct guest guest;

    served_begin(&served, NULL);
    ck_assert_int_eq(ivflat_server_add_seat(served.server, &seat), 0);
    sit(&guest, "given");
    guest_expect(&guest, "0; 9; -1 memory 4194304; 9 eventfd");
    guest_leave(&guest, NULL);
    served_end(&served);
    ck_assert(g_file_test(test_path("given"), G_FILE_TEST_EXISTS));
}
END_TEST

static void add_inside(struct served *inside)
{
    (void)inside;
    ck_assert_int_eq(add(7, "seven", 0), IVFLAT_ERR_BUSY);
}

START_TEST(seats_that_cannot_be)
{
    ivflat_server_seat seat = {.struct_size = 4};
    struct guest guest;

    served_begin(&served, NULL);
    guest_join(&guest, &served);
    ck_assert_int_eq(add(0, "zero", 0), IVFLAT_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "id 0 is taken"));
    ck_assert_int_eq(add(65536, "much", 0), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(add(1, "one", 2), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(add(1, "no/one", 0), IVFLAT_ERR_SYSTEM);
    ck_assert_int_eq(add(1, "one", 0), 0); /* what failed has taken nothing */
    ck_assert_int_eq(add(1, "uno", 0), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(add(2, "one", 0), IVFLAT_ERR_SYSTEM);
    ck_assert_int_eq(ivflat_server_add_seat(served.server, &seat), IVFLAT_ERR_INVALID);
    seat = (ivflat_server_seat){.struct_size = sizeof(seat), .id = 3, .listen_fd = make_eventfd()};
    ck_assert_int_eq(ivflat_server_add_seat(served.server, &seat), IVFLAT_ERR_SYSTEM);
    ck_assert(!is_open(seat.listen_fd));
    ck_assert_int_eq(ivflat_server_add_seat(NULL, &seat), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_add_seat(served.server, NULL), IVFLAT_ERR_INVALID);
    served.inside = add_inside;
    guest_leave(&guest, &served);
}
END_TEST

/* Our own process as a peer --------------------------------------------------------------------------------------- */

static uint32_t rung;

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user;
    rung += (uint32_t)count << (8 * vector);
}

static ivflat_device *make_device(int32_t sock)
{
    ivflat_hooks hooks = {.struct_size = sizeof(hooks), .interrupt = on_interrupt};
    ivflat_device *dev;

    ck_assert_int_eq(ivflat_device_new(&dev, NULL, &hooks), 0);
    ck_assert_int_eq(ivflat_device_adopt(dev, sock), 0);
    return dev;
}

static void run_both(ivflat_device *dev)
{
    while (ivflat_server_wait(served.server, 0) == 1 || ivflat_device_wait(dev, 0) == 1) {
        ck_assert_int_eq(ivflat_server_dispatch(served.server), 0);
        ck_assert_int_ge(ivflat_device_dispatch(dev), IVFLAT_ERR_CLOSED);
    }
}

START_TEST(the_host_is_a_peer_like_others)
{
    struct guest guest;
    ivflat_device *dev;
    int32_t sock;

    served_begin(&served, &(ivflat_server_config){.vectors = 2, .max_clients = 2});
    ck_assert_int_eq(ivflat_server_join(served.server, 1, &sock), 0);
    dev = make_device(sock);
    run_both(dev);
    ck_assert_int_eq(ivflat_device_id(dev), 1);
    guest_join(&guest, &served);
    run_both(dev);
    guest_expect(&guest, "0; 0; -1 memory 4194304; 1 eventfd; 1 eventfd; 0 eventfd; 0 eventfd");
    add_count(guest_fd(&guest, 2), 3);
    run_both(dev);
    ck_assert_uint_eq(rung, 3 << 8);
    ivflat_device_write(dev, IVFLAT_REG_DOORBELL, 4, 0 << 16 | 1);
    ck_assert_uint_eq(take_count(guest_fd(&guest, 4)), 1);
    memcpy(ivflat_device_memory(dev), "from the host", 13);
    {
        char text[14] = "";

        ck_assert_int_eq(pread(guest_fd(&guest, 0), text, 13, 0), 13);
        ck_assert_str_eq(text, "from the host");
    }
    /* It comes back as itself. */
    ck_assert_int_eq(ivflat_server_join(served.server, 1, &sock), IVFLAT_ERR_INVALID);
    ivflat_device_free(dev);
    served_run(&served);
    ck_assert_int_eq(ivflat_server_join(served.server, 1, &sock), 0);
    dev = make_device(sock);
    run_both(dev);
    guest_expect(&guest, "");
    add_count(guest_fd(&guest, 1), 1);
    rung = 0;
    run_both(dev);
    ck_assert_uint_eq(rung, 1);
    ivflat_device_free(dev);
    guest_leave(&guest, NULL);
}
END_TEST

START_TEST(the_host_cannot_take_anybodys_id)
{
    struct guest guest;
    int32_t sock = 77;

    served_begin(&served, NULL);
    guest_join(&guest, &served);
    ck_assert_int_eq(add(5, "five", 0), 0);
    ck_assert_int_eq(ivflat_server_join(served.server, 0, &sock), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(sock, -1);
    ck_assert_int_eq(ivflat_server_join(served.server, 5, &sock), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_join(served.server, 65536, &sock), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_join(NULL, 1, &sock), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_server_join(served.server, 1, NULL), IVFLAT_ERR_INVALID);
    ck_assert_uint_eq(ivflat_server_clients(served.server), 1);
    guest_leave(&guest, NULL);
}
END_TEST

/* It takes nobody's place, and nobody keeps it out. */
START_TEST(no_bound_counts_the_host)
{
    struct guest first;
    struct guest second;
    int32_t host;
    int32_t other;

    served_begin(&served, &(ivflat_server_config){.max_clients = 1, .max_per_uid = 1});
    ck_assert_int_eq(ivflat_server_join(served.server, 5, &host), 0);
    guest_join(&first, &served);
    ck_assert_uint_eq(guest_skip(&first), 3 + 1 + 1);
    guest_join(&second, &served);
    guest_expect(&second, "end");
    ck_assert_uint_eq(served.reason, IVFLAT_REFUSED_CLIENTS);
    ck_assert_int_eq(ivflat_server_join(served.server, 6, &other), 0);
    close_fd(host);
    close_fd(other);
    served_run(&served); /* they leave, and free no place */
    guest_leave(&second, &served);
    guest_join(&second, &served);
    guest_expect(&second, "end");
    guest_leave(&first, &served);
    guest_leave(&second, &served);
    guest_join(&first, &served);
    ck_assert_uint_gt(guest_skip(&first), 3);
    guest_leave(&first, NULL);
}
END_TEST

/* The loop's number is how many descriptors are left: not two for the connection, or none for the vector. */
START_TEST(the_host_needs_descriptors)
{
    int32_t sock;

    if (!can_lose_fds()) {
        return;
    }
    served_begin(&served, NULL);
    fill_fds((uint32_t)_i);
    ck_assert_int_eq(ivflat_server_join(served.server, 1, &sock), IVFLAT_ERR_SYSTEM);
    ck_assert_int_eq(sock, -1);
    fill_fds_undo();
    ck_assert_uint_eq(ivflat_server_clients(served.server), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server-seats");
    TCase *tcase = suite_case(suite, "seats");

    tcase_add_test(tcase, an_id_is_given_at_its_own_socket_only);
    tcase_add_test(tcase, one_at_a_time);
    tcase_add_test(tcase, the_others_hear_when_one_leaves_that_is_not_kept);
    tcase_add_test(tcase, P10_who_is_kept_comes_back_with_the_same_eventfds_and_nobody_hears);
    tcase_add_test(tcase, a_seat_may_have_a_given_listener);
    tcase_add_test(tcase, seats_that_cannot_be);

    tcase = suite_case(suite, "host");
    tcase_add_test(tcase, the_host_is_a_peer_like_others);
    tcase_add_test(tcase, the_host_cannot_take_anybodys_id);
    tcase_add_test(tcase, no_bound_counts_the_host);
    tcase_add_loop_test(tcase, the_host_needs_descriptors, 1, 3);
    return suite_run(suite);
}
