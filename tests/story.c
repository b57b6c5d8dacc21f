/* SPDX-License-Identifier: BSD-3-Clause */
#include "story.h"

#include <string.h>
#include <unistd.h>

/* More rounds than anything here needs: a device that never comes to rest spins. */
#define ROUNDS_MAX 100000

static uint32_t link_number;

void story_init(struct story *story, const ivflat_config *config)
{
    ivflat_hooks hooks;

    *story = (struct story){.chunk = 8, .server = -1, .listener = -1, .memory = -1, .id = -1};
    record_init(&story->record);
    story->ends = g_array_new(FALSE, FALSE, sizeof(struct story_end));
    hooks = record_hooks(&story->record);
    ck_assert_msg(ivflat_device_new(&story->dev, config, &hooks) == 0, "%s", ivflat_last_error());
    at_test_end((void (*)(void *))story_end, story);
}

void story_begin(struct story *story, const ivflat_config *config)
{
    story_init(story, config);
    story_connect(story);
}

static void adopt(struct story *story)
{
    int ends[2];

    make_socketpair(ends);
    story->server = ends[0];
    ck_assert_msg(ivflat_device_adopt(story->dev, ends[1]) == 0, "%s", ivflat_last_error());
}

static void connect_to(struct story *story)
{
    const char *path = test_path("s");

    if (story->listener < 0) {
        story->listener = raw_listen(path, 4);
    }
    ck_assert_msg(ivflat_device_connect(story->dev, path) == 0, "%s", ivflat_last_error());
    story->server = raw_accept(story->listener);
}

static void close_if_open(int *fd)
{
    if (*fd >= 0) {
        close_fd(*fd);
    }
    *fd = -1;
}

/* Every link begins with it: it is the last thing said, and taken away. */
static void take_greeting(struct story *story)
{
    GString *said = story->record.said;

    ck_assert_msg(g_str_has_suffix(said->str, "greeting"), "no greeting has begun: %s", said->str);
    g_string_truncate(said, said->len - strlen("greeting"));
    if (g_str_has_suffix(said->str, "; ")) {
        g_string_truncate(said, said->len - strlen("; "));
    }
}

void story_connect(struct story *story)
{
    close_if_open(&story->server);
    story->messages = 0;
    story->id = -1;
    story->up = true;
    story->error = 0;
    link_number++;
    if (story->way == STORY_ADOPT) {
        adopt(story);
    } else if (story->way == STORY_CONNECT) {
        connect_to(story);
    } else {
        ck_assert_msg(ivflat_device_begin(story->dev) == 0, "%s", ivflat_last_error());
    }
    story_settle(story);
    take_greeting(story);
}

void story_end(struct story *story)
{
    if (!story->ends) {
        return;
    }
    ivflat_device_free(story->dev);
    story->dev = NULL;
    record_free(&story->record);
    close_if_open(&story->server);
    close_if_open(&story->listener);
    close_if_open(&story->memory);
    for (guint i = 0; i < story->ends->len; i++) {
        close_if_open(&g_array_index(story->ends, struct story_end, i).fd);
    }
    g_array_free(story->ends, TRUE);
    story->ends = NULL;
}

/* The ends ------------------------------------------------------------------------------------------------------- */

static uint32_t next_vector(struct story *story, int64_t id)
{
    uint32_t count = 0;

    for (guint i = 0; i < story->ends->len; i++) {
        struct story_end *end = &g_array_index(story->ends, struct story_end, i);

        count += end->id == id && end->link == link_number;
    }
    return count;
}

static void forget_ends(struct story *story, int64_t id)
{
    for (guint i = story->ends->len; i-- > 0;) {
        struct story_end *end = &g_array_index(story->ends, struct story_end, i);

        if (end->id == id && end->link == link_number) {
            close_if_open(&end->fd);
            g_array_remove_index(story->ends, i);
        }
    }
}

static void keep_ends(struct story *story, const struct raw_message *message)
{
    for (uint32_t i = 0; i < message->fd_count; i++) {
        struct story_end end = {.id = message->number, .link = link_number, .fd = message->ends[i]};

        if (message->number == -1) {
            close_if_open(&story->memory);
            story->memory = end.fd;
            continue;
        }
        end.vector = next_vector(story, end.id);
        g_array_append_val(story->ends, end);
    }
    if (message->fd_count == 0 && story->messages > 3 && message->number != story->id) {
        forget_ends(story, message->number);
    }
}

static struct story_end *find_end(struct story *story, uint32_t id, uint32_t vector)
{
    for (guint i = story->ends->len; i-- > 0;) {
        struct story_end *end = &g_array_index(story->ends, struct story_end, i);

        if (end->id == id && end->vector == vector) {
            return end;
        }
    }
    return NULL;
}

