/* SPDX-License-Identifier: BSD-3-Clause */
#include "demo.h"

#include "line.h"

enum { MAIL = 1, REPORT = 2 };

struct message {
    uint16_t kind, from, to, number;
    uint8_t text[IVFLAT_RING_MAX - 8];
};

/* Message 0 is for people; the others' lengths and bytes follow from what they are. */
static uint32_t text_of(uint8_t *text, uint32_t from, uint32_t to, uint32_t number)
{
    struct line greeting = {0};
    uint32_t length = number * 5 % (IVFLAT_RING_MAX - 8 + 1);

    line_add(&greeting, "hello, this is peer ", from);
    if (number == 0)
        length = greeting.length;
    for (uint32_t i = 0; i < length; i++)
        text[i] = number == 0 ? (uint8_t)greeting.text[i] : (uint8_t)(from * 31 + to * 17 + number * 7 + i * 13);
    return length;
}

/* "peer 0: TEXT NUMBER", and what follows */
static struct line begin_line(const struct demo *demo)
{
    struct line line = {0};

    line_add(&line, "peer ", demo->id);
    return line;
}

static void say_got(const struct demo *demo, uint32_t from, const struct demo_channel *channel)
{
    struct line line = begin_line(demo);

    line_add(&line, ": got ", channel->received);
    line_add(&line, " of ", DEMO_MESSAGES);
    line_add(&line, " from peer ", from);
    line_add(&line, ", bad ", channel->bad);
    demo->say(line.text);
}

static void say_total(const struct demo *demo)
{
    struct demo_total total = demo_total(demo);
    struct line line = begin_line(demo);

    line_add(&line, ": sent ", total.sent);
    line_add(&line, ", received ", total.received);
    line_add(&line, ", bad ", total.bad);
    line_add(&line, ", interrupts ", demo->interrupts);
    demo->say(line.text);
}

static void say_greeting(const struct demo *demo, uint32_t from, const struct message *message, uint32_t length)
{
    struct line line = begin_line(demo);

    line_add(&line, ": got the first from peer ", from);
    line_add_text(&line, ": ", 2);
    line_add_text(&line, (const char *)message->text, length - 8);
    demo->say(line.text);
}

static int32_t is_right(const struct demo *demo, uint32_t from, uint32_t number, const struct message *message,
                        uint32_t length)
{
    struct message want = {MAIL, (uint16_t)from, (uint16_t)demo->id, (uint16_t)number, {0}};
    uint32_t want_length = 8 + text_of(want.text, from, demo->id, number);

    for (uint32_t i = 0; i < want_length; i++)
        if (length != want_length || ((const uint8_t *)message)[i] != ((const uint8_t *)&want)[i])
            return 0;
    return 1;
}

static void got_mail(struct demo *demo, uint32_t from, const struct message *message, uint32_t length)
{
    struct demo_channel *channel = &demo->with[from];
    int32_t right = is_right(demo, from, channel->received, message, length);

    channel->bad += !right;
    if (right && channel->received == 0)
        say_greeting(demo, from, message, length);
    channel->received++;
    if (channel->received % (DEMO_MESSAGES / 2) == 0)
        say_got(demo, from, channel);
}

static void got_report(struct demo_channel *channel, const struct message *message)
{
    channel->report_received = 1;
    channel->report_bad = message->number;
}

static void got(struct demo *demo, uint32_t from, const struct message *message, uint32_t length)
{
    struct demo_channel *channel = &demo->with[from];

    if (channel->received < DEMO_MESSAGES)
        got_mail(demo, from, message, length);
    else if (length == 8 && message->kind == REPORT && !channel->report_received)
        got_report(channel, message);
    else
        channel->bad++;
}

static void say_broken(struct demo *demo, uint32_t peer)
{
    struct line line = begin_line(demo);

    line_add(&line, ": I stop, for the memory I share with peer ", peer);
    line_add_text(&line, " has an index that cannot be", sizeof line.text);
    demo->say(line.text);
}

/* Takes note of it, and says it once. */
static int32_t is_broken(struct demo *demo, uint32_t peer, int32_t result)
{
    if (result != IVFLAT_RING_IMPOSSIBLE)
        return 0;
    if (!demo->broken)
        say_broken(demo, peer);
    demo->broken = 1;
    return 1;
}

