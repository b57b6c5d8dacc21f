/*
 * To the server: by path, or by a chardev of the user's
 *
 * The library's own socket has a time limit, sees lost descriptors and comes
 * back by itself; a chardev is what QEMU's users know.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#include "qemu/osdep.h"
#include "chardev/char-socket.h"
#include "qapi/error.h"
#include "qemu/timer.h"
#include "state.h"

#define MAX_FDS 16    /* as many as a chardev keeps */

static SocketChardev *ivflat_socket_of(Chardev *chr)
{
    return (SocketChardev *)object_dynamic_cast(OBJECT(chr),
                                                TYPE_CHARDEV_SOCKET);
}

/* What is not passed on as it came, or NULL. */
static const char *ivflat_coding_of(const SocketChardev *sock)
{
    return sock->is_tn3270 ? "tn3270" : sock->is_telnet ? "telnet"
           : sock->is_websock ? "websocket" : NULL;
}

static bool ivflat_chardev_check(Chardev *chr, Error **errp)
{
    ERRP_GUARD();
    SocketChardev *sock = ivflat_socket_of(chr);

    if (!sock) {
        error_setg(errp, "chardev=%s: is a %s, which passes no descriptors",
                   chr->label, object_get_typename(OBJECT(chr)));
    } else if (sock->addr && sock->addr->type != SOCKET_ADDRESS_TYPE_UNIX &&
               sock->addr->type != SOCKET_ADDRESS_TYPE_FD) {
        error_setg(errp, "chardev=%s: is no UNIX socket, and others pass no "
                   "descriptors", chr->label);
    } else if (sock->is_listen) {
        error_setg(errp, "chardev=%s: waits for connections (server=on), but "
                   "it is the device that connects to the server", chr->label);
    } else if (ivflat_coding_of(sock)) {
        error_setg(errp, "chardev=%s: speaks %s (%s=on), which changes bytes "
                   "on their way", chr->label, ivflat_coding_of(sock),
                   ivflat_coding_of(sock));
    } else {
        return true;
    }
    error_append_hint(errp, "Use -chardev socket,id=%s,path=SOCKET, with the "
                      "path that ivflat-server listens on.\n", chr->label);
    return false;
}

bool ivflat_link_check(IvflatState *s, Error **errp)
{
    Chardev *chr = qemu_chr_fe_get_driver(&s->chardev);

    if (!s->path && !chr) {
        error_setg(errp, "path= or chardev= is missing: one of them says where "
                   "the server's socket is");
        return false;
    }
    if (s->path && chr) {
        error_setg(errp, "path=%s and chardev=%s are both given: one of them "
                   "is right", s->path, chr->label);
        return false;
    }
    if (chr && s->reconnect_ms) {
        error_setg(errp, "reconnect-ms=%" PRIu32 ": is for path=; a chardev "
                   "has an option of its own for that", s->reconnect_ms);
        return false;
    }
    return !chr || ivflat_chardev_check(chr, errp);
}

static void ivflat_hint(Error **errp)
{
    error_append_hint(errp, "Is the server there?  It is started by: "
                      "ivflat-server -S SOCKET -l 4M -n 2\n");
}

/* By path. */

/*
 * READY before the guest runs, for it may read IVPOSITION at once.  Who asks
 * for reconnecting has it begin without a server, if its memory can.
 */
static bool ivflat_path_up(IvflatState *s, Error **errp)
{
    ERRP_GUARD();
    bool may_wait = s->reconnect_ms && s->shmem_size;
    int32_t error = ivflat_device_connect(s->dev, s->path);

    if (error == 0 && may_wait &&
        ivflat_device_link(s->dev) == IVFLAT_LINK_DOWN) {
        return true;
    }
    if (error == 0) {
        error = ivflat_device_greet(s->dev, s->connect_timeout_ms);
    }
    if (error == 0 || (may_wait && error == IVFLAT_ERR_TIMEOUT)) {
        return true;
    }
    error_setg(errp, "%s", ivflat_last_error());
    ivflat_hint(errp);
    return false;
}

/* By chardev. */

/* What came with the last bytes; QEMU made them blocking, the library minds. */
static int32_t ivflat_chardev_feed(IvflatState *s, const uint8_t *bytes,
                                   int count)
{
    int fds[MAX_FDS];
    int fd_count = qemu_chr_fe_get_msgfds(&s->chardev, fds, MAX_FDS);

    return ivflat_device_feed(s->dev, bytes, count, fds, MAX(fd_count, 0));
}

