/* SPDX-License-Identifier: BSD-3-Clause */
#include "script.h"

#include <string.h>
#include <unistd.h>

static struct {
    struct story story;
    ivflat_config config;
    const struct script *script;
    const struct replay *replay;
    guint line;
    bool begun;        /* the device is there */
    bool is_cut;       /* the server is gone before its time: nothing more is played */
    int32_t bytes;     /* that the server sent, over all links */
    uint32_t in_link;  /* whole messages that it sent over this one */
    bool half;         /* and then a piece of one */
    int64_t ready_id;  /* as expected last; -1: never */
    GHashTable *peers; /* as expected: id -> vectors */
} play;

#define FAIL(...) fail_at(g_strdup_printf(__VA_ARGS__))

static void fail_at(char *text)
{
    static const char *const ways[] = {"way 1, adopted", "way 1, connected", "way 2"};
    const struct replay *replay = play.replay;

    ck_abort_msg("%s.txt:%u: %s (%s, pieces of %u, descriptor with piece %u%s, cut after %d)\n  last error: %s",
                 play.script->name, play.line, text, ways[replay->way], replay->chunk, replay->fd_piece,
                 replay->fd_spread ? "+" : "", replay->cut, ivflat_last_error());
}

static uint64_t number(const char *word)
{
    if (!word) {
        FAIL("a number is missing");
    }
    return g_ascii_strtoull(word, NULL, 0);
}

static uint32_t number32(const char *word)
{
    return (uint32_t)number(word);
}

static uint64_t number_or(const char *word, uint64_t otherwise)
{
    return word ? number(word) : otherwise;
}

static bool is(const char *word, const char *other)
{
    return g_strcmp0(word, other) == 0;
}

/* Nothing was said that is not expected. */
static void quiet(void)
{
    story_settle(&play.story);
    if (play.story.record.said->len) {
        FAIL("said, and not expected: %s", play.story.record.said->str);
    }
}

static void begin(void)
{
    if (!play.begun) {
        play.config.trusted_peers = !play.replay->untrusting;
        story_init(&play.story, &play.config);
        play.story.way = play.replay->way;
        play.story.chunk = play.replay->chunk;
        play.story.fd_piece = play.replay->fd_piece;
        play.story.fd_spread = play.replay->fd_spread;
        story_connect(&play.story);
        play.begun = true;
    }
}

/* What the server does ------------------------------------------------------------------------------------------- */

static void do_config(char **words)
{
    for (; *words; words++) {
        char **pair = g_strsplit(*words, "=", 2);

        if (is(pair[0], "vectors")) {
            play.config.max_vectors = number32(pair[1]);
        } else if (is(pair[0], "memory")) {
            play.config.memory_size = number(pair[1]);
        } else if (is(pair[0], "revision")) {
            play.config.revision0 = is(pair[1], "0");
        } else if (is(pair[0], "interrupts")) {
            play.config.no_interrupts = is(pair[1], "no");
        } else if (is(pair[0], "sealed")) {
            play.config.require_sealed = is(pair[1], "yes");
        } else {
            FAIL("no such configuration: %s", *words);
        }
        g_strfreev(pair);
    }
}

static void send_bytes(const char *message, uint32_t count)
{
    int32_t cut = play.replay->cut;

    if (cut >= 0 && play.bytes + (int32_t)count > cut) {
        count = (uint32_t)(cut - play.bytes);
        play.is_cut = true;
    }
    if (count) {
        story_send_part(&play.story, message, count);
        play.bytes += (int32_t)count;
        play.half = count < 8;
        play.in_link += count == 8;
    }
}

static void do_send(char **words)
{
    char *message = g_strjoinv(" ", words);

    send_bytes(message, 8);
    g_free(message);
}

static void do_part(char **words)
{
    char *message = g_strjoinv(" ", words + 1);

    send_bytes(message, number32(words[0]));
    g_free(message);
}

static void do_close(char **words)
{
    (void)words;
    story_close(&play.story);
}

static void do_connect(char **words)
{
    (void)words;
    play.in_link = 0;
    play.half = false;
    story_connect(&play.story);
}

static void do_store(char **words)
{
    uint8_t byte = (uint8_t)number(words[1]);

    ck_assert_int_eq(pwrite(play.story.memory, &byte, 1, (off_t)number(words[0])), 1);
}

/* What the hooks say --------------------------------------------------------------------------------------------- */

