/* SPDX-License-Identifier: BSD-3-Clause */
#include "client-output.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static gboolean json;

void output_begin(gboolean in_json)
{
    json = in_json;
    setvbuf(stdout, NULL, _IOLBF, 0); /* who reads us through a pipe waits for each line */
}

gboolean output_end(void)
{
    errno = 0;
    if (fflush(stdout) == 0 && !ferror(stdout)) {
        return TRUE;
    }
    fprintf(stderr, "ivflat-client: not all could be written to standard output%s%s\n", errno ? ": " : "",
            errno ? strerror(errno) : "");
    return FALSE;
}

static const char *plural(uint64_t count)
{
    return count == 1 ? "" : "s";
}

/* Any bytes, as what stands between quotes.  JSON has no bytes: each above 126 is written as the character of that
 * number, so that nothing is lost and the line is JSON whatever the memory holds. */
static char *escape(const uint8_t *bytes, uint64_t length)
{
    GString *text = g_string_sized_new((gsize)length + 1);

    for (uint64_t i = 0; i < length; i++) {
        if (bytes[i] == '"' || bytes[i] == '\\') {
            g_string_append_printf(text, "\\%c", bytes[i]);
        } else if (bytes[i] < 32 || bytes[i] > 126) {
            g_string_append_printf(text, json ? "\\u%04x" : "\\x%02x", bytes[i]);
        } else {
            g_string_append_c(text, (char)bytes[i]);
        }
    }
    return g_string_free(text, FALSE);
}

/* A sentence of ours, as JSON: valid UTF-8 as it is, what is not is replaced. */
static char *escape_text(const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    GString *escaped = g_string_new(NULL);

    for (const char *at = valid; *at; at++) {
        if (*at == '"' || *at == '\\') {
            g_string_append_printf(escaped, "\\%c", *at);
        } else if ((unsigned char)*at < 32) {
            g_string_append_printf(escaped, "\\u%04x", (unsigned char)*at);
        } else {
            g_string_append_c(escaped, *at);
        }
    }
    g_free(valid);
    return g_string_free(escaped, FALSE);
}

static void print_json_text(const char *event, const char *text)
{
    char *escaped = escape_text(text);

    printf("{\"event\":\"%s\",\"text\":\"%s\"}\n", event, escaped);
    g_free(escaped);
}

void say_joined(int32_t id, uint64_t memory)
{
    printf(json ? "{\"event\":\"joined\",\"id\":%" PRId32 ",\"memory\":%" PRIu64 "}\n"
                : "joined as %" PRId32 ", %" PRIu64 " bytes of memory\n",
           id, memory);
}

void say_peer(uint32_t id, uint32_t vectors, gboolean ours)
{
    if (json) {
        printf("{\"event\":\"peer\",\"id\":%u,\"vectors\":%u,\"ours\":%s}\n", id, vectors, ours ? "true" : "false");
    } else {
        printf("peer %u has %u vector%s%s\n", id, vectors, plural(vectors), ours ? ", it is us" : "");
    }
}

void say_left(uint32_t id)
{
    printf(json ? "{\"event\":\"left\",\"id\":%u}\n" : "peer %u left\n", id);
}

void say_interrupt(uint32_t vector, uint64_t count)
{
    if (json) {
        printf("{\"event\":\"interrupt\",\"vector\":%u,\"count\":%" PRIu64 "}\n", vector, count);
    } else {
        printf("interrupt on vector %u, %" PRIu64 " time%s\n", vector, count, plural(count));
    }
}

void say_rang(uint32_t peer, uint32_t vector)
{
    printf(json ? "{\"event\":\"rang\",\"peer\":%u,\"vector\":%u}\n" : "rang peer %u, vector %u\n", peer, vector);
}

static char *hex_of(const uint8_t *bytes, uint64_t length)
{
    GString *hex = g_string_new(NULL);

    for (uint64_t i = 0; i < length; i++) {
        g_string_append_printf(hex, "%02x", bytes[i]);
    }
    return g_string_free(hex, FALSE);
}

void say_read(uint64_t offset, const uint8_t *bytes, uint64_t length)
{
    char *text = escape(bytes, length);
    char *hex = hex_of(bytes, length);

    if (json) {
        printf("{\"event\":\"read\",\"offset\":%" PRIu64 ",\"length\":%" PRIu64 ",\"text\":\"%s\",\"hex\":\"%s\"}\n",
               offset, length, text, hex);
    } else {
        printf("read %" PRIu64 ": \"%s\"\n", offset, text);
    }
    g_free(hex);
    g_free(text);
}

void say_wrote(uint64_t offset, uint64_t length)
{
    if (json) {
        printf("{\"event\":\"wrote\",\"offset\":%" PRIu64 ",\"length\":%" PRIu64 "}\n", offset, length);
    } else {
        printf("wrote %" PRIu64 " byte%s at %" PRIu64 "\n", length, plural(length), offset);
    }
}

void say_help(const char *text)
{
    if (json) {
        print_json_text("help", text);
    } else {
        fputs(text, stdout);
    }
}

void say_error(const char *format, ...)
{
    va_list args;
    char *text;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    if (json) {
        print_json_text("error", text);
    } else {
        fprintf(stderr, "ivflat-client: %s\n", text);
    }
    g_free(text);
}
