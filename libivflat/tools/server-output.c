/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-output.h"

#include <inttypes.h>
#include <poll.h>
#include <stdarg.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

static const struct server_options *options;
static gboolean in_background;

void output_begin(const struct server_options *of)
{
    options = of;
}

void output_to_log(void)
{
    openlog("ivflat-server", LOG_PID | LOG_NDELAY, LOG_DAEMON); /* now: later there may be no descriptor */
    in_background = TRUE;
}

static gboolean has_room(int fd)
{
    struct pollfd one = {.fd = fd, .events = POLLOUT};

    return poll(&one, 1, 0) == 1;
}

/* Who does not read what we say holds up nobody: what there is no room for is lost, and the next line says how much. */
static void put_line(int fd, const char *line)
{
    static guint64 lost[STDERR_FILENO + 1];
    char *before;
    char *text;

    if (!has_room(fd)) {
        lost[fd]++;
        return;
    }
    before = !lost[fd] ? g_strdup("")
                       : g_strdup_printf(options->json ? "{\"event\":\"lost\",\"lines\":%" G_GUINT64_FORMAT "}\n"
                                                       : "ivflat-server: nobody read, and %" G_GUINT64_FORMAT
                                                         " lines were lost\n",
                                         lost[fd]);
    text = g_strconcat(before, line, "\n", NULL);
    lost[fd] = 0;
    if (write(fd, text, strlen(text)) < 0) {
        lost[fd] = 1;
    }
    g_free(text);
    g_free(before);
}

/* A line at info level: standard output, where somebody is to read it. */
G_GNUC_PRINTF(1, 2) static void say(const char *format, ...)
{
    va_list args;
    char *line;

    va_start(args, format);
    line = g_strdup_vprintf(format, args);
    va_end(args);
    if (in_background) {
        syslog(LOG_INFO, "%s", line);
    } else {
        put_line(STDOUT_FILENO, line);
    }
    g_free(line);
}

void output_host(gboolean good, const char *format, ...)
{
    va_list args;
    char *line;

    va_start(args, format);
    line = g_strdup_vprintf(format, args);
    va_end(args);
    put_line(good ? STDOUT_FILENO : STDERR_FILENO, line);
    g_free(line);
}

/* -1 where it is not known. */
static int64_t id_of(uint32_t id)
{
    return id == IVFLAT_NOBODY_KNOWN ? -1 : (int64_t)id;
}

/* Between quotes, as JSON has it. */
static char *quoted(const char *text)
{
    char *valid = g_utf8_make_valid(text, -1);
    GString *json = g_string_new("\"");

    for (const char *at = valid; *at; at++) {
        if (*at == '"' || *at == '\\') {
            g_string_append_printf(json, "\\%c", *at);
        } else if ((unsigned char)*at < 32) {
            g_string_append_printf(json, "\\u%04x", (unsigned)*at);
        } else {
            g_string_append_c(json, *at);
        }
    }
    g_free(valid);
    g_string_append_c(json, '"');
    return g_string_free(json, FALSE);
}

static void say_json(const char *event, const ivflat_server_client *client, uint32_t reason, const char *text)
{
    char *words = quoted(text);

    say("{\"event\":\"%s\",\"id\":%" PRId64 ",\"pid\":%d,\"uid\":%" PRId64 ",\"gid\":%" PRId64
        ",\"reason\":%u,\"text\":%s}",
        event, id_of(client->id), client->pid, id_of(client->uid), id_of(client->gid), reason, words);
    g_free(words);
}

static gboolean is_told(void)
{
    return options->verbose || options->json || in_background;
}

void output_ready(uint32_t room, gboolean restarted, uint32_t clients)
{
    char *path = quoted(options->socket);

    if (options->json) {
        say("{\"event\":\"%s\",\"socket\":%s,\"memory\":%" PRIu64 ",\"vectors\":%u,\"room\":%u,\"clients\":%u}",
            restarted ? "restarted" : "ready", path, options->size, options->vectors, room, clients);
    } else if (restarted) {
        say("ivflat-server: goes on, with %u client%s", clients, clients == 1 ? "" : "s");
    } else {
        say("ivflat-server: ready on %s (%" PRIu64 " bytes, %u vector%s, room for %u clients)", options->socket,
            options->size, options->vectors, options->vectors == 1 ? "" : "s", room);
    }
    g_free(path);
}

