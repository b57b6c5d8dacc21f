/* SPDX-License-Identifier: BSD-3-Clause */
/* What is told to whom: its order, what it costs, and how long the eventfds of those who left stay open for it. */
#include "support.h"

#include "server-news.h"

#include <stdio.h>

static struct ivf_news news;

struct person {
    struct ivf_announcement *announcement;
    struct ivf_item *item;
    struct ivf_reader reader;
};

static void publish(struct ivf_item *item, struct person *const *others)
{
    for (; *others; others++) {
        ivf_reader_add(&(*others)->reader, item);
    }
    ivf_news_tidy(&news, item);
}

/* @others: those that are there, and a NULL. */
#define OTHERS(...) ((struct person *const[]){__VA_ARGS__, NULL})

static void join(struct person *person, uint32_t id, uint32_t vectors, struct person *const *others)
{
    person->announcement = ivf_announcement_new(id, vectors);
    person->item = ivf_news_join(&news, person->announcement, IVF_ITEM_JOIN);
    ivf_reader_begin(&person->reader, &news, person->announcement);
    publish(person->item, others);
}

static void leave(struct person *person, struct person *const *others)
{
    ivf_reader_end(&person->reader, &news);
    publish(ivf_news_leave(&news, person->item), others);
    ivf_announcement_unref(person->announcement);
}

/* All that waits, told @share messages at a time: "3+ 3+ 5-". */
static void expect_at(const char *file, int line, struct person *person, uint32_t share, const char *expected)
{
    struct ivf_message messages[16];
    GString *text = g_string_new(NULL);
    uint64_t before = person->reader.messages;
    uint64_t seen = 0;
    uint32_t count;

    while ((count = ivf_reader_look(&person->reader, messages, share)) > 0) {
        for (uint32_t i = 0; i < count; i++) {
            g_string_append_printf(text, "%s%d%s", text->len ? " " : "", messages[i].number,
                                   messages[i].fd >= 0 ? "+" : "-");
            ck_assert(messages[i].fd < 0 || is_eventfd(messages[i].fd));
        }
        ivf_reader_sent(&person->reader, &news, count);
        seen += count;
    }
    ck_assert_uint_eq(seen, before);
    ck_assert_uint_eq(person->reader.messages, 0);
    ck_assert_uint_eq(person->reader.bytes, 0);
    ck_assert_uint_eq(person->reader.greeting, 0);
    ck_assert_msg(g_str_equal(text->str, expected), "%s:%d: %s, and not %s", file, line, text->str, expected);
    g_string_free(text, TRUE);
}
#define EXPECT(person, expected) expect_at(__FILE__, __LINE__, person, 16, expected)

static struct person a, b, c, d;

START_TEST(P6_others_in_their_order_then_its_own)
{
    ivf_news_init(&news);
    join(&a, 0, 2, OTHERS(NULL));
    join(&b, 1, 1, OTHERS(&a));
    join(&c, 2, 1, OTHERS(&a, &b));
    EXPECT(&c, "0+ 0+ 1+ 2+");
    EXPECT(&a, "0+ 0+ 1+ 2+");
    expect_at(__FILE__, __LINE__, &b, 1, "0+ 0+ 1+ 2+");
    EXPECT(&b, "");
    leave(&a, OTHERS(&b, &c));
    leave(&b, OTHERS(&c));
    EXPECT(&c, "0- 1-");
    leave(&c, OTHERS(NULL));
    ck_assert_uint_eq(news.items.length, 0);
}
END_TEST

START_TEST(P9_without_vectors_only_leaves_are_told)
{
    ivf_news_init(&news);
    join(&a, 0, 0, OTHERS(NULL));
    join(&b, 1, 0, OTHERS(&a));
    EXPECT(&a, "");
    EXPECT(&b, "");
    leave(&a, OTHERS(&b));
    EXPECT(&b, "0-");
    leave(&b, OTHERS(NULL));
    ck_assert_uint_eq(news.items.length, 0);
}
END_TEST

/* A newcomer hears nothing of who had left before; who was there already hears all of it, in order. */
START_TEST(a_newcomer_hears_of_those_that_are_there)
{
    ivf_news_init(&news);
    join(&a, 0, 1, OTHERS(NULL));
    join(&b, 1, 1, OTHERS(&a));
    leave(&b, OTHERS(&a));
    join(&c, 2, 1, OTHERS(&a));
    join(&d, 1, 1, OTHERS(&a, &c)); /* the same id again */
    leave(&d, OTHERS(&a, &c));
    EXPECT(&c, "0+ 2+ 1+ 1-");
    EXPECT(&a, "0+ 1+ 1- 2+ 1+ 1-");
    leave(&a, OTHERS(&c));
    leave(&c, OTHERS(NULL));
    ck_assert_uint_eq(news.items.length, 0);
}
END_TEST

/* Half told when it leaves: all of its coming before its going. */
START_TEST(nobody_leaves_before_it_has_come)
{
    ivf_news_init(&news);
    join(&a, 0, 1, OTHERS(NULL));
    join(&b, 1, 3, OTHERS(&a));
    ivf_reader_sent(&a.reader, &news, 2);
    leave(&b, OTHERS(&a));
    EXPECT(&a, "1+ 1+ 1-");
    leave(&a, OTHERS(NULL));
}
END_TEST

