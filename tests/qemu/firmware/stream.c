/* SPDX-License-Identifier: BSD-3-Clause */
#include "stream.h"

struct message {
    uint32_t number, from, to, filler[11];
};
_Static_assert(sizeof(struct message) == IVFLAT_RING_MAX, "a message fills a slot");

/* Its length, from 12 bytes to 56, and all its bytes follow from its number and who sends it to whom. */
static uint32_t compose(struct message *message, uint32_t from, uint32_t to, uint32_t number)
{
    uint32_t word = number * 2654435761u ^ from << 16 ^ to;

    message->number = number;
    message->from = from;
    message->to = to;
    for (uint32_t i = 0; i < 11; i++) {
        word = word * 1664525u + 1013904223u;
        message->filler[i] = word;
    }
    return 12 + number % 45;
}

static uint32_t same(const void *one, const void *other, uint32_t length)
{
    for (uint32_t i = 0; i < length; i++)
        if (((const uint8_t *)one)[i] != ((const uint8_t *)other)[i])
            return 0;
    return 1;
}

static uint32_t send_one(struct stream *stream)
{
    struct message message;
    uint32_t length;
    int32_t result;

    if (stream->sent == stream->count)
        return 0;
    length = compose(&message, stream->id, stream->peer, stream->sent);
    result = ivflat_ring_put(&stream->out, &message, length);
    stream->sent += result == IVFLAT_RING_DONE;
    stream->broken |= result == IVFLAT_RING_IMPOSSIBLE;
    return result == IVFLAT_RING_DONE;
}

/* More than were to come are bad, too. */
static void judge(struct stream *stream, const struct message *got, uint32_t length)
{
    struct message want;
    uint32_t want_length = compose(&want, stream->peer, stream->id, stream->received);

    stream->received++;
    stream->bad += length != want_length || !same(got, &want, length) || stream->received > stream->count;
}

static uint32_t get_one(struct stream *stream)
{
    struct message message;
    uint32_t length = 0;
    int32_t result = ivflat_ring_get(&stream->in, &message, &length);

    stream->broken |= result == IVFLAT_RING_IMPOSSIBLE;
    if (result == IVFLAT_RING_WAIT || result == IVFLAT_RING_IMPOSSIBLE)
        return 0;
    judge(stream, &message, result == IVFLAT_RING_DONE ? length : 0);
    return 1;
}

void stream_open(struct stream *stream, void *memory)
{
    uint8_t *first = memory, *second = first + IVFLAT_RING_BYTES(STREAM_SLOTS);
    uint32_t lower = stream->id < stream->peer;

    ivflat_ring_open_writer(&stream->out, lower ? first : second, STREAM_SLOTS);
    ivflat_ring_open_reader(&stream->in, lower ? second : first, STREAM_SLOTS);
}

uint32_t stream_step(struct stream *stream)
{
    uint32_t some = 0;

    for (uint32_t i = 0; i < STREAM_SLOTS && get_one(stream); i++)
        some = 1;
    for (uint32_t i = 0; i < STREAM_SLOTS && send_one(stream); i++)
        some = 1;
    return some;
}

uint32_t stream_done(const struct stream *stream)
{
    uint32_t all = stream->sent == stream->count && stream->received >= stream->count;

    return stream->broken || (all && ivflat_ring_unread(&stream->out) == 0);
}
