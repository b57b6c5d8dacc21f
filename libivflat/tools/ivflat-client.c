/* SPDX-License-Identifier: BSD-3-Clause */
/* A person's peer: a user of the public headers like anybody else. */
#include "client-action.h"
#include "client-output.h"
#include "client.h"
#include "numbers.h"
#include "standard-fds.h"

#include <libivflat/ivflat-glib.h>
#include <stdio.h>
#include <string.h>

struct options {
    char *socket;
    gboolean json;
    gboolean version;
    gint64 limit;
    GQueue *script;
};

/* "FIRST:SECOND" -> an action of the script. */
static gboolean add_pair(struct options *options, const char *name, const char *value, GError **error,
                         struct action *(*make)(const char *first, const char *second, char **problem))
{
    const char *colon = strchr(value, ':');
    char *first = g_strndup(value, colon ? (gsize)(colon - value) : 0);
    char *problem = colon ? NULL : g_strdup_printf("\"%s\" lacks a colon", value);
    struct action *action = colon ? make(first, colon + 1, &problem) : NULL;

    if (action) {
        g_queue_push_tail(options->script, action);
    } else {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s: %s", name, problem);
    }
    g_free(problem);
    g_free(first);
    return action != NULL;
}

static gboolean on_ring(const gchar *name, const gchar *value, gpointer options, GError **error)
{
    return add_pair(options, name, value, error, action_ring);
}

static gboolean on_read(const gchar *name, const gchar *value, gpointer options, GError **error)
{
    return add_pair(options, name, value, error, action_read);
}

static gboolean on_write(const gchar *name, const gchar *value, gpointer options, GError **error)
{
    return add_pair(options, name, value, error, action_write);
}

static gboolean on_wait(const gchar *name, const gchar *value, gpointer user, GError **error)
{
    struct options *options = user;
    char *problem = NULL;
    struct action *action = action_wait(value, &problem);

    if (action) {
        g_queue_push_tail(options->script, action);
    } else {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE, "%s: %s", name, problem);
    }
    g_free(problem);
    return action != NULL;
}

static gboolean on_timeout(const gchar *name, const gchar *value, gpointer user, GError **error)
{
    struct options *options = user;
    uint32_t milliseconds = 0;
    gboolean good = seconds_parse(value, &milliseconds);

    options->limit = milliseconds;
    if (!good) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_BAD_VALUE,
                    "%s: \"%s\" is no time: give seconds, as in 5 or 0.5", name, value);
    }
    return good;
}

static gboolean parse(struct options *options, int *argc, char ***argv, GError **error)
{
    const GOptionEntry entries[] = {
        {"socket", 'S', 0, G_OPTION_ARG_FILENAME, &options->socket,
         "The server's socket (default: /tmp/ivshmem_socket)", "PATH"},
        {"ring", 'r', 0, G_OPTION_ARG_CALLBACK, on_ring, "Ring a peer's vector, or \"all\" of them", "PEER:VECTOR"},
        {"wait", 'w', 0, G_OPTION_ARG_CALLBACK, on_wait, "Wait for an interrupt", "VECTOR"},
        {"read", 0, 0, G_OPTION_ARG_CALLBACK, on_read, "Show bytes of the shared memory", "OFFSET:LENGTH"},
        {"write", 0, G_OPTION_FLAG_FILENAME, G_OPTION_ARG_CALLBACK, on_write, "Put text into the shared memory",
         "OFFSET:TEXT"},
        {"timeout", 't', 0, G_OPTION_ARG_CALLBACK, on_timeout,
         "Seconds for each --wait (default: no limit) and --ring (default: 5)", "SECONDS"},
        {"json", 'j', 0, G_OPTION_ARG_NONE, &options->json, "One JSON object a line", NULL},
        {"version", 0, 0, G_OPTION_ARG_NONE, &options->version, "Show the version, and exit", NULL},
        {NULL, 0, 0, 0, NULL, NULL, NULL},
    };
    GOptionContext *context = g_option_context_new(NULL);
    GOptionGroup *group = g_option_group_new("client", "", "", options, NULL);
    gboolean good;

    g_option_group_add_entries(group, entries);
    g_option_context_set_main_group(context, group);
    g_option_context_set_summary(context,
                                 "Joins an ivshmem server as a peer.  --ring, --wait, --read and --write are done "
                                 "in their order, and then it leaves;\nwithout any of them it takes commands "
                                 "from standard input (\"help\" shows them).");
    good = g_option_context_parse(context, argc, argv, error);
    if (good && *argc > 1) {
        g_set_error(error, G_OPTION_ERROR, G_OPTION_ERROR_FAILED, "%s stands alone: --help shows the options",
                    (*argv)[1]);
        good = FALSE;
    }
    g_option_context_free(context);
    return good;
}

/* Where an option is wrong GOption takes back what it had read. */
static gboolean asks_for_json(char **argv)
{
    return g_strv_contains((const char *const *)argv, "-j") || g_strv_contains((const char *const *)argv, "--json");
}

static void run_loop(struct client *client)
{
    GSource *source = ivflat_device_source_new(client->device);

    g_source_attach(source, NULL);
    if (client->script) {
        client_wake(client);
    } else {
        client_settle(client);
        client_commands_begin(client);
    }
    if (client->status == STATUS_DONE) {
        g_main_loop_run(client->loop);
    }
    g_source_destroy(source);
    g_source_unref(source);
}

static int run(const struct options *options)
{
    struct client client = {.limit = options->limit};

    client.script = g_queue_is_empty(options->script) ? NULL : options->script;
    client.loop = g_main_loop_new(NULL, FALSE);
    client.status = client_join(&client, options->socket ? options->socket : "/tmp/ivshmem_socket");
    if (client.status == STATUS_DONE) {
        run_loop(&client);
    }
    client_leave(&client);
    g_main_loop_unref(client.loop);
    return client.status;
}

static int show_version(void)
{
    uint32_t version = ivflat_version();

    printf("ivflat-client %u.%u.%u\n", version >> 16, version >> 8 & 255, version & 255);
    return STATUS_DONE;
}

static void free_action(gpointer action)
{
    action_free(action);
}

int main(int argc, char **argv)
{
    struct options options = {.limit = -1, .script = g_queue_new()};
    GError *error = NULL;
    int status = STATUS_USAGE;
    gboolean good;

    standard_fds_open();
    good = parse(&options, &argc, &argv, &error);
    output_begin(options.json || (!good && asks_for_json(argv)));
    if (!good) {
        say_error("%s", error->message);
        g_error_free(error);
    } else {
        status = options.version ? show_version() : run(&options);
    }
    if (!output_end() && status == STATUS_DONE) {
        status = STATUS_LINK;
    }
    g_queue_free_full(options.script, free_action);
    g_free(options.socket);
    return status;
}
