/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-client.h"

#include "fdio.h"
#include "wire.h"

#include <errno.h>

#define VERSION    0
#define MEMORY     (-1)
#define READ_SHARE 512u  /* bytes at once */
#define READ_MAX   4096u /* bytes in a client's life: more is no mistake any more */

struct ivf_client *ivf_client_new(int sock, struct ivf_announcement *announcement)
{
    struct ivf_client *client = g_new0(struct ivf_client, 1);

    client->id = announcement->id;
    client->sock = sock;
    client->announcement = announcement;
    client->in_all.data = client;
    client->in_state.data = client;
    return client;
}

void ivf_client_free(struct ivf_client *client)
{
    ivf_queue_clear(&client->queue);
    ivf_announcement_unref(client->announcement);
    ivf_fd_close_stream(client->sock);
    g_free(client->reason);
    g_free(client);
}

void ivf_client_greet(struct ivf_client *client, int memory)
{
    ivf_queue_push(&client->queue, VERSION, IVF_FD_NONE);
    ivf_queue_push(&client->queue, (int32_t)client->id, IVF_FD_NONE);
    ivf_queue_push(&client->queue, MEMORY, memory);
}

void ivf_client_greet_end(struct ivf_client *client)
{
    ivf_queue_push_vectors(&client->queue, client->announcement);
    client->greeting = client->queue.messages;
}

bool ivf_client_over(const struct ivf_client *client, uint32_t bound)
{
    return bound > 0 && client->queue.messages - client->greeting > bound;
}

static int send_one(struct ivf_client *client, const struct ivf_message *message)
{
    uint8_t bytes[IVF_WIRE_SIZE];
    int sent;

    ivf_wire_encode(bytes, message->number);
    sent = ivf_fd_send(client->sock, bytes, sizeof(bytes), message->fd);
    if (sent >= 0 && sent < (int)sizeof(bytes)) {
        return -EPROTO; /* the rest would be a send of its own (P2); the kernel takes 8 bytes whole */
    }
    return sent;
}

int ivf_client_send(struct ivf_client *client, uint32_t share)
{
    struct ivf_message message;

    for (; share > 0 && ivf_queue_front(&client->queue, &message); share--) {
        int sent = send_one(client, &message);

        if (sent < 0) {
            return sent;
        }
        ivf_queue_pop(&client->queue);
        client->greeting -= client->greeting > 0;
    }
    return 0;
}

static bool gone(struct ivf_client *client, char *reason)
{
    g_free(client->reason);
    client->reason = reason;
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
        return gone(client, g_strdup("it closed the connection"));
    }
    if (count < 0) {
        return gone(client, g_strdup_printf("its connection broke: %s", g_strerror(-count)));
    }
    for (uint32_t i = 0; i < received.fd_count; i++) {
        ivf_fd_close_foreign(received.fds[i]);
    }
    client->bytes += (uint32_t)count;
    if (client->bytes > READ_MAX) {
        return gone(client, g_strdup_printf("it sent more than %u bytes, and a client has nothing to say", READ_MAX));
    }
    return true;
}