START_TEST(eventfds_stay_open_as_long_as_somebody_is_to_be_told)
{
    int fds[2];

    ivf_news_init(&news);
    join(&a, 0, 1, OTHERS(NULL));
    join(&c, 1, 1, OTHERS(&a));
    join(&b, 2, 2, OTHERS(&a, &c));
    fds[0] = b.announcement->fds[0];
    fds[1] = b.announcement->fds[1];
    leave(&b, OTHERS(&a, &c));
    EXPECT(&a, "0+ 1+ 2+ 2+ 2-");
    ck_assert(is_open(fds[0]) && is_open(fds[1]));
    ivf_reader_sent(&c.reader, &news, 3);
    ck_assert(is_open(fds[0]) && is_open(fds[1]));
    ivf_reader_sent(&c.reader, &news, 1);
    ck_assert(!is_open(fds[0]) && !is_open(fds[1]));
    EXPECT(&c, "2-");
    leave(&a, OTHERS(&c));
    leave(&c, OTHERS(NULL));
    ck_assert_uint_eq(news.items.length, 0);
}
END_TEST

START_TEST(who_leaves_lets_go_of_what_waited)
{
    int fd;

    ivf_news_init(&news);
    join(&a, 0, 1, OTHERS(NULL));
    join(&b, 1, 1, OTHERS(&a));
    fd = b.announcement->fds[0];
    leave(&b, OTHERS(&a));
    ck_assert(is_open(fd));
    leave(&a, OTHERS(NULL));
    ck_assert(!is_open(fd));
    ck_assert_uint_eq(news.items.length, 0);
}
END_TEST

/* A thousand that read nothing: the list has a thousand items, and no more for what waits for each of them. */
START_TEST(a_greeting_takes_no_memory)
{
    static struct person people[1000];
    static struct person *others[1001];

    ivf_news_init(&news);
    for (uint32_t i = 0; i < 1000; i++) {
        others[i] = NULL;
        join(&people[i], i, 0, others);
        others[i] = &people[i];
    }
    ck_assert_uint_eq(news.items.length, 1000);
    for (uint32_t i = 0; i < 1000; i++) {
        ivf_announcement_unref(people[i].announcement);
    }
    ivf_news_clear(&news);
}
END_TEST

/* The bounds count what came after it alone, and the memory that others keep for it. */
START_TEST(what_waits_is_counted)
{
    uint64_t one;

    ivf_news_init(&news);
    join(&a, 0, 2, OTHERS(NULL));
    join(&b, 1, 2, OTHERS(&a));
    ck_assert_uint_eq(b.reader.messages, 4);
    ck_assert_uint_eq(b.reader.greeting, 4);
    ck_assert_uint_eq(b.reader.bytes, 0);
    ck_assert_uint_eq(a.reader.messages, 4);
    ck_assert_uint_eq(a.reader.greeting, 2);
    one = a.reader.bytes;
    ck_assert_uint_ge(one, 2 * 512);
    leave(&b, OTHERS(&a));
    ck_assert_uint_eq(a.reader.messages, 5);
    ck_assert_uint_gt(a.reader.bytes, one);
    ck_assert_uint_lt(a.reader.bytes, one + 512); /* a leave has no eventfds */
    ivf_reader_sent(&a.reader, &news, 3);
    ck_assert_uint_eq(a.reader.messages, 2);
    ck_assert_uint_eq(a.reader.greeting, 0);
    EXPECT(&a, "1+ 1-");
    leave(&a, OTHERS(NULL));
}
END_TEST

/* One that is always there for the others, whoever sits there. */
START_TEST(who_is_handed_its_place_back_is_told_all_and_the_others_nothing)
{
    struct ivf_item *own;

    ivf_news_init(&news);
    join(&a, 0, 1, OTHERS(NULL));
    join(&b, 1, 1, OTHERS(&a));
    EXPECT(&b, "0+ 1+");
    ivf_reader_end(&a.reader, &news); /* gone; its place stays */
    own = ivf_news_join(&news, a.announcement, IVF_ITEM_OWN);
    ivf_reader_begin(&a.reader, &news, a.announcement);
    publish(own, OTHERS(&b));
    join(&c, 2, 1, OTHERS(&a, &b));
    EXPECT(&b, "2+");
    EXPECT(&a, "1+ 0+ 2+");
    EXPECT(&c, "0+ 1+ 2+");
    ck_assert_uint_eq(news.items.length, 3);
    leave(&a, OTHERS(&b, &c));
    leave(&b, OTHERS(&c));
    leave(&c, OTHERS(NULL));
    ck_assert_uint_eq(news.items.length, 0);
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
    Suite *suite = suite_create("server-news");
    TCase *tcase = suite_case(suite, "news");

    tcase_add_test(tcase, P6_others_in_their_order_then_its_own);
    tcase_add_test(tcase, P9_without_vectors_only_leaves_are_told);
    tcase_add_test(tcase, a_newcomer_hears_of_those_that_are_there);
    tcase_add_test(tcase, nobody_leaves_before_it_has_come);
    tcase_add_test(tcase, eventfds_stay_open_as_long_as_somebody_is_to_be_told);
    tcase_add_test(tcase, who_leaves_lets_go_of_what_waited);
    tcase_add_test(tcase, a_greeting_takes_no_memory);
    tcase_add_test(tcase, what_waits_is_counted);
    tcase_add_test(tcase, who_is_handed_its_place_back_is_told_all_and_the_others_nothing);
    tcase_add_test(tcase, an_announcement_without_descriptors_is_none);
    return suite_run(suite);
}
