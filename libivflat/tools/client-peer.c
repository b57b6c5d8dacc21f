/* SPDX-License-Identifier: BSD-3-Clause */
#include "client-output.h"
#include "client.h"

#define SETTLE_MS 500

void client_quit(struct client *client, int status)
{
    client->status = status;
    g_main_loop_quit(client->loop);
}

/* Vectors come one by one: told when there is nothing else to do, or something else to tell. */
void client_tell_peer(struct client *client)
{
    uint32_t vectors = client->changed_vectors;

    client->changed_vectors = 0;
    if (vectors > 0) {
        say_peer(client->changed, vectors, FALSE);
    }
}

static gboolean on_wake(gpointer user)
{
    struct client *client = user;

    client->woken = FALSE;
    client_tell_peer(client);
    if (client->script && client->status == STATUS_DONE) {
        client_script_step(client);
    }
    return G_SOURCE_REMOVE;
}

/* In its turn with the device: a peer that rings without end holds up no script. */
void client_wake(struct client *client)
{
    if (!client->woken) {
        client->woken = TRUE;
        g_idle_add_full(G_PRIORITY_DEFAULT, on_wake, client, NULL);
    }
}

static void on_peer(void *user, uint32_t id, uint32_t vectors)
{
    struct client *client = user;

    if (client->changed != id || vectors == 0) {
        client_tell_peer(client);
    }
    if (vectors == 0) {
        say_left(id);
        return;
    }
    client->changed = id;
    client->changed_vectors = vectors;
    client_wake(client);
}

/* One of our own, which the script may wait for to ring it. */
static int32_t on_own_vector(void *user, uint32_t vector, int32_t fd)
{
    (void)vector;
    (void)fd;
    client_wake(user);
    return 0;
}

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    struct client *client = user;

    client_tell_peer(client);
    client->pending[vector] += count;
    say_interrupt(vector, count);
    client_wake(client);
}

static void on_link(void *user, uint32_t link, int32_t error)
{
    struct client *client = user;

    if (link == IVFLAT_LINK_READY) { /* said here, for peers may come in the same dispatch */
        client->joined = TRUE;
        say_joined(ivflat_device_id(client->device), ivflat_device_memory_size(client->device));
    }
    if (link == IVFLAT_LINK_DOWN && error != 0 && client->joined) {
        client_tell_peer(client);
        say_error("the link was lost: %s", ivflat_last_error());
        client_quit(client, STATUS_LINK);
    }
}

static void on_log(void *user, uint32_t level, const char *text)
{
    (void)user;
    if (level <= IVFLAT_LOG_WARNING) {
        g_printerr("ivflat-client: %s\n", text);
    }
}

static int32_t new_device(struct client *client)
{
    ivflat_config config = {.struct_size = sizeof(config), .max_vectors = IVFLAT_MAX_VECTORS};
    ivflat_hooks hooks = {
        .struct_size = sizeof(hooks),
        .user = client,
        .interrupt = on_interrupt,
        .link_changed = on_link,
        .peer_changed = on_peer,
        .vector_added = on_own_vector,
        .log = on_log,
    };

    client->pending = g_new0(uint64_t, IVFLAT_MAX_VECTORS);
    return ivflat_device_new(&client->device, &config, &hooks);
}

int client_join(struct client *client, const char *path)
{
    int32_t error = new_device(client);

    if (error == 0) {
        error = ivflat_device_connect(client->device, path);
    }
    if (error == 0) {
        error = ivflat_device_greet(client->device, -1);
    }
    if (error < 0 && !client->joined) { /* else we were in, and lost it in the same dispatch: on_link() said so */
        say_error("cannot join the server on %s: %s", path, ivflat_last_error());
        return error == IVFLAT_ERR_INVALID ? STATUS_USAGE : STATUS_LINK;
    }
    return client->status; /* it may be lost again */
}

/* There is no mark for the end of set-up (P7), but a server that keeps the specification's order (P6) gives us our own
 * vectors last. */
void client_settle(struct client *client)
{
    uint32_t id = (uint32_t)ivflat_device_id(client->device);
    gint64 end = g_get_monotonic_time() / 1000 + SETTLE_MS;
    gint64 left = SETTLE_MS;

    while (left > 0 && client->status == STATUS_DONE && ivflat_device_peer_vectors(client->device, id) == 0 &&
           ivflat_device_wait(client->device, (int32_t)left) == 1) {
        ivflat_device_dispatch(client->device);
        left = end - g_get_monotonic_time() / 1000;
    }
    client_tell_peer(client);
}

void client_leave(struct client *client)
{
    client->joined = FALSE; /* what comes now was asked for */
    ivflat_device_free(client->device);
    g_free(client->pending);
}
