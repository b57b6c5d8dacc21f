/* SPDX-License-Identifier: BSD-3-Clause */
/* id -> vectors: the whole range, the memory it takes, and who owns the descriptors. */
#include "failing.h"
#include "support.h"

#include "peers.h"

#include <libivflat/ivflat.h>
#include <malloc.h>

static struct ivf_peers peers;
static struct ivf_ringers ringers;

/* Numbers of no open descriptor, for tables larger than a process may open. */
#define NO_FD 1000000

static void begin(void)
{
    ck_assert(ivf_peers_init(&peers, &ringers));
}

static void add(uint32_t id, int fd)
{
    struct ivf_vector *vector = ivf_peers_add(&peers, id, fd, 1);

    ck_assert_ptr_nonnull(vector);
    ck_assert_int_eq((int)vector->fd, fd);
    ck_assert_uint_eq(vector->kind, 1);
    ck_assert_uint_eq(vector->bound, 0);
    ck_assert_uint_eq(vector->taken, 0);
}

START_TEST(a_new_table_is_empty)
{
    begin();
    ck_assert_uint_eq(peers.count, 0);
    ck_assert_int_eq(ivf_peers_next(&peers, -1), -1);
    ck_assert_ptr_null(ivf_peers_get(&peers, 0));
    ck_assert_ptr_null(ivf_peers_get(&peers, 65535));
    ck_assert_ptr_null(ivf_peers_take(&peers, 7));
    ivf_peers_fini(&peers);
}
END_TEST

START_TEST(P6_a_vector_more_for_each)
{
    int fds[9];

    begin();
    for (int i = 0; i < 9; i++) {
        fds[i] = make_eventfd();
        add(7, fds[i]);
        ck_assert_uint_eq(ivf_peers_get(&peers, 7)->count, (uint32_t)i + 1);
    }
    for (int i = 0; i < 9; i++) {
        ck_assert_int_eq((int)ivf_peers_get(&peers, 7)->vectors[i].fd, fds[i]);
    }
    ck_assert_uint_eq(peers.count, 1);
    ck_assert_uint_eq(ivf_peers_get(&peers, 7)->id, 7);
    ivf_peers_fini(&peers);
    ck_assert(!is_open(fds[0]) && !is_open(fds[8]));
}
END_TEST

START_TEST(P6_vectors_of_several_interleaved)
{
    begin();
    for (int round = 0; round < 6; round++) {
        for (uint32_t id = 10; id < 15; id++) {
            add(id, make_eventfd());
        }
    }
    ck_assert_uint_eq(peers.count, 5);
    for (uint32_t id = 10; id < 15; id++) {
        ck_assert_uint_eq(ivf_peers_get(&peers, id)->count, 6);
    }
    ivf_peers_fini(&peers);
}
END_TEST

START_TEST(P4_all_65536_ids)
{
    int32_t after = -1;

    begin();
    for (uint32_t id = 0; id < 65536; id++) {
        add(id, NO_FD + (int)id);
    }
    ck_assert_uint_eq(peers.count, 65536);
    for (int32_t id = 0; id < 65536; id++) {
        ck_assert_int_eq(ivf_peers_next(&peers, after), id);
        ck_assert_int_eq((int)ivf_peers_get(&peers, (uint32_t)id)->vectors[0].fd, NO_FD + id);
        after = id;
    }
    ck_assert_int_eq(ivf_peers_next(&peers, after), -1);
    ivf_peers_fini(&peers);
}
END_TEST

START_TEST(P10_who_left_is_not_found)
{
    struct ivf_peer *peer;
    int fd = make_eventfd();

    begin();
    add(3, fd);
    add(4, make_eventfd());
    peer = ivf_peers_take(&peers, 3);
    ck_assert_ptr_nonnull(peer);
    ck_assert_ptr_null(ivf_peers_get(&peers, 3));
    ck_assert_ptr_null(ivf_peers_take(&peers, 3));
    ck_assert_uint_eq(peers.count, 1);
    ck_assert_int_eq(ivf_peers_next(&peers, -1), 4);
    ck_assert_msg(is_open(fd), "taken, it is open until it is freed");
    ivf_peers_free(&peers, peer);
    ck_assert(!is_open(fd));
    ivf_peers_fini(&peers);
}
END_TEST

START_TEST(P11_an_id_comes_back_with_other_descriptors)
{
    begin();
    for (int i = 0; i < 3; i++) {
        int fd = make_eventfd();

        add(3, fd);
        ck_assert_uint_eq(ivf_peers_get(&peers, 3)->count, 1);
        ck_assert_int_eq((int)ivf_peers_get(&peers, 3)->vectors[0].fd, fd);
        ivf_peers_free(&peers, ivf_peers_take(&peers, 3));
    }
    ck_assert_uint_eq(peers.count, 0);
    ivf_peers_fini(&peers);
}
END_TEST

