/* SPDX-License-Identifier: BSD-3-Clause */
#include "service.h"

#include "notes.h"
#include "numbers.h"
#include "server-values.h"

#ifdef HAVE_LIBSYSTEMD

#include <inttypes.h>
#include <libivflat/ivflat.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <systemd/sd-daemon.h>
#include <time.h>
#include <unistd.h>

/* A file in memory with @text; 0: it cannot be had. */
static int file_of(const GString *text)
{
    int fd = memfd_create("ivflat descriptors", MFD_CLOEXEC);

    if (fd >= 0 && write(fd, text->str, text->len) == (ssize_t)text->len) {
        return fd;
    }
    if (fd >= 0) {
        close(fd);
    }
    return 0;
}

#define PEER "peer-" /* in front of an id: the name of the socket of that seat */

static gboolean is_peer(const char *name, struct service_socket *socket)
{
    uint64_t id;
    gboolean is = g_str_has_prefix(name, PEER) && number_parse(name + strlen(PEER), IVFLAT_MAX_PEERS - 1, &id);

    socket->id = is ? (uint32_t)id : 0;
    return is;
}

/* A socket that it listens on for us. */
static void take_socket(struct service_fds *fds, const char *name, int fd)
{
    struct service_socket socket = {.fd = fd};

    if (is_peer(name, &socket)) {
        g_array_append_val(fds->peers, socket);
    } else if (fds->listener) {
        fds->surplus = fd;
    } else {
        fds->listener = fd;
    }
}

/* What we had it keep has names that begin with a plus. */
void service_take(struct service_fds *fds)
{
    GString *text = g_string_new(NULL);
    char **names = NULL;
    int count = sd_listen_fds_with_names(TRUE, &names);

    *fds = (struct service_fds){.peers = g_array_new(FALSE, FALSE, sizeof(struct service_socket))};
    for (int i = 0; i < count; i++) {
        if (names[i][0] == '+') {
            g_string_append_printf(text, "%d %s\n", SD_LISTEN_FDS_START + i, names[i]);
        } else {
            take_socket(fds, names[i], SD_LISTEN_FDS_START + i);
        }
        free(names[i]);
    }
    free(names);
    fds->list = text->len > 0 ? file_of(text) : 0;
    g_string_free(text, TRUE);
}

static struct server_peer *find_peer(const struct server_options *options, uint32_t id)
{
    for (guint i = 0; i < options->peers->len; i++) {
        struct server_peer *peer = &g_array_index(options->peers, struct server_peer, i);

        if (peer->id == id) {
            return peer;
        }
    }
    return NULL;
}

int service_match(const struct service_fds *fds, struct server_options *options)
{
    if (fds->surplus) {
        return usage_error("the manager of services listens on two sockets for us: only those that it names " PEER
                           "ID, for --peer=ID=..., may be more than one");
    }
    for (guint i = 0; i < fds->peers->len; i++) {
        const struct service_socket *socket = &g_array_index(fds->peers, struct service_socket, i);
        struct server_peer *peer = find_peer(options, socket->id);

        if (!peer || peer->listener) {
            return usage_error("the manager of services listens on %s named " PEER "%u for us, and there is %s "
                               "--peer=%u",
                               peer ? "two sockets" : "a socket", socket->id, peer ? "one" : "no", socket->id);
        }
        peer->listener = socket->fd;
    }
    return GO_ON;
}

void service_fds_clear(struct service_fds *fds)
{
    g_clear_pointer(&fds->peers, g_array_unref);
    notes_end();
}

gboolean service_is_there(void)
{
    return g_getenv("NOTIFY_SOCKET") != NULL;
}

void service_ready(const char *status)
{
    char *text = g_strconcat("READY=1\nSTATUS=", status, NULL);

    notes_tell(text);
    g_free(text);
}

void service_reloading(void)
{
    struct timespec now;
    char *text;

    clock_gettime(CLOCK_MONOTONIC, &now);
    text = g_strdup_printf("RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
                           (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000);
    notes_tell(text);
    g_free(text);
}

void service_stopping(void)
{
    notes_tell("STOPPING=1");
}

gboolean service_keep(const char *name, int32_t fd)
{
    return notes_keep(name, fd);
}

void service_forget(const char *name)
{
    notes_forget(name);
}

gboolean service_knows_all(void)
{
    return notes_are_told();
}

#else

void service_take(struct service_fds *fds)
{
    *fds = (struct service_fds){0};
}

int service_match(const struct service_fds *fds, struct server_options *options)
{
    (void)fds;
    (void)options;
    return GO_ON;
}

void service_fds_clear(struct service_fds *fds)
{
    (void)fds;
}

gboolean service_is_there(void)
{
    return FALSE;
}

void service_ready(const char *status)
{
    (void)status;
}

void service_reloading(void)
{
}

void service_stopping(void)
{
}

gboolean service_keep(const char *name, int32_t fd)
{
    (void)name;
    (void)fd;
    return FALSE;
}

void service_forget(const char *name)
{
    (void)name;
}

gboolean service_knows_all(void)
{
    return TRUE;
}

#endif
