/* SPDX-License-Identifier: BSD-3-Clause */
#include "notes.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define AGAIN_MS 20

struct note {
    char *text;
    char *name; /* of what is to be kept; NULL: nothing is */
    int fd;     /* ours; -1: none */
};

static int sock = -1;
static GQueue waiting = G_QUEUE_INIT; /* notes, the oldest first */
static GHashTable *stores;            /* name -> link of the note that keeps it */

/* 0: there is none that we could tell. */
static socklen_t address_of(struct sockaddr_un *address)
{
    const char *path = g_getenv("NOTIFY_SOCKET");
    size_t length = path ? strlen(path) : 0;

    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    if (length < 2 || length >= sizeof(address->sun_path) || (path[0] != '/' && path[0] != '@')) {
        return 0;
    }
    memcpy(address->sun_path, path, length);
    if (path[0] == '@') { /* a name without a file */
        address->sun_path[0] = '\0';
    }
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
}

static gboolean send_now(const char *text, int fd)
{
    union {
        struct cmsghdr align;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.align = {.cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS, .cmsg_len = CMSG_LEN(sizeof(int))}};
    struct sockaddr_un address;
    struct iovec piece = {(void *)(uintptr_t)text, strlen(text)};
    struct msghdr message = {.msg_name = &address, .msg_iov = &piece, .msg_iovlen = 1};

    message.msg_namelen = address_of(&address);
    if (fd >= 0) {
        memcpy(CMSG_DATA(&control.align), &fd, sizeof(fd));
        message.msg_control = &control;
        message.msg_controllen = sizeof(control);
    }
    if (message.msg_namelen == 0) {
        errno = EDESTADDRREQ;
        return FALSE;
    }
    if (sock < 0) {
        sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    }
    return sock >= 0 && sendmsg(sock, &message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
}

/* It has too much to read, or there is too much under way. */
static gboolean may_pass(int error)
{
    return error == EAGAIN || error == ENOBUFS || error == ENOMEM || error == ETOOMANYREFS || error == EINTR;
}

static void drop(GList *link)
{
    struct note *note = link->data;

    if (note->name) {
        g_hash_table_remove(stores, note->name);
    }
    if (note->fd >= 0) {
        close(note->fd);
    }
    g_free(note->name);
    g_free(note->text);
    g_free(note);
    g_queue_delete_link(&waiting, link);
}

static gboolean send_waiting(gpointer user)
{
    (void)user;
    while (waiting.head) {
        const struct note *note = waiting.head->data;

        if (!send_now(note->text, note->fd) && may_pass(errno)) {
            return G_SOURCE_CONTINUE;
        }
        drop(waiting.head);
    }
    return G_SOURCE_REMOVE;
}

/* @fd is given. */
static void wait_with(const char *text, const char *name, int fd)
{
    struct note *note = g_new(struct note, 1);

    if (g_queue_is_empty(&waiting)) {
        g_timeout_add(AGAIN_MS, send_waiting, NULL);
    }
    *note = (struct note){.text = g_strdup(text), .name = g_strdup(name), .fd = fd};
    g_queue_push_tail(&waiting, note);
    if (name) {
        stores = stores ? stores : g_hash_table_new(g_str_hash, g_str_equal);
        g_hash_table_insert(stores, note->name, waiting.tail);
    }
}

static gboolean tell(const char *text, const char *name, int fd)
{
    int copy = -1;

    if (g_queue_is_empty(&waiting)) {
        if (send_now(text, fd)) {
            return TRUE;
        }
        if (!may_pass(errno)) {
            return FALSE;
        }
    }
    if (fd >= 0 && (copy = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1)) < 0) {
        return FALSE;
    }
    wait_with(text, name, copy);
    return TRUE;
}

gboolean notes_tell(const char *text)
{
    return tell(text, NULL, -1);
}

gboolean notes_keep(const char *name, int fd)
{
    char *text = g_strconcat("FDSTORE=1\nFDPOLL=0\nFDNAME=", name, NULL);
    gboolean told = tell(text, name, fd);

    g_free(text);
    return told;
}

gboolean notes_forget(const char *name)
{
    GList *link = stores ? g_hash_table_lookup(stores, name) : NULL;
    gboolean told = TRUE;

    if (link) {
        drop(link);
    } else {
        char *text = g_strconcat("FDSTOREREMOVE=1\nFDNAME=", name, NULL);

        told = tell(text, NULL, -1);
        g_free(text);
    }
    return told;
}

gboolean notes_are_told(void)
{
    return g_queue_is_empty(&waiting);
}

void notes_end(void)
{
    while (waiting.head) {
        drop(waiting.head);
    }
    g_clear_pointer(&stores, g_hash_table_unref);
    if (sock >= 0) {
        close(sock);
        sock = -1;
    }
}
