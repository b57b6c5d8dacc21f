/* SPDX-License-Identifier: BSD-3-Clause */
#include "record.h"

#include "support.h"

#include <inttypes.h>
#include <libivflat/ivflat-trace.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SAID_SEPARATOR "; "

static void say(struct record *record, const char *format, ...) __attribute__((format(printf, 2, 3)));

static void say(struct record *record, const char *format, ...)
{
    va_list args;

    if (record->said->len) {
        g_string_append(record->said, SAID_SEPARATOR);
    }
    va_start(args, format);
    g_string_append_vprintf(record->said, format, args);
    va_end(args);
}

static void go_inside(struct record *record, const char *hook)
{
    if (record->inside && (!record->inside_hook || strcmp(record->inside_hook, hook) == 0)) {
        record->inside(record, hook);
    }
}

/* The hooks ------------------------------------------------------------------------------------------------------ */

static void interrupt(void *user, uint32_t vector, uint64_t count)
{
    say(user, "interrupt %" PRIu32 " %" PRIu64, vector, count);
    go_inside(user, "interrupt");
}

static void line(void *user, uint32_t level)
{
    say(user, "line %" PRIu32, level);
    go_inside(user, "line");
}

static int32_t memory_attached(void *user, int32_t fd, uint64_t size)
{
    struct record *record = user;

    ck_assert_msg(is_open(fd), "memory_attached() was lent a closed descriptor");
    say(record, "memory %" PRIu64, size);
    go_inside(record, "memory_attached");
    return record->refuse_memory;
}

static const char *down_word(int32_t error)
{
    static const char *const words[] = {"asked",  "invalid", "busy",    "system",  "protocol",
                                        "closed", "memory",  "refused", "timeout", "nomem"};

    ck_assert_int_le(error, 0);
    ck_assert_int_ge(error, IVFLAT_ERR_NOMEM);
    return words[-error];
}

static void link_changed(void *user, uint32_t link, int32_t error)
{
    struct record *record = user;

    if (link == IVFLAT_LINK_DOWN) {
        g_strlcpy(record->reason, error ? ivflat_last_error() : "", sizeof(record->reason));
        say(record, "down %s", down_word(error));
    } else {
        ck_assert_int_eq(error, 0);
        say(record, link == IVFLAT_LINK_READY ? "ready" : "greeting");
    }
    go_inside(record, "link_changed");
}

static void peer_changed(void *user, uint32_t id, uint32_t vectors)
{
    say(user, "peer %" PRIu32 " %" PRIu32, id, vectors);
    go_inside(user, "peer_changed");
}

static void hold(struct record *record, bool doorbell, uint32_t number, int32_t fd)
{
    struct held held = {.doorbell = doorbell, .number = number, .fd = fd};

    g_array_append_val(record->held, held);
}

/* What is removed was taken, once, is the same descriptor, and is still open. */
static void release(struct record *record, bool doorbell, uint32_t number, int32_t fd)
{
    ck_assert_msg(is_open(fd), "a removed descriptor was closed before the hook");
    for (guint i = 0; i < record->held->len; i++) {
        struct held *held = &g_array_index(record->held, struct held, i);

        if (held->doorbell == doorbell && held->number == number && held->fd == fd) {
            g_array_remove_index(record->held, i);
            return;
        }
    }
    ck_abort_msg("%s %u was removed, which was not taken", doorbell ? "doorbell" : "vector", number);
}

static int32_t vector_added(void *user, uint32_t vector, int32_t fd)
{
    struct record *record = user;
    int32_t answer = record->take_vectors;

    ck_assert_msg(is_open(fd), "vector_added() was lent a closed descriptor");
    if (record->bindings) {
        say(record, "vector %" PRIu32 " added", vector);
    }
    if (answer) {
        hold(record, false, vector, fd);
    }
    go_inside(record, "vector_added");
    return answer;
}

static void vector_removed(void *user, uint32_t vector, int32_t fd)
{
    struct record *record = user;

    release(record, false, vector, fd);
    if (record->bindings) {
        say(record, "vector %" PRIu32 " removed", vector);
    }
    go_inside(record, "vector_removed");
}