/* A chardev's own reading has no limit: so we wait, and read what is there. */
static bool ivflat_chardev_wait(IvflatState *s, int64_t deadline)
{
    SocketChardev *sock = ivflat_socket_of(qemu_chr_fe_get_driver(&s->chardev));
    GPollFD fd = { .fd = sock->sioc ? sock->sioc->fd : -1, .events = G_IO_IN };
    int ready;

    do {
        int64_t left = deadline - qemu_clock_get_ms(QEMU_CLOCK_REALTIME);

        ready = left > 0 ? g_poll(&fd, 1, left) : 0;
    } while (ready < 0 && errno == EINTR);
    return ready > 0;
}

/* One byte at a time: that much is there when poll says so. */
static int32_t ivflat_chardev_read(IvflatState *s)
{
    uint8_t byte;

    if (qemu_chr_fe_read_all(&s->chardev, &byte, 1) == 1) {
        return ivflat_chardev_feed(s, &byte, 1);
    }
    ivflat_device_end(s->dev);
    return IVFLAT_ERR_CLOSED;
}

static bool ivflat_chardev_greet(IvflatState *s, Error **errp)
{
    ERRP_GUARD();
    int64_t deadline = qemu_clock_get_ms(QEMU_CLOCK_REALTIME) +
                       s->connect_timeout_ms;

    if (ivflat_device_begin(s->dev) < 0) {
        error_setg(errp, "%s", ivflat_last_error());
        return false;
    }
    while (ivflat_device_link(s->dev) == IVFLAT_LINK_GREETING) {
        if (!ivflat_chardev_wait(s, deadline)) {
            error_setg(errp, "chardev=%s: the server did not finish its "
                       "greeting within %" PRIu32 " ms (connect-timeout-ms)",
                       qemu_chr_fe_get_driver(&s->chardev)->label,
                       s->connect_timeout_ms);
            ivflat_hint(errp);
            return false;
        }
        if (ivflat_chardev_read(s) < 0) {
            error_setg(errp, "%s", ivflat_last_error());
            ivflat_hint(errp);
            return false;
        }
    }
    return true;
}

/* Never more than the message in hand lacks. */
static int ivflat_chardev_can_read(void *opaque)
{
    IvflatState *s = opaque;

    return ivflat_device_wants(s->dev);
}

/*
 * The server has to hear of it when we do not listen any more.  QEMU aborts
 * when a chardev is disconnected that is only about to connect.
 */
void ivflat_link_lost(IvflatState *s)
{
    if (qemu_chr_fe_backend_open(&s->chardev)) {
        qemu_chr_fe_disconnect(&s->chardev);
    }
}

static void ivflat_chardev_receive(void *opaque, const uint8_t *bytes,
                                   int count)
{
    IvflatState *s = opaque;

    if (ivflat_chardev_feed(s, bytes, count) < 0) {
        ivflat_link_lost(s);
    }
}

/* A chardev that is open says so once more to each who sets handlers. */
static void ivflat_chardev_event(void *opaque, QEMUChrEvent event)
{
    IvflatState *s = opaque;

    if (event == CHR_EVENT_OPENED &&
        ivflat_device_link(s->dev) == IVFLAT_LINK_DOWN) {
        ivflat_device_begin(s->dev);
    } else if (event == CHR_EVENT_CLOSED) {
        ivflat_device_end(s->dev);
    }
}

static bool ivflat_chardev_up(IvflatState *s, Error **errp)
{
    if (qemu_chr_fe_backend_open(&s->chardev)) {
        if (!ivflat_chardev_greet(s, errp)) {
            return false;
        }
    } else if (s->shmem_size == 0) {
        error_setg(errp, "chardev=%s: is not connected yet, so shmem-size=0 "
                   "(the server's) is not known: give a size",
                   qemu_chr_fe_get_driver(&s->chardev)->label);
        return false;
    }
    qemu_chr_fe_set_handlers(&s->chardev, ivflat_chardev_can_read,
                             ivflat_chardev_receive, ivflat_chardev_event,
                             NULL, s, NULL, true);
    return true;
}

bool ivflat_link_up(IvflatState *s, Error **errp)
{
    return s->path ? ivflat_path_up(s, errp) : ivflat_chardev_up(s, errp);
}

void ivflat_link_down(IvflatState *s)
{
    qemu_chr_fe_set_handlers(&s->chardev, NULL, NULL, NULL, NULL, NULL, NULL,
                             true);
    if (s->dev) {
        ivflat_device_disconnect(s->dev);
        ivflat_link_lost(s);
    }
}