static void peer_is(uint32_t id, uint32_t vectors)
{
    if (vectors) {
        g_hash_table_insert(play.peers, GUINT_TO_POINTER(id), GUINT_TO_POINTER(vectors));
    } else {
        g_hash_table_remove(play.peers, GUINT_TO_POINTER(id));
    }
}

/* The script's words in the recorder's. */
static char *recorded(char **words)
{
    if (is(words[0], "ready")) {
        play.ready_id = (int64_t)number(words[1]);
        return g_strdup("ready");
    }
    if (is(words[0], "peer")) {
        peer_is(number32(words[1]), number32(words[3]));
        return g_strdup_printf("peer %s %s", words[1], words[3]);
    }
    if (is(words[0], "leave")) {
        peer_is(number32(words[1]), 0);
        return g_strdup_printf("peer %s 0", words[1]);
    }
    return g_strjoinv(" ", words);
}

static void do_expect(char **words)
{
    char *expected = recorded(words);

    story_settle(&play.story);
    if (!record_take(&play.story.record, expected)) {
        FAIL("expected \"%s\", and the hooks said \"%s\"", expected, play.story.record.said->str);
    }
    if (is(words[0], "ready") && ivflat_device_id(play.story.dev) != play.ready_id) {
        FAIL("ready with id %d", ivflat_device_id(play.story.dev));
    }
    g_free(expected);
}

static void do_names(char **words)
{
    char *text = g_strjoinv(" ", words);

    if (!strstr(play.story.record.reason, text)) {
        FAIL("\"%s\" is not in the sentence: %s", text, play.story.record.reason);
    }
    g_free(text);
}

static void do_check(char **words)
{
    static const char *const links[] = {"down", "greeting", "ready"};
    int64_t want, have;

    if (is(words[0], "link")) {
        if (!is(words[1], links[ivflat_device_link(play.story.dev)])) {
            FAIL("the link is %s", links[ivflat_device_link(play.story.dev)]);
        }
        return;
    }
    if (is(words[0], "id")) {
        want = is(words[1], "none") ? -1 : (int64_t)number(words[1]);
        have = ivflat_device_id(play.story.dev);
    } else if (is(words[0], "vectors")) {
        want = (int64_t)number(words[2]);
        have = ivflat_device_peer_vectors(play.story.dev, number32(words[1]));
    } else {
        want = have = 0;
        FAIL("nothing to check: %s", words[0]);
    }
    if (want != have) {
        FAIL("it is %" G_GINT64_FORMAT, have);
    }
}

/* What the guest and the peers do -------------------------------------------------------------------------------- */

static void do_read(char **words)
{
    uint32_t value =
        ivflat_device_read(play.story.dev, number(words[0]), (uint32_t)(words[1] ? number_or(words[2], 4) : 4));

    if (value != number32(words[1])) {
        FAIL("it reads 0x%x", value);
    }
}

static void do_write(char **words)
{
    ivflat_device_write(play.story.dev, number(words[0]), (uint32_t)(words[1] ? number_or(words[2], 4) : 4),
                        number(words[1]));
}

static void do_load(char **words)
{
    const uint8_t *memory = ivflat_device_memory(play.story.dev);

    if (!memory || memory[number(words[0])] != number(words[1])) {
        FAIL("the guest loads %d", memory ? memory[number(words[0])] : -1);
    }
}

static void do_reset(char **words)
{
    (void)words;
    ivflat_device_reset(play.story.dev);
}

static void do_ring(char **words)
{
    uint64_t count = words[1] ? number_or(words[2], 1) : 1;

    for (; count > 0; count--) {
        story_ring(&play.story, number32(words[0]), number32(words[1]));
    }
}

static void do_rung(char **words)
{
    uint64_t count = story_rung(&play.story, number32(words[0]), number32(words[1]));

    if (count != number(words[2])) {
        FAIL("it was rung %" G_GUINT64_FORMAT " times", count);
    }
}

static void do_be_rung(char **words)
{
    uint32_t id = (uint32_t)number_or(words[1] ? words[2] : NULL, (uint64_t)play.story.id);

    for (uint32_t i = 0; i < number32(words[1]); i++) {
        add_count(story_fd(&play.story, id, number32(words[0])), 1);
    }
}

static void do_break(char **words)
{
    story_drop_fd(&play.story, number32(words[0]), number32(words[1]));
}

