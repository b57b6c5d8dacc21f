/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-client.h"

#include "fdio.h"

#include <errno.h>
#include <libivflat/ivflat-server.h>

#define VERSION    0
#define MEMORY     (-1)
#define FIRST      3u    /* messages of a greeting: version, id, memory */
#define READ_SHARE 512u  /* bytes at once */
#define READ_MAX   4096u /* bytes in a client's life: more is no mistake any more */

struct ivf_client *ivf_client_new(int sock, struct ivf_announcement *announcement)
{
    struct ivf_client *client = g_new0(struct ivf_client, 1);

    client->id = announcement->id;
    client->sock = sock;
    client->announcement = announcement;
    client->since = ivf_fd_now();
    client->in_all.data = client;
    client->in_state.data = client;
    return client;
}

void ivf_client_free(struct ivf_client *client)
{
    ivf_announcement_unref(client->announcement);
    ivf_io_end(client->sock);
    g_free(client->text);
    g_free(client);
}

uint64_t ivf_client_waiting(const struct ivf_client *client)
{
    return FIRST - client->greeted + client->reader.messages;
}

uint64_t ivf_client_news(const struct ivf_client *client)
{
    return client->reader.messages - client->reader.greeting;
}

/* What is left of the greeting's first three, then what the reader has. */
static uint32_t look(const struct ivf_client *client, int memory, struct ivf_message *messages, uint32_t most)
{
    const struct ivf_message first[FIRST] = {{VERSION, -1}, {(int32_t)client->id, -1}, {MEMORY, memory}};
    uint32_t count = 0;

    while (client->greeted + count < FIRST && count < most) {
        messages[count] = first[client->greeted + count];
        count++;
    }
    return count + ivf_reader_look(&client->reader, messages + count, most - count);
}

void ivf_client_advance(struct ivf_client *client, struct ivf_news *news, uint32_t count)
{
    uint32_t first = MIN(count, FIRST - client->greeted);

    client->sent += count;
    client->greeted += first;
    ivf_reader_sent(&client->reader, news, count - first);
}

int ivf_client_send(struct ivf_client *client, const struct ivf_source *source, uint32_t most, uint32_t *wanted)
{
    struct ivf_message messages[IVF_IO_MOST];
    int sent;

    *wanted = look(client, source->memory, messages, MIN(most, IVF_IO_MOST));
    if (*wanted == 0) {
        return 0;
    }
    ivf_map_tries(source->map, client->id, client->sent + *wanted);
    sent = ivf_io_send(client->sock, messages, *wanted);
    ivf_map_sent(source->map, client->id, client->sent + (sent > 0 ? (uint32_t)sent : 0));
    if (sent > 0) {
        ivf_client_advance(client, source->news, (uint32_t)sent);
    }
    return sent;
}

void ivf_client_blame(struct ivf_client *client, uint32_t reason, char *text)
{
    if (client->text) {
        g_free(text);
        return;
    }
    client->reason = reason;
    client->text = text;
}

static bool gone(struct ivf_client *client, uint32_t reason, char *text)
{
    ivf_client_blame(client, reason, text);
    return false;
}

bool ivf_client_read(struct ivf_client *client)
{
    uint8_t bytes[READ_SHARE];
    struct ivf_received received;
    int count = ivf_fd_receive(client->sock, bytes, sizeof(bytes), &received);

    if (count == -EAGAIN) {
        return true;
    }
    if (count == 0 || count == -ECONNRESET) { /* reset: it closed without having read all */
        return gone(client, IVFLAT_LEFT_CLOSED, g_strdup("it closed the connection"));
    }
    if (count < 0) {
        return gone(client, IVFLAT_LEFT_BROKEN, g_strdup_printf("its connection broke: %s", g_strerror(-count)));
    }
    for (uint32_t i = 0; i < received.fd_count; i++) {
        ivf_fd_close_foreign(received.fds[i]);
    }
    client->received += (uint32_t)count;
    if (client->received > READ_MAX) {
        return gone(client, IVFLAT_LEFT_LOUD,
                    g_strdup_printf("it sent more than %u bytes, and a client has nothing to say", READ_MAX));
    }
    return true;
}
