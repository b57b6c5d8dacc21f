/* SPDX-License-Identifier: BSD-3-Clause */
/* Options that do something, in their order. */
#include "client-action.h"
#include "client-output.h"
#include "client.h"

#define RING_LIMIT_MS 5000 /* a peer's vectors come after READY: it gets the time to appear (P7) */

static void stop_timer(struct client *client)
{
    if (client->timer) {
        g_source_remove(client->timer);
        client->timer = 0;
    }
}

static void fail(struct client *client, int status, const char *problem)
{
    stop_timer(client);
    client_tell_peer(client);
    say_error("%s", problem);
    client_quit(client, status);
}

static int status_of(const struct action *action)
{
    return action->kind == ACTION_WAIT ? STATUS_TIMEOUT : STATUS_NO_PEER;
}

static gboolean on_limit(gpointer user)
{
    struct client *client = user;
    const struct action *action = g_queue_peek_head(client->script);
    char *problem = NULL;

    client->timer = 0;
    if (action_do(action, client->device, client->pending, &problem) == OUTCOME_DONE) {
        client_script_step(client); /* cannot be: each event was looked at */
    } else {
        fail(client, status_of(action), problem);
    }
    g_free(problem);
    return G_SOURCE_REMOVE;
}

static void start_timer(struct client *client, const struct action *action)
{
    gint64 limit = client->limit < 0 && action->kind == ACTION_RING ? RING_LIMIT_MS : client->limit;

    if (limit >= 0 && client->timer == 0) {
        client->timer = g_timeout_add((guint)limit, on_limit, client);
    }
}

void client_script_step(struct client *client)
{
    struct action *action;

    while (client->status == STATUS_DONE && (action = g_queue_peek_head(client->script))) {
        char *problem = NULL;
        enum outcome outcome = action_do(action, client->device, client->pending, &problem);

        if (outcome == OUTCOME_NOT_YET) {
            g_free(problem);
            start_timer(client, action);
            return;
        }
        if (outcome == OUTCOME_WRONG) {
            fail(client, action->kind == ACTION_RING ? STATUS_NO_PEER : STATUS_USAGE, problem);
        }
        g_free(problem);
        stop_timer(client);
        action_free(g_queue_pop_head(client->script));
    }
    if (client->status == STATUS_DONE) {
        client_quit(client, STATUS_DONE);
    }
}