static void do_fill(char **words)
{
    add_count(story_fd(&play.story, number32(words[0]), number32(words[1])), UINT64_MAX - 1);
}

/* Playing -------------------------------------------------------------------------------------------------------- */

static const struct {
    const char *word;
    void (*act)(char **words);
    bool by_server; /* it stops with a cut */
} acts[] = {
    {"send", do_send, true},       {"part", do_part, true},        {"close", do_close, true},
    {"connect", do_connect, true}, {"expect", do_expect, false},   {"names", do_names, false},
    {"check", do_check, false},    {"read", do_read, false},       {"write", do_write, false},
    {"load", do_load, false},      {"reset", do_reset, false},     {"ring", do_ring, false},
    {"rung", do_rung, false},      {"be-rung", do_be_rung, false}, {"break", do_break, false},
    {"fill", do_fill, false},      {"store", do_store, false},
};

static void play_line(char **words)
{
    if (is(words[0], "config")) {
        do_config(words + 1);
        return;
    }
    begin();
    if (!is(words[0], "expect") && !is(words[0], "names")) {
        quiet();
    }
    for (guint i = 0; i < G_N_ELEMENTS(acts); i++) {
        if (is(words[0], acts[i].word)) {
            acts[i].act(words + 1);
            return;
        }
    }
    FAIL("no such line: %s", words[0]);
}

/* A peer that the script knows of is there, and its eventfds work. */
static void ring_known(gpointer id, gpointer vectors, gpointer unused)
{
    (void)unused;
    if (ivflat_device_peer_vectors(play.story.dev, GPOINTER_TO_UINT(id)) != GPOINTER_TO_UINT(vectors)) {
        FAIL("peer %u has not its %u vectors any more", GPOINTER_TO_UINT(id), GPOINTER_TO_UINT(vectors));
    }
    for (uint32_t vector = 0; vector < GPOINTER_TO_UINT(vectors); vector++) {
        int fd = story_find_fd(&play.story, GPOINTER_TO_UINT(id), vector);

        if (fd >= 0 && is_eventfd(fd)) {
            take_count(fd);
            story_ring(&play.story, GPOINTER_TO_UINT(id), vector);
            if (take_count(fd) != 1) {
                FAIL("vector %u of peer %u is not rung any more", vector, GPOINTER_TO_UINT(id));
            }
        }
    }
}

/* P17: the three kinds of end. */
static const char *kind_of_end(void)
{
    return play.half ? "in the middle of message" : play.in_link < 3 ? "in the greeting" : "after message";
}

/* The server is gone: whatever had come so far, this is so. */
static void server_gone(void)
{
    int64_t position = play.config.no_interrupts ? 0 : play.ready_id;

    if (ivflat_device_link(play.story.dev) != IVFLAT_LINK_DOWN) {
        quiet();
        story_close(&play.story);
        if (!record_take(&play.story.record, "down closed") || play.story.record.said->len) {
            FAIL("the server closed, and the hooks said \"%s\"", play.story.record.said->str);
        }
        if (!strstr(play.story.record.reason, kind_of_end())) {
            FAIL("\"%s\" is not in the sentence: %s", kind_of_end(), play.story.record.reason);
        }
    }
    if (story_register(&play.story, IVFLAT_REG_IVPOSITION) != (uint32_t)position ||
        story_register(&play.story, IVFLAT_REG_DOORBELL) != 0) {
        FAIL("the registers do not answer any more");
    }
    g_hash_table_foreach(play.peers, ring_known, NULL);
}

int32_t script_play(const struct script *script, const struct replay *replay)
{
    uint32_t fds = count_fds();

    memset(&play, 0, sizeof(play));
    play.script = script;
    play.replay = replay;
    play.ready_id = -1;
    play.config.struct_size = sizeof(play.config);
    play.peers = g_hash_table_new(NULL, NULL);
    for (guint i = 0; i < script->lines->len && !play.is_cut; i++) {
        char **words = g_ptr_array_index(script->lines, i);

        play.line = i + 1;
        if (words) {
            play_line(words);
        }
    }
    if (!play.is_cut) {
        quiet();
    }
    server_gone();
    story_end(&play.story);
    g_hash_table_destroy(play.peers);
    if (count_fds() != fds) {
        FAIL("%u descriptors before, %u after", fds, count_fds());
    }
    return play.bytes;
}
