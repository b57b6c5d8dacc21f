/* SPDX-License-Identifier: BSD-3-Clause */
/* What there is to tell: who came and who left, in order, each kept once for all clients.  A client is a reader, at a
 * place in it.  Who is there stays in it, so that a newcomer's greeting is the same list from its beginning on, without
 * those who had left before it came: a greeting takes no memory of its own, however long it is. */
#ifndef IVF_SERVER_NEWS_H
#define IVF_SERVER_NEWS_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#include "server-announcement.h"

enum ivf_item_kind {
    IVF_ITEM_JOIN,
    IVF_ITEM_LEAVE,
    IVF_ITEM_OWN /* a join that only the joining client hears of: the others know it already */
};

struct ivf_item {
    enum ivf_item_kind kind;
    uint32_t id;
    uint32_t wanted;                       /* by so many readers, who are still to be told */
    uint64_t serial;                       /* goes up; 0 is none */
    uint64_t left;                         /* a join: the serial of its leave; 0: it is there */
    struct ivf_announcement *announcement; /* a leave: NULL */
    GList link;
};

struct ivf_news {
    GQueue items;    /* the oldest first */
    uint64_t serial; /* the last one given */
};

struct ivf_message {
    int32_t number;
    int fd; /* -1: none */
};

/* Where a client is. */
struct ivf_reader {
    uint64_t birth;                     /* its own join's serial: what is newer counts for the bounds */
    const struct ivf_announcement *own; /* lent */
    struct ivf_item *item;              /* that is told next; NULL: nothing waits */
    uint32_t told;                      /* messages of it */
    uint64_t messages;                  /* that wait */
    uint64_t greeting;                  /* of these, those that were there when it came */
    uint64_t bytes;                     /* of memory that the others keep, ours and the kernel's */
};

void ivf_news_init(struct ivf_news *news);
void ivf_news_clear(struct ivf_news *news); /* whoever reads it */

/* A new item at the end, wanted by nobody yet.  @announcement is shared; a leave has none, and ends @left. */
struct ivf_item *ivf_news_join(struct ivf_news *news, struct ivf_announcement *announcement, enum ivf_item_kind kind);
struct ivf_item *ivf_news_leave(struct ivf_news *news, struct ivf_item *left);

/* The same as it was elsewhere: @announcement may be NULL, for a leave. */
struct ivf_item *ivf_news_put(struct ivf_news *news, enum ivf_item_kind kind, uint32_t id, uint64_t serial,
                              struct ivf_announcement *announcement);

/* Nobody wants it any more, and nobody will: it is gone. */
void ivf_news_tidy(struct ivf_news *news, struct ivf_item *item);
void ivf_news_tidy_all(struct ivf_news *news);

/* Messages of an item. */
uint32_t ivf_item_messages(const struct ivf_item *item);

/* A reader from @own's join or own item on, which is the last one: all that are there wait for it (P6). */
void ivf_reader_begin(struct ivf_reader *reader, struct ivf_news *news, struct ivf_announcement *own);

/* One whose place is known (birth, own, item, told, greeting) goes on from there. */
void ivf_reader_resume(struct ivf_reader *reader);

/* @item is new. */
void ivf_reader_add(struct ivf_reader *reader, struct ivf_item *item);

/* The next messages, at most @most, into @messages; answers how many. */
uint32_t ivf_reader_look(const struct ivf_reader *reader, struct ivf_message *messages, uint32_t most);

/* @count of these are sent. */
void ivf_reader_sent(struct ivf_reader *reader, struct ivf_news *news, uint32_t count);

/* It wants nothing any more. */
void ivf_reader_end(struct ivf_reader *reader, struct ivf_news *news);

#endif