void output_joined(const ivflat_server_client *client)
{
    if (options->json) {
        say_json("joined", client, 0, "");
    } else if (is_told()) {
        say("client %u joined, process %d, user %" PRId64, client->id, client->pid, id_of(client->uid));
    }
}

void output_left(const ivflat_server_client *client, uint32_t reason, const char *text)
{
    if (options->json) {
        say_json("left", client, reason, text);
    } else if (is_told()) {
        say("client %u left: %s", client->id, text);
    }
}

/* For people there is a line of the log. */
void output_refused(const ivflat_server_client *client, uint32_t reason, const char *text)
{
    if (options->json) {
        say_json("refused", client, reason, text);
    }
}

static void log_json(uint32_t level, const char *text)
{
    static const char *const names[] = {"", "error", "warning", "info", "debug"};
    char *words = quoted(text);

    say("{\"event\":\"log\",\"level\":\"%s\",\"text\":%s}", names[level < G_N_ELEMENTS(names) ? level : 0], words);
    g_free(words);
}

void output_log(uint32_t level, const char *text)
{
    if (in_background && level <= IVFLAT_LOG_WARNING) {
        syslog(level == IVFLAT_LOG_ERROR ? LOG_ERR : LOG_WARNING, "%s", text);
    } else if (options->json) {
        log_json(level, text);
    } else if (level <= IVFLAT_LOG_WARNING || options->verbose) {
        char *line = g_strconcat("ivflat-server: ", text, NULL);

        put_line(STDERR_FILENO, line);
        g_free(line);
    }
}

/* Status ---------------------------------------------------------------------------------------------------------- */

static uint64_t count(const ivflat_server *server, uint32_t which)
{
    return ivflat_server_counter(server, which);
}

static void status_of_server(const ivflat_server *server, int64_t started)
{
    say(options->json ? "{\"event\":\"status\",\"uptime\":%" PRId64 ",\"clients\":%u,\"joined\":%" PRIu64
                        ",\"left\":%" PRIu64 ",\"dropped\":%" PRIu64 ",\"refused\":%" PRIu64 ",\"messages\":%" PRIu64
                        ",\"restarts\":%" PRIu64 "}"
                      : "status: up %" PRId64 " s, %u clients, %" PRIu64 " joined, %" PRIu64 " left (%" PRIu64
                        " dropped), %" PRIu64 " refused, %" PRIu64 " messages sent, %" PRIu64 " restarts",
        (g_get_monotonic_time() - started) / G_USEC_PER_SEC, ivflat_server_clients(server),
        count(server, IVFLAT_SERVER_COUNT_JOINED), count(server, IVFLAT_SERVER_COUNT_LEFT),
        count(server, IVFLAT_SERVER_COUNT_DROPPED), count(server, IVFLAT_SERVER_COUNT_REFUSED),
        count(server, IVFLAT_SERVER_COUNT_MESSAGES), count(server, IVFLAT_SERVER_COUNT_RESTARTS));
}

static void status_of_client(const ivflat_server_client *client)
{
    say(options->json ? "{\"event\":\"client\",\"id\":%u,\"pid\":%d,\"uid\":%" PRId64 ",\"gid\":%" PRId64
                        ",\"age\":%" PRIu64 ",\"sent\":%" PRIu64 ",\"waiting\":%" PRIu64 ",\"received\":%" PRIu64 "}"
                      : "status: client %u: process %d, user %" PRId64 ", group %" PRId64 ", %" PRIu64 " s, %" PRIu64
                        " messages sent, %" PRIu64 " waiting, %" PRIu64 " bytes received",
        client->id, client->pid, id_of(client->uid), id_of(client->gid), client->age_ms / 1000, client->sent,
        client->waiting, client->received);
}

void output_status(const ivflat_server *server, int64_t started)
{
    ivflat_server_client client = {.struct_size = sizeof(client)};

    status_of_server(server, started);
    for (int32_t id = -1; (id = ivflat_server_next_client(server, id, &client)) >= 0;) {
        status_of_client(&client);
    }
}
