/* SPDX-License-Identifier: BSD-3-Clause */
/* What waits for one client: its order, and how long the eventfds of others stay open for it. */
#include "support.h"

#include "server-queue.h"

static struct ivf_queue queue;

static void expect(int32_t number, int fd)
{
    struct ivf_message message;

    ck_assert(ivf_queue_front(&queue, &message));
    ck_assert_int_eq(message.number, number);
    ck_assert_int_eq(message.fd, fd);
    ivf_queue_pop(&queue);
}

static void expect_nothing(void)
{
    struct ivf_message message;

    ck_assert(!ivf_queue_front(&queue, &message));
    ck_assert_uint_eq(queue.messages, 0);
    ck_assert_ptr_null(queue.entries);
}

START_TEST(first_in_first_out)
{
    queue = (struct ivf_queue){0};
    expect_nothing();
    ivf_queue_push(&queue, 0, -1);
    ivf_queue_push(&queue, -1, 7);
    ck_assert_uint_eq(queue.messages, 2);
    expect(0, -1);
    ivf_queue_push(&queue, 65535, -1);
    expect(-1, 7);
    expect(65535, -1);
    expect_nothing();
}
END_TEST

START_TEST(an_announcement_is_a_message_for_each_vector)
{
    struct ivf_announcement *announcement = ivf_announcement_new(5, 3);

    queue = (struct ivf_queue){0};
    ck_assert_uint_eq(announcement->count, 3);
    ivf_queue_push_vectors(&queue, announcement);
    ivf_queue_push(&queue, 5, -1);
    ck_assert_uint_eq(queue.messages, 4);
    for (int i = 0; i < 3; i++) {
        expect(5, announcement->fds[i]);
    }
    expect(5, -1);
    expect_nothing();
    ivf_announcement_unref(announcement);
}
END_TEST

START_TEST(without_vectors_there_is_nothing_to_say)
{
    struct ivf_announcement *announcement = ivf_announcement_new(5, 0);

    queue = (struct ivf_queue){0};
    ivf_queue_push_vectors(&queue, announcement);
    expect_nothing();
    ivf_announcement_unref(announcement);
}
END_TEST

START_TEST(eventfds_stay_open_as_long_as_they_wait)
{
    struct ivf_announcement *announcement = ivf_announcement_new(5, 2);
    int fds[2] = {announcement->fds[0], announcement->fds[1]};

    queue = (struct ivf_queue){0};
    ivf_queue_push_vectors(&queue, announcement);
    ivf_announcement_unref(announcement); /* the client is gone */
    expect(5, fds[0]);
    ck_assert(is_open(fds[0]) && is_open(fds[1]));
    expect(5, fds[1]);
    ck_assert(!is_open(fds[0]) && !is_open(fds[1]));
    expect_nothing();
}
END_TEST

START_TEST(clearing_lets_go_of_all)
{
    struct ivf_announcement *first = ivf_announcement_new(5, 2);
    struct ivf_announcement *second = ivf_announcement_new(6, 2);
    int fds[2] = {first->fds[1], second->fds[0]};

    queue = (struct ivf_queue){0};
    ivf_queue_push_vectors(&queue, first);
    ivf_queue_push_vectors(&queue, second);
    ivf_queue_push(&queue, 1, -1);
    ivf_announcement_unref(first);
    ivf_announcement_unref(second);
    ivf_queue_pop(&queue);
    ivf_queue_clear(&queue);
    ck_assert(!is_open(fds[0]) && !is_open(fds[1]));
    expect_nothing();
    ivf_queue_clear(&queue);
    expect_nothing();
}
END_TEST

/* Pushed faster than popped, so that what is done is taken out of the front now and then. */
START_TEST(a_long_queue_keeps_its_order)
{
    int32_t in = 0;
    int32_t out = 0;

    queue = (struct ivf_queue){0};
    while (in < 3000) {
        ivf_queue_push(&queue, in++, -1);
        ivf_queue_push(&queue, in++, -1);
        expect(out++, -1);
    }
    while (out < in) {
        expect(out++, -1);
        ck_assert_msg(out == in || queue.entries->len <= 2u * (uint32_t)(in - out) + 256, "%u entries for %d messages",
                      queue.entries->len, in - out);
    }
    expect_nothing();
}
END_TEST

START_TEST(an_announcement_without_descriptors_is_none)
{
    fill_fds(2);
    ck_assert_ptr_null(ivf_announcement_new(1, 3));
    fill_fds_undo();
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server-queue");
    TCase *tcase = suite_case(suite, "queue");

    tcase_add_test(tcase, first_in_first_out);
    tcase_add_test(tcase, an_announcement_is_a_message_for_each_vector);
    tcase_add_test(tcase, without_vectors_there_is_nothing_to_say);
    tcase_add_test(tcase, eventfds_stay_open_as_long_as_they_wait);
    tcase_add_test(tcase, clearing_lets_go_of_all);
    tcase_add_test(tcase, a_long_queue_keeps_its_order);
    tcase_add_test(tcase, an_announcement_without_descriptors_is_none);
    return suite_run(suite);
}
