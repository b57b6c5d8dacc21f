/* SPDX-License-Identifier: BSD-3-Clause */
#include "server-doors.h"

#include "error.h"
#include "fdio.h"
#include "server-io.h"
#include "server-save.h"

#include <errno.h>

static int32_t cannot_listen(const char *path, int error)
{
    switch (error) {
    case -EADDRINUSE:
        return ivf_fail(IVFLAT_ERR_SYSTEM, "a server listens on %s already: stop it, or use another path", path);
    case -EEXIST:
        return ivf_fail(IVFLAT_ERR_SYSTEM, "%s is there and is no socket: remove it, or use another path", path);
    case -EDEADLK:
        return ivf_fail(IVFLAT_ERR_SYSTEM,
                        "cannot listen on %s: another program keeps its folder locked, as servers do for a moment when "
                        "they start: use another folder",
                        path);
    default:
        return ivf_fail_errno(-error, "cannot listen on %s", path);
    }
}

static int32_t open_path(const ivflat_server *server, struct ivf_door *door, const char *path)
{
    door->listener = ivf_io_listen(path, server->socket_mode, server->socket_gid);
    if (door->listener < 0) {
        return cannot_listen(path, door->listener);
    }
    door->path = g_strdup(path);
    ivf_fd_remember_file(path, &door->file);
    return 0;
}

static int32_t take_listener(struct ivf_door *door, int32_t listener, const char *field)
{
    int result = ivf_io_check_listener(listener);

    door->listener = listener;
    return result < 0 ? ivf_fail_errno(-result, "%s is %d, no UNIX stream socket that listens", field, listener) : 0;
}

int32_t ivf_doors_add(ivflat_server *server, const char *path, int32_t listener, int32_t id, const char *field)
{
    struct ivf_door *door = g_new0(struct ivf_door, 1);
    uint64_t tag = IVF_TAG_DOOR + (uint64_t)server->doors->len;
    int32_t error = 0;
    int result = 0;

    g_ptr_array_add(server->doors, door); /* what it has is closed with the others */
    door->listener = -1;
    door->key = ivf_save_keys(server, 1);
    door->id = id;
    if (path) {
        error = open_path(server, door, path);
    } else if (listener > 0) {
        error = take_listener(door, listener, field);
    }
    if (error == 0 && door->listener >= 0 && !server->paused) {
        result = ivf_fd_watch(server->epoll, door->listener, tag);
    }
    if (error == 0 && door->listener >= 0) {
        ivf_save_added(server, door->key, door->listener);
        ivf_save_changed(server);
    }
    return result < 0 ? ivf_fail_errno(-result, "cannot wait for clients") : error;
}

struct ivf_door *ivf_doors_find(const ivflat_server *server, uint32_t id)
{
    for (uint32_t i = 0; i < server->doors->len; i++) {
        struct ivf_door *door = g_ptr_array_index(server->doors, i);

        if (door->id == (int32_t)id) {
            return door;
        }
    }
    return NULL;
}

int ivf_doors_watch(ivflat_server *server)
{
    int result = 0;

    for (uint32_t i = 0; i < server->doors->len && result == 0; i++) {
        const struct ivf_door *door = g_ptr_array_index(server->doors, i);

        result = door->listener < 0 ? 0 : ivf_fd_watch(server->epoll, door->listener, IVF_TAG_DOOR + (uint64_t)i);
    }
    if (result < 0) {
        ivf_doors_unwatch(server);
    }
    return result;
}

void ivf_doors_unwatch(ivflat_server *server)
{
    for (uint32_t i = 0; i < server->doors->len; i++) {
        const struct ivf_door *door = g_ptr_array_index(server->doors, i);

        ivf_fd_unwatch(server->epoll, door->listener);
    }
}

void ivf_doors_shut(ivflat_server *server, struct ivf_door *door)
{
    ivf_fd_unwatch(server->epoll, door->listener);
    if (door->path && door->file.inode) {
        ivf_fd_remove_file(door->path, &door->file);
    }
}

/* Who connected and was not accepted is emptied too. */
static void close_door(struct ivf_door *door, bool ours)
{
    int sock;

    if (ours && door->path && door->file.inode) { /* another server may have put its own there since */
        ivf_fd_remove_file(door->path, &door->file);
    }
    while (ours && door->listener >= 0 && (sock = ivf_fd_accept(door->listener)) >= 0) {
        ivf_fd_close_stream(sock);
    }
    ivf_fd_close(door->listener > 0 ? door->listener : -1);
    g_free(door->path);
    g_free(door);
}

void ivf_doors_close(ivflat_server *server, bool ours)
{
    if (ours) { /* epoll looks at the file, of which others may keep copies (P16) */
        ivf_doors_unwatch(server);
    }
    for (uint32_t i = 0; i < server->doors->len; i++) {
        close_door(g_ptr_array_index(server->doors, i), ours);
    }
    g_ptr_array_unref(server->doors);
}
