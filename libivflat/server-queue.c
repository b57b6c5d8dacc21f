/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-queue.h"

/* Entries that are done are taken out of the array when there are so many, and as many as still wait. */
#define MANY 256u

struct entry {
    struct ivf_announcement *announcement; /* NULL: one message, of number and fd */
    int32_t number;                        /* or the vector that is next */
    int32_t fd;
};

static struct entry *entry_at(const struct ivf_queue *queue, uint32_t index)
{
    return &g_array_index(queue->entries, struct entry, index);
}

static void forget_all(struct ivf_queue *queue)
{
    g_clear_pointer(&queue->entries, g_array_unref);
    queue->first = 0;
    queue->messages = 0;
}

void ivf_queue_clear(struct ivf_queue *queue)
{
    for (uint32_t i = queue->first; queue->entries && i < queue->entries->len; i++) {
        g_clear_pointer(&entry_at(queue, i)->announcement, ivf_announcement_unref);
    }
    forget_all(queue);
}

static void push(struct ivf_queue *queue, struct entry entry, uint32_t messages)
{
    if (!queue->entries) {
        queue->entries = g_array_new(FALSE, FALSE, sizeof(struct entry));
    }
    g_array_append_val(queue->entries, entry);
    queue->messages += messages;
}

void ivf_queue_push(struct ivf_queue *queue, int32_t number, int fd)
{
    push(queue, (struct entry){.number = number, .fd = fd}, 1);
}

void ivf_queue_push_vectors(struct ivf_queue *queue, struct ivf_announcement *announcement)
{
    if (announcement->count > 0) {
        push(queue, (struct entry){.announcement = ivf_announcement_ref(announcement)}, announcement->count);
    }
}

bool ivf_queue_front(const struct ivf_queue *queue, struct ivf_message *message)
{
    const struct entry *entry;

    if (queue->messages == 0) {
        return false;
    }
    entry = entry_at(queue, queue->first);
    message->number = entry->announcement ? (int32_t)entry->announcement->id : entry->number;
    message->fd = entry->announcement ? entry->announcement->fds[entry->number] : entry->fd;
    return true;
}

/* The first entry is done. */
static void drop_first(struct ivf_queue *queue)
{
    g_clear_pointer(&entry_at(queue, queue->first)->announcement, ivf_announcement_unref);
    queue->first++;
    if (queue->first == queue->entries->len) {
        forget_all(queue);
    } else if (queue->first >= MANY && queue->first >= queue->entries->len / 2) {
        g_array_remove_range(queue->entries, 0, queue->first);
        queue->first = 0;
    }
}

void ivf_queue_pop(struct ivf_queue *queue)
{
    struct entry *entry = entry_at(queue, queue->first);

    queue->messages--;
    if (!entry->announcement || (uint32_t)++entry->number == entry->announcement->count) {
        drop_first(queue);
    }
}