static int32_t doorbell_added(void *user, uint32_t value, int32_t fd)
{
    struct record *record = user;
    int32_t answer = record->bind_doorbells;

    ck_assert_msg(is_open(fd), "doorbell_added() was lent a closed descriptor");
    if (record->bindings) {
        say(record, "doorbell %" PRIu32 ":%" PRIu32 " added", value >> 16, value & 0xffff);
    }
    if (answer) {
        hold(record, true, value, fd);
    }
    go_inside(record, "doorbell_added");
    return answer;
}

static void doorbell_removed(void *user, uint32_t value, int32_t fd)
{
    struct record *record = user;

    release(record, true, value, fd);
    if (record->bindings) {
        say(record, "doorbell %" PRIu32 ":%" PRIu32 " removed", value >> 16, value & 0xffff);
    }
    go_inside(record, "doorbell_removed");
}

static void guest_error(void *user, const char *text)
{
    struct record *record = user;

    g_string_append_printf(record->guest, "%s\n", text);
    go_inside(record, "guest_error");
}

static void log_line(void *user, uint32_t level, const char *text)
{
    static const char *const levels[] = {"?", "error", "warning", "info", "debug"};
    struct record *record = user;

    ck_assert_uint_ge(level, IVFLAT_LOG_ERROR);
    ck_assert_uint_le(level, IVFLAT_LOG_DEBUG);
    ck_assert_msg(!strchr(text, '\n'), "a line for log() has a newline in it: %s", text);
    g_string_append_printf(record->logged, "%s: %s\n", levels[level], text);
    go_inside(record, "log");
}

static void trace(void *user, uint32_t event, uint64_t a, uint64_t b, uint64_t c)
{
    struct record *record = user;

    if (event != IVFLAT_TRACE_READ && event != IVFLAT_TRACE_WRITE && event != IVFLAT_TRACE_MESSAGE) {
        g_string_append_printf(record->traced, "%s %" PRId64 " %" PRId64 " %" PRId64 "\n", ivflat_trace_name(event),
                               (int64_t)a, (int64_t)b, (int64_t)c);
    }
    go_inside(record, "trace");
}

/* The recorder --------------------------------------------------------------------------------------------------- */

void record_init(struct record *record)
{
    *record = (struct record){0};
    record->said = g_string_new(NULL);
    record->logged = g_string_new(NULL);
    record->guest = g_string_new(NULL);
    record->traced = g_string_new(NULL);
    record->held = g_array_new(FALSE, FALSE, sizeof(struct held));
}

void record_free(struct record *record)
{
    ck_assert_msg(record->held->len == 0, "%u vectors or doorbells were taken and never removed", record->held->len);
    g_string_free(record->said, TRUE);
    g_string_free(record->logged, TRUE);
    g_string_free(record->guest, TRUE);
    g_string_free(record->traced, TRUE);
    g_array_free(record->held, TRUE);
}

ivflat_hooks record_hooks(struct record *record)
{
    return (ivflat_hooks){
        .struct_size = sizeof(ivflat_hooks),
        .user = record,
        .interrupt = interrupt,
        .line = line,
        .memory_attached = memory_attached,
        .link_changed = link_changed,
        .peer_changed = peer_changed,
        .vector_added = vector_added,
        .vector_removed = vector_removed,
        .doorbell_added = doorbell_added,
        .doorbell_removed = doorbell_removed,
        .guest_error = guest_error,
        .log = log_line,
        .trace = trace,
    };
}

void record_expect_at(struct record *record, const char *expected, const char *file, int line)
{
    ck_assert_msg(strcmp(record->said->str, expected) == 0,
                  "%s:%d: the hooks were to say\n  \"%s\"\nand said\n  \"%s\"\nlast error: %s", file, line, expected,
                  record->said->str, ivflat_last_error());
    g_string_truncate(record->said, 0);
}

bool record_take(struct record *record, const char *expected)
{
    size_t length = strlen(expected);
    const char *said = record->said->str;

    if (strncmp(said, expected, length) != 0) {
        return false;
    }
    if (said[length] == '\0') {
        g_string_truncate(record->said, 0);
        return true;
    }
    if (strncmp(said + length, SAID_SEPARATOR, strlen(SAID_SEPARATOR)) != 0) {
        return false;
    }
    g_string_erase(record->said, 0, (gssize)(length + strlen(SAID_SEPARATOR)));
    return true;
}

void record_expect_text_at(GString *where, const char *expected, const char *file, int line)
{
    ck_assert_msg(strstr(where->str, expected), "%s:%d: expected\n  %s\nin\n%s", file, line, expected, where->str);
}