/* 1: there was something. */
static int32_t receive(struct demo *demo, uint32_t from)
{
    struct message message = {0};
    uint32_t length = 0, some;
    int32_t result;

    for (some = 0; some < DEMO_SLOTS; some++) {
        result = ivflat_ring_get(&demo->with[from].in, &message, &length);
        if (result == IVFLAT_RING_WAIT || is_broken(demo, from, result))
            break;
        got(demo, from, &message, result == IVFLAT_RING_DONE ? length : 0);
    }
    return some > 0;
}

static int32_t send_mail(struct demo *demo, uint32_t to)
{
    struct demo_channel *channel = &demo->with[to];
    struct message message = {MAIL, (uint16_t)demo->id, (uint16_t)to, (uint16_t)channel->sent, {0}};
    uint32_t length = 8 + text_of(message.text, demo->id, to, channel->sent);
    int32_t result;

    if (demo->spoil && channel->sent == DEMO_MESSAGES / 3)
        message.kind = 0;
    result = ivflat_ring_put(&channel->out, &message, length);
    channel->sent += result == IVFLAT_RING_DONE;
    return !is_broken(demo, to, result) && result == IVFLAT_RING_DONE;
}

/* We say it before we report it: who has all reports may end us. */
static int32_t all_exchanged(struct demo *demo)
{
    struct demo_total total = demo_total(demo);

    if (total.sent + total.received < 2 * DEMO_MESSAGES * (DEMO_PEERS - 1))
        return 0;
    if (!demo->said_total)
        say_total(demo);
    demo->said_total = 1;
    return 1;
}

static int32_t send_report(struct demo *demo, uint32_t to)
{
    struct message message = {REPORT, (uint16_t)demo->id, (uint16_t)to, (uint16_t)demo_total(demo).bad, {0}};
    struct demo_channel *channel = &demo->with[to];
    int32_t result;

    if (!all_exchanged(demo) || channel->report_sent)
        return 0;
    result = ivflat_ring_put(&channel->out, &message, 8);
    channel->report_sent = result == IVFLAT_RING_DONE;
    return !is_broken(demo, to, result) && result == IVFLAT_RING_DONE;
}

/* 1: something was sent. */
static int32_t transmit(struct demo *demo, uint32_t to)
{
    uint32_t some;

    for (some = 0; some < DEMO_SLOTS; some++)
        if (demo->with[to].sent < DEMO_MESSAGES ? !send_mail(demo, to) : !send_report(demo, to))
            break;
    return some > 0;
}

/* What lies between A and B. */
static void *place(void *memory, uint32_t from, uint32_t to)
{
    return (uint8_t *)memory + (from * DEMO_PEERS + to) * IVFLAT_RING_BYTES(DEMO_SLOTS);
}

int32_t demo_open(struct demo *demo, void *memory)
{
    if (demo->id >= DEMO_PEERS)
        return -1;
    for (uint32_t peer = 0; peer < DEMO_PEERS; peer++) {
        ivflat_ring_open_writer(&demo->with[peer].out, place(memory, demo->id, peer), DEMO_SLOTS);
        ivflat_ring_open_reader(&demo->with[peer].in, place(memory, peer, demo->id), DEMO_SLOTS);
    }
    return 0;
}

void demo_step(struct demo *demo)
{
    for (uint32_t peer = 0; peer < DEMO_PEERS && !demo->broken; peer++) {
        if (peer == demo->id)
            continue;
        if (receive(demo, peer))
            demo->doorbell(peer, DEMO_VECTOR_ROOM);
        if (transmit(demo, peer))
            demo->doorbell(peer, DEMO_VECTOR_MAIL);
    }
}

void demo_remind(struct demo *demo)
{
    for (uint32_t peer = 0; peer < DEMO_PEERS; peer++)
        if (peer != demo->id && ivflat_ring_unread(&demo->with[peer].out) != 0)
            demo->doorbell(peer, DEMO_VECTOR_MAIL);
}

int32_t demo_done(const struct demo *demo)
{
    uint32_t open = 0;

    for (uint32_t peer = 0; peer < DEMO_PEERS; peer++) {
        const struct demo_channel *channel = &demo->with[peer];

        if (peer != demo->id)
            open += !channel->report_sent || !channel->report_received || ivflat_ring_unread(&channel->out) != 0;
    }
    return open == 0;
}

struct demo_total demo_total(const struct demo *demo)
{
    struct demo_total total = {0, 0, 0, 0};

    for (uint32_t peer = 0; peer < DEMO_PEERS; peer++) {
        total.sent += demo->with[peer].sent;
        total.received += demo->with[peer].received;
        total.bad += demo->with[peer].bad;
        total.report_bad += demo->with[peer].report_bad;
    }
    return total;
}
