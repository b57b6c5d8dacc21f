/* SPDX-License-Identifier: BSD-3-Clause */
#include "host-peer.h"

#include "numbers.h"
#include "server-output.h"

#include <glib-unix.h>
#include <inttypes.h>
#include <libivflat/ivflat-glib.h>
#include <string.h>
#include <unistd.h>

#define LINE_MOST 256u
#define AGAIN_MS  20

struct host_peer {
    ivflat_server *server;
    uint32_t id;
    ivflat_device *device;
    guint again; /* 0: it is there */
    GSource *source;
    guint input; /* 0: its end has come */
    GString *line;
};

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user;
    output_host(TRUE, "interrupt on vector %u, %" PRIu64 " time%s", vector, count, count == 1 ? "" : "s");
}

static void on_log(void *user, uint32_t level, const char *text)
{
    (void)user;
    if (level <= IVFLAT_LOG_WARNING) {
        output_host(FALSE, "ivflat-server: host peer: %s", text);
    }
}

static int32_t join(struct host_peer *host)
{
    int32_t sock;
    int32_t error = ivflat_server_join(host->server, host->id, &sock);

    return error ? error : ivflat_device_adopt(host->device, sock);
}

static gboolean join_again(gpointer user)
{
    struct host_peer *host = user;

    if (join(host) < 0) { /* the server has still to let go of it, or lacks descriptors */
        return G_SOURCE_CONTINUE;
    }
    host->again = 0;
    return G_SOURCE_REMOVE;
}

/* It is dropped like any other that does not keep up. */
static void on_link(void *user, uint32_t link, int32_t error)
{
    struct host_peer *host = user;

    (void)error;
    if (link == IVFLAT_LINK_DOWN && host->source && !host->again) {
        output_host(FALSE, "ivflat-server: host peer: its link is down, it joins again");
        host->again = g_timeout_add(AGAIN_MS, join_again, host);
    }
}

/* "PEER VECTOR". */
static void ring(struct host_peer *host, const char *line)
{
    char **words = g_strsplit(line, " ", -1);
    uint64_t peer = 0;
    uint64_t vector = 0;
    gboolean good = g_strv_length(words) == 2 && number_parse(words[0], IVFLAT_MAX_PEERS - 1, &peer) &&
                    number_parse(words[1], IVFLAT_MAX_VECTORS - 1, &vector);

    g_strfreev(words);
    if (!good) {
        output_host(FALSE, "ivflat-server: \"%s\" is no ring: say PEER VECTOR, two numbers", line);
    } else if (ivflat_device_peer_vectors(host->device, (uint32_t)peer) <= vector) {
        output_host(FALSE, "ivflat-server: there is no vector %" PRIu64 " of a peer %" PRIu64 " to ring", vector, peer);
    } else {
        ivflat_device_write(host->device, IVFLAT_REG_DOORBELL, 4, peer << 16 | vector);
        output_host(TRUE, "rang peer %" PRIu64 ", vector %" PRIu64, peer, vector);
    }
}

static void take_byte(struct host_peer *host, char byte)
{
    if (byte != '\n') {
        if (host->line->len < LINE_MOST) {
            g_string_append_c(host->line, byte);
        }
        return;
    }
    if (host->line->len > 0) {
        ring(host, host->line->str);
    }
    g_string_truncate(host->line, 0);
}

static gboolean on_input(gint fd, GIOCondition condition, gpointer user)
{
    struct host_peer *host = user;
    char bytes[LINE_MOST];
    ssize_t count = read(fd, bytes, sizeof(bytes));

    (void)condition;
    for (ssize_t i = 0; i < count; i++) {
        take_byte(host, bytes[i]);
    }
    if (count <= 0) { /* it goes on as a peer that rings nobody */
        host->input = 0;
        return G_SOURCE_REMOVE;
    }
    return G_SOURCE_CONTINUE;
}

static int32_t begin(struct host_peer *host, uint32_t vectors)
{
    ivflat_config config = {
        .struct_size = sizeof(config), .max_vectors = vectors, .no_interrupts = vectors == 0, .trusted_peers = 0};
    ivflat_hooks hooks = {
        .struct_size = sizeof(hooks), .user = host, .interrupt = on_interrupt, .link_changed = on_link, .log = on_log};
    int32_t error = ivflat_device_new(&host->device, &config, &hooks);

    return error ? error : join(host);
}

struct host_peer *host_peer_new(ivflat_server *server, uint32_t id, uint32_t vectors)
{
    struct host_peer *host = g_new0(struct host_peer, 1);

    host->server = server;
    host->id = id;
    if (begin(host, vectors) < 0) {
        host_peer_free(host);
        return NULL;
    }
    host->line = g_string_new(NULL);
    host->source = ivflat_device_source_new(host->device);
    g_source_attach(host->source, NULL);
    host->input = g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, on_input, host);
    return host;
}

void host_peer_free(struct host_peer *host)
{
    if (!host) {
        return;
    }
    g_clear_handle_id(&host->input, g_source_remove);
    g_clear_handle_id(&host->again, g_source_remove);
    if (host->source) {
        g_source_destroy(host->source);
        g_clear_pointer(&host->source, g_source_unref);
    }
    if (host->line) {
        g_string_free(host->line, TRUE);
    }
    ivflat_device_free(host->device);
    g_free(host);
}
