/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands on standard input, a line each. */
#include "client-action.h"
#include "client-output.h"
#include "client.h"

#include <errno.h>
#include <glib-unix.h>
#include <string.h>
#include <unistd.h>

#define LINE_MOST 65536u

static const char help[] = "help                   this\n"
                           "peers                  who is there, and how many vectors each has\n"
                           "ring PEER VECTOR|all   interrupt a peer, or ourselves\n"
                           "read OFFSET LENGTH     show bytes of the shared memory\n"
                           "write OFFSET TEXT      put text there, all that follows the one blank, no end mark\n"
                           "quit                   leave; the end of the input does the same\n"
                           "Numbers are decimal, or hexadecimal behind 0x; offsets and lengths take K, M and G.\n";

struct input {
    struct client *client;
    GString *line;     /* as much of it as is there */
    gboolean too_long; /* the rest of this line is dropped */
};

static void do_peers(struct client *client)
{
    int32_t ours = ivflat_device_id(client->device);
    int32_t id = -1;

    while ((id = ivflat_device_next_peer(client->device, id)) >= 0) {
        say_peer((uint32_t)id, ivflat_device_peer_vectors(client->device, (uint32_t)id), id == ours);
    }
}

/* The two words behind a command's name; FALSE: there are not two. */
static gboolean two_words(const char *rest, char *words[2])
{
    char **all = g_strsplit_set(rest, " \t", -1);
    int count = 0;

    words[0] = words[1] = NULL;
    for (int i = 0; all[i]; i++) {
        if (*all[i] && count++ < 2) {
            words[count - 1] = g_strdup(all[i]);
        }
    }
    g_strfreev(all);
    return count == 2;
}

static struct action *from_words(const char *rest, const char *usage, char **problem,
                                 struct action *(*make)(const char *first, const char *second, char **problem))
{
    struct action *action = NULL;
    char *words[2];

    if (two_words(rest, words)) {
        action = make(words[0], words[1], problem);
    } else {
        *problem = g_strdup(usage);
    }
    g_free(words[0]);
    g_free(words[1]);
    return action;
}

/* "write OFFSET TEXT": the text is all behind one blank, blanks and nothing included. */
static struct action *from_write(const char *rest, char **problem)
{
    const char *blank = strchr(rest, ' ');
    struct action *action;
    char *offset;

    if (!blank || blank == rest) {
        *problem = g_strdup("say: write OFFSET TEXT");
        return NULL;
    }
    offset = g_strndup(rest, (gsize)(blank - rest));
    action = action_write(offset, blank + 1, problem);
    g_free(offset);
    return action;
}

static void do_action(struct client *client, struct action *action, char *problem)
{
    if (action && action_do(action, client->device, client->pending, &problem) == OUTCOME_DONE) {
        g_clear_pointer(&problem, g_free);
    }
    if (problem) {
        say_error("%s", problem);
    }
    action_free(action);
    g_free(problem);
}

/* What is behind @name in @line; NULL: it is another command. */
static const char *behind(const char *line, const char *name)
{
    size_t length = strlen(name);

    if (strncmp(line, name, length) != 0 || (line[length] && !strchr(" \t", line[length]))) {
        return NULL;
    }
    return line[length] ? line + length + 1 : line + length;
}

static void do_line(struct client *client, const char *line)
{
    char *problem = NULL;
    struct action *action = NULL;
    const char *rest;

    client_tell_peer(client);
    if (g_str_equal(line, "")) {
        return;
    }
    if ((rest = behind(line, "ring"))) {
        action = from_words(rest, "say: ring PEER VECTOR, or: ring PEER all", &problem, action_ring);
    } else if ((rest = behind(line, "read"))) {
        action = from_words(rest, "say: read OFFSET LENGTH", &problem, action_read);
    } else if ((rest = behind(line, "write"))) {
        action = from_write(rest, &problem);
    } else if (behind(line, "peers")) {
        do_peers(client);
    } else if (behind(line, "help")) {
        say_help(help);
    } else if (behind(line, "quit")) {
        client_quit(client, STATUS_DONE);
    } else {
        problem = g_strdup_printf("\"%s\" is no command: help shows those that are", line);
    }
    do_action(client, action, problem);
}

static void end_line(struct input *input)
{
    if (input->too_long) {
        say_error("a line of more than %u bytes is no command", LINE_MOST);
    } else {
        do_line(input->client, g_strchug(input->line->str));
    }
    input->too_long = FALSE;
    g_string_truncate(input->line, 0);
}

static void take(struct input *input, const char *bytes, gsize count)
{
    for (gsize i = 0; i < count && g_main_loop_is_running(input->client->loop); i++) {
        if (bytes[i] == '\n') {
            end_line(input);
        } else if (input->line->len >= LINE_MOST) {
            input->too_long = TRUE;
        } else if (bytes[i]) { /* a line with a NUL in it ends there in C: without it the rest is seen */
            g_string_append_c(input->line, bytes[i]);
        }
    }
}

/* One read a turn: it never waits, for there is something, or the end. */
static gboolean on_input(gint fd, GIOCondition condition, gpointer user)
{
    struct input *input = user;
    char bytes[4096];
    ssize_t count = read(fd, bytes, sizeof(bytes));

    (void)condition;
    if (count > 0) {
        take(input, bytes, (gsize)count);
        return G_SOURCE_CONTINUE;
    }
    if (count < 0 && (errno == EINTR || errno == EAGAIN)) {
        return G_SOURCE_CONTINUE;
    }
    if (input->line->len > 0) {
        end_line(input);
    }
    client_quit(input->client, input->client->status); /* the end is "quit" */
    return G_SOURCE_REMOVE;
}

static void free_input(gpointer data)
{
    struct input *input = data;

    g_string_free(input->line, TRUE);
    g_free(input);
}

void client_commands_begin(struct client *client)
{
    struct input *input = g_new0(struct input, 1);

    input->client = client;
    input->line = g_string_new(NULL);
    g_unix_fd_add_full(G_PRIORITY_DEFAULT, STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input, input, free_input);
}
