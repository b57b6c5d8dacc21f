/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-news.h"

#define EVENTFD_BYTES 512u /* what the kernel keeps for one: the file, its entry, the counter */

void ivf_news_init(struct ivf_news *news)
{
    g_queue_init(&news->items);
    news->serial = 0;
}

static void drop(struct ivf_news *news, struct ivf_item *item)
{
    g_queue_unlink(&news->items, &item->link);
    g_clear_pointer(&item->announcement, ivf_announcement_unref);
    g_free(item);
}

void ivf_news_clear(struct ivf_news *news)
{
    while (news->items.head) {
        drop(news, news->items.head->data);
    }
}

static struct ivf_item *append(struct ivf_news *news, enum ivf_item_kind kind, uint32_t id)
{
    struct ivf_item *item = g_new0(struct ivf_item, 1);

    item->kind = kind;
    item->id = id;
    item->serial = ++news->serial;
    item->link.data = item;
    g_queue_push_tail_link(&news->items, &item->link);
    return item;
}

struct ivf_item *ivf_news_put(struct ivf_news *news, enum ivf_item_kind kind, uint32_t id, uint64_t serial,
                              struct ivf_announcement *announcement)
{
    uint64_t last = news->serial;
    struct ivf_item *item = append(news, kind, id);

    item->serial = serial;
    item->announcement = announcement ? ivf_announcement_ref(announcement) : NULL;
    news->serial = last;
    return item;
}

struct ivf_item *ivf_news_join(struct ivf_news *news, struct ivf_announcement *announcement, enum ivf_item_kind kind)
{
    struct ivf_item *item = append(news, kind, announcement->id);

    item->announcement = ivf_announcement_ref(announcement);
    return item;
}

struct ivf_item *ivf_news_leave(struct ivf_news *news, struct ivf_item *left)
{
    struct ivf_item *item = append(news, IVF_ITEM_LEAVE, left->id);

    left->left = item->serial;
    ivf_news_tidy(news, left);
    return item;
}

void ivf_news_tidy(struct ivf_news *news, struct ivf_item *item)
{
    bool is_there = item->kind == IVF_ITEM_JOIN && item->left == 0;

    if (item->wanted == 0 && !is_there) {
        drop(news, item);
    }
}

void ivf_news_tidy_all(struct ivf_news *news)
{
    GList *next;

    for (GList *link = news->items.head; link; link = next) {
        next = link->next;
        ivf_news_tidy(news, link->data);
    }
}

uint32_t ivf_item_messages(const struct ivf_item *item)
{
    return item->announcement ? item->announcement->count : 1;
}

static uint64_t bytes_of(const struct ivf_item *item)
{
    uint32_t fds = item->announcement ? item->announcement->count : 0;

    return sizeof(*item) + (uint64_t)fds * (sizeof(int) + EVENTFD_BYTES);
}

/* Whether it is, or was, to be told @item.  The answer never changes. */
static bool wants(const struct ivf_reader *reader, const struct ivf_item *item)
{
    switch (item->kind) {
    case IVF_ITEM_LEAVE: /* of before: it never heard of that one */
        return item->serial > reader->birth;
    case IVF_ITEM_OWN:
        return item->serial == reader->birth && item->announcement->count > 0;
    default: /* who had left before it came, and itself as the others know it */
        return (item->left == 0 || item->left > reader->birth) && item->announcement->count > 0 &&
               (item->announcement != reader->own || item->serial == reader->birth);
    }
}

/* The first one from @link on that it is to be told. */
static struct ivf_item *first_wanted(const struct ivf_reader *reader, GList *link)
{
    while (link && !wants(reader, link->data)) {
        link = link->next;
    }
    return link ? link->data : NULL;
}

static struct ivf_item *after(const struct ivf_reader *reader, struct ivf_item *item)
{
    return first_wanted(reader, item->link.next);
}

void ivf_reader_begin(struct ivf_reader *reader, struct ivf_news *news, struct ivf_announcement *own)
{
    *reader = (struct ivf_reader){.birth = news->serial, .own = own};
    reader->item = first_wanted(reader, news->items.head);
    for (struct ivf_item *item = reader->item; item; item = after(reader, item)) {
        item->wanted++;
        reader->messages += ivf_item_messages(item);
    }
    reader->greeting = reader->messages;
}

void ivf_reader_resume(struct ivf_reader *reader)
{
    reader->messages = reader->bytes = 0;
    for (struct ivf_item *item = reader->item; item; item = after(reader, item)) {
        item->wanted++;
        reader->messages += ivf_item_messages(item);
        reader->bytes += item->serial > reader->birth ? bytes_of(item) : 0;
    }
    reader->messages -= reader->told;
}

void ivf_reader_add(struct ivf_reader *reader, struct ivf_item *item)
{
    if (!wants(reader, item)) {
        return;
    }
    item->wanted++;
    reader->messages += ivf_item_messages(item);
    reader->bytes += bytes_of(item);
    if (!reader->item) {
        reader->item = item;
        reader->told = 0;
    }
}

uint32_t ivf_reader_look(const struct ivf_reader *reader, struct ivf_message *messages, uint32_t most)
{
    struct ivf_item *item = reader->item;
    uint32_t told = reader->told;
    uint32_t count = 0;

    while (item && count < most) {
        if (told == ivf_item_messages(item)) {
            item = after(reader, item);
            told = 0;
            continue;
        }
        messages[count].number = (int32_t)item->id;
        messages[count++].fd = item->announcement ? item->announcement->fds[told] : -1;
        told++;
    }
    return count;
}

/* The item in hand is told, or let go. */
static void go_on(struct ivf_reader *reader, struct ivf_news *news)
{
    struct ivf_item *item = reader->item;

    reader->item = after(reader, item);
    reader->told = 0;
    reader->bytes -= item->serial > reader->birth ? bytes_of(item) : 0;
    item->wanted--;
    ivf_news_tidy(news, item);
}

void ivf_reader_sent(struct ivf_reader *reader, struct ivf_news *news, uint32_t count)
{
    reader->messages -= count;
    reader->greeting -= MIN(reader->greeting, count);
    for (; count > 0; count--) {
        if (++reader->told == ivf_item_messages(reader->item)) {
            go_on(reader, news);
        }
    }
}

void ivf_reader_end(struct ivf_reader *reader, struct ivf_news *news)
{
    while (reader->item) {
        go_on(reader, news);
    }
    reader->messages = reader->greeting = 0;
}