START_TEST(P16_a_closed_vector_keeps_its_number)
{
    int second = make_eventfd();
    struct ivf_vector *vectors;

    begin();
    add(3, make_eventfd());
    add(3, second);
    vectors = ivf_peers_get(&peers, 3)->vectors;
    ck_assert(ivf_vector_open(&vectors[0]));
    ivf_peers_close(&peers, &vectors[0]);
    ivf_peers_close(&peers, &vectors[0]);
    ck_assert(!ivf_vector_open(&vectors[0]));
    ck_assert(ivf_vector_open(&vectors[1]));
    ck_assert_uint_eq(ivf_peers_get(&peers, 3)->count, 2);
    ck_assert_int_eq((int)vectors[1].fd, second);
    ivf_peers_fini(&peers);
}
END_TEST

/* What one peer costs: its part of the table, and what malloc gave it with its own eight bytes before it. */
START_TEST(a_peer_with_V_vectors_takes_at_most_64_and_4V_bytes)
{
    begin();
    for (int count = 1; count <= 64; count++) {
        add(5, NO_FD + count);
        ck_assert_uint_le(sizeof(peers.by_id[0]) + 8 + malloc_usable_size(ivf_peers_get(&peers, 5)),
                          64 + 4 * (size_t)count);
    }
    ivf_peers_fini(&peers);
}
END_TEST

START_TEST(a_number_that_does_not_fit_is_refused)
{
    begin();
    ck_assert_ptr_null(ivf_peers_add(&peers, 5, IVF_PEERS_MAX_FD, 1));
    ck_assert_ptr_null(ivf_peers_add(&peers, 5, INT32_MAX, 1));
    ck_assert_uint_eq(peers.count, 0);
    ck_assert_int_eq(ivf_peers_next(&peers, -1), -1);
    add(5, IVF_PEERS_MAX_FD - 1);
    ck_assert(ivf_vector_open(&ivf_peers_get(&peers, 5)->vectors[0]));
    ivf_peers_fini(&peers);
}
END_TEST

START_TEST(no_memory_for_the_table)
{
    fail_allocation(0);
    ck_assert(!ivf_peers_init(&peers, &ringers));
    ck_assert(fail_allocation_stop());
    ivf_peers_fini(&peers); /* nothing to do */
}
END_TEST

START_TEST(no_memory_for_a_peer_closes_the_descriptor)
{
    int fd = make_eventfd();

    begin();
    fail_allocation(0);
    ck_assert_ptr_null(ivf_peers_add(&peers, 9, fd, 1));
    ck_assert(fail_allocation_stop());
    ck_assert(!is_open(fd));
    ck_assert_uint_eq(peers.count, 0);
    ck_assert_ptr_null(ivf_peers_get(&peers, 9));
    ivf_peers_fini(&peers);
}
END_TEST

/* Wherever it strikes, what was there before is there after. */
START_TEST(no_memory_for_one_vector_more_leaves_the_others)
{
    uint32_t count = 0;

    begin();
    for (int i = 0; i < 20; i++) {
        int fd = make_eventfd();
        bool added;

        fail_allocation(0);
        added = ivf_peers_add(&peers, 9, fd, 1);
        ck_assert_int_eq(added, !fail_allocation_stop());
        ck_assert_int_eq(is_open(fd), added);
        if (!added) {
            add(9, make_eventfd());
        }
        ck_assert_uint_eq(ivf_peers_get(&peers, 9)->count, ++count);
    }
    ivf_peers_fini(&peers);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("peers");
    TCase *tcase = suite_case(suite, "table");

    tcase_add_test(tcase, a_new_table_is_empty);
    tcase_add_test(tcase, P6_a_vector_more_for_each);
    tcase_add_test(tcase, P6_vectors_of_several_interleaved);
    tcase_add_test(tcase, P4_all_65536_ids);
    tcase_add_test(tcase, P10_who_left_is_not_found);
    tcase_add_test(tcase, P11_an_id_comes_back_with_other_descriptors);
    tcase_add_test(tcase, P16_a_closed_vector_keeps_its_number);
    tcase = suite_case(suite, "bounds");
    tcase_add_test(tcase, a_peer_with_V_vectors_takes_at_most_64_and_4V_bytes);
    tcase_add_test(tcase, a_number_that_does_not_fit_is_refused);
    tcase_add_test(tcase, no_memory_for_the_table);
    tcase_add_test(tcase, no_memory_for_a_peer_closes_the_descriptor);
    tcase_add_test(tcase, no_memory_for_one_vector_more_leaves_the_others);
    return suite_run(suite);
}