int story_find_fd(struct story *story, uint32_t id, uint32_t vector)
{
    struct story_end *end = find_end(story, id, vector);

    return end ? end->fd : -1;
}

int story_fd(struct story *story, uint32_t id, uint32_t vector)
{
    int fd = story_find_fd(story, id, vector);

    ck_assert_msg(fd >= 0, "the story has sent no vector %u of %u", vector, id);
    return fd;
}

void story_drop_fd(struct story *story, uint32_t id, uint32_t vector)
{
    close_fd(story_fd(story, id, vector));
    find_end(story, id, vector)->fd = -1;
}

/* Sending -------------------------------------------------------------------------------------------------------- */

static void pass_piece(struct story *story, const uint8_t *bytes, uint32_t count, const struct raw_message *message,
                       const int *fds, uint32_t fd_count)
{
    int copies[RAW_FDS_MAX];

    if (story->way != STORY_FEED) {
        raw_send(story->server, bytes, count, fds, fd_count);
        return;
    }
    for (uint32_t i = 0; i < fd_count; i++) {
        copies[i] = message->lost ? -1 : dup_fd(fds[i]);
    }
    story->error = ivflat_device_feed(story->dev, bytes, count, copies, fd_count);
}

/* In way 1 a descriptor is lost for real: the table is full while the device reads. */
static void lose(struct story *story)
{
    if (story->way != STORY_FEED) {
        fill_fds(0);
        story_settle(story);
        fill_fds_undo();
    }
}

static void send_pieces(struct story *story, const struct raw_message *message, uint32_t total)
{
    uint32_t last = (total - 1) / story->chunk;
    uint32_t sent = 0;

    for (uint32_t piece = 0; piece <= last; piece++) {
        uint32_t bytes = MIN(story->chunk, total - sent);
        uint32_t count = 0;
        uint32_t first = RAW_FDS_MAX;

        for (uint32_t i = 0; i < message->fd_count; i++) {
            if (piece == MIN(story->fd_piece + (story->fd_spread ? i : 0), last)) {
                first = MIN(first, i);
                count++;
            }
        }
        if (count && message->lost) {
            story_settle(story);
        }
        pass_piece(story, message->bytes + sent, bytes, message, count ? message->fds + first : NULL, count);
        if (count && message->lost) {
            lose(story);
        }
        sent += bytes;
        if (story->way == STORY_FEED && ivflat_device_link(story->dev) == IVFLAT_LINK_DOWN) {
            return;
        }
    }
}

void story_send_part(struct story *story, const char *text, uint32_t count)
{
    struct raw_message message = raw_parse(text, story->id);

    ck_assert_msg(story->up, "the story sends \"%s\" after the link is down", text);
    story->messages++;
    if (story->messages == 2) {
        story->id = message.number;
    }
    send_pieces(story, &message, count);
    raw_close(&message);
    keep_ends(story, &message);
}

void story_send_all(struct story *story, const char *const *messages)
{
    for (; *messages; messages++) {
        story_send_part(story, *messages, 8);
    }
}

void story_close(struct story *story)
{
    story->up = false;
    if (story->way == STORY_FEED) {
        ivflat_device_end(story->dev);
    } else {
        close_if_open(&story->server);
    }
    story_settle(story);
}

void story_settle(struct story *story)
{
    for (uint32_t round = 0; ivflat_device_wait(story->dev, 0) == 1; round++) {
        int32_t error = ivflat_device_dispatch(story->dev);

        story->error = error ? error : story->error;
        ck_assert_msg(round < ROUNDS_MAX, "the device has always something to dispatch");
    }
    if (ivflat_device_link(story->dev) == IVFLAT_LINK_DOWN) {
        story->up = false;
        ck_assert_msg(story->server < 0 || at_end_of_file(story->server), "down, with the socket left open (P19)");
    }
}

/* Guest and peers ------------------------------------------------------------------------------------------------ */

void story_ring(struct story *story, uint32_t id, uint32_t vector)
{
    ivflat_device_write(story->dev, IVFLAT_REG_DOORBELL, 4, id << 16 | vector);
}

uint64_t story_rung(struct story *story, uint32_t id, uint32_t vector)
{
    return take_count(story_fd(story, id, vector));
}

void story_be_rung(struct story *story, uint32_t vector, uint32_t count)
{
    for (; count > 0; count--) {
        add_count(story_fd(story, (uint32_t)story->id, vector), 1);
    }
}

uint32_t story_register(struct story *story, uint64_t offset)
{
    return ivflat_device_read(story->dev, offset, 4);
}
