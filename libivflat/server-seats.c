/* SPDX-License-Identifier: BSD-3-Clause */
/* Seats: ids that are given at a socket of their own, and the one that this process itself has. */
#include <libivflat/ivflat-server.h>

#include "abi.h"
#include "error.h"
#include "fdio.h"
#include "server-clients.h"
#include "server-doors.h"
#include "server-io.h"
#include "server-save.h"
#include "server-seats.h"
#include "server-state.h"

#include <stddef.h>

#define FIRST_SEAT ((uint32_t)(offsetof(ivflat_server_seat, keep) + sizeof(uint32_t)))

#define INVALID(...) ivf_fail(IVFLAT_ERR_INVALID, __VA_ARGS__)

/* Before the first dispatch, of one that goes on: what is asked for now is what counts. */
static void make_room(ivflat_server *server, uint32_t id)
{
    struct ivf_client *client = ivf_ids_holder(&server->ids, id);

    if (server->asking && client && !server->in_hook) {
        ivf_clients_drop(server, client, IVFLAT_LEFT_DROPPED, g_strdup("its id is a seat's now, or its seat is gone"));
        ivf_clients_reap_all(server);
    }
}

static int32_t check_id(const ivflat_server *server, uint32_t id)
{
    if (server->in_hook) {
        return ivf_fail(IVFLAT_ERR_BUSY, "a seat cannot be added from inside a hook");
    }
    if (id >= IVFLAT_MAX_PEERS) {
        return INVALID("ivflat_server_seat.id is %u, at most %u is right", id, IVFLAT_MAX_PEERS - 1);
    }
    if (ivf_ids_holder(&server->ids, id)) {
        return INVALID("id %u is taken already", id);
    }
    return 0;
}

static int32_t check_seat(const ivflat_server *server, const ivflat_server_seat *seat)
{
    int32_t error = check_id(server, seat->id);

    if (error == 0 && ivf_doors_find(server, seat->id)) {
        error = INVALID("id %u has a seat already", seat->id);
    }
    if (error == 0 && seat->listen_fd && seat->socket_path) {
        error = INVALID("ivflat_server_seat.listen_fd and .socket_path are both set, one of them is right");
    }
    if (error == 0 && seat->listen_fd <= 0) {
        error = ivf_fd_check_path(seat->socket_path);
    }
    return error ? error : ivf_abi_at_most(seat->keep, 1, "ivflat_server_seat.keep");
}

/* A door that could not be opened stays as one that nobody finds. */
static int32_t add(ivflat_server *server, const ivflat_server_seat *seat)
{
    int32_t error =
        ivf_doors_add(server, seat->socket_path, seat->listen_fd, (int32_t)seat->id, "ivflat_server_seat.listen_fd");
    struct ivf_door *door = g_ptr_array_index(server->doors, server->doors->len - 1);

    if (error) {
        ivf_fd_close(door->listener);
        door->listener = -1;
        door->id = -1;
        return error;
    }
    door->keep = seat->keep;
    ivf_ids_reserve(&server->ids, seat->id);
    return 0;
}

/* It may be asked for otherwise than before: from now on who sits here is kept, or is not, and who was kept is gone. */
static void set_keep(ivflat_server *server, struct ivf_door *door, bool keep)
{
    const struct ivf_client *client = ivf_ids_holder(&server->ids, (uint64_t)door->id);

    if (door->keep != keep) {
        door->keep = keep;
        door->item = keep && client ? client->item : NULL;
        ivf_clients_told_gone(server);
    }
}

/* Nobody comes by it any more, and who is there has to go. */
static void give_up(ivflat_server *server, struct ivf_door *door)
{
    set_keep(server, door, false);
    make_room(server, (uint32_t)door->id);
    ivf_doors_shut(server, door);
    door->restored = false;
    door->id = -1; /* nobody finds it */
    ivf_save_changed(server);
}

static bool is_at(const struct ivf_door *door, const char *path)
{
    return !path || !door->path || g_str_equal(path, door->path);
}

/* It was there before the process was replaced. */
static bool take_restored(ivflat_server *server, const ivflat_server_seat *seat)
{
    struct ivf_door *door = seat->id < IVFLAT_MAX_PEERS ? ivf_doors_find(server, seat->id) : NULL;
    bool was_there = door && door->restored && door->listener >= 0 && seat->keep <= 1 && !server->in_hook;

    if (was_there && !is_at(door, seat->socket_path)) {
        give_up(server, door);
        return false;
    }
    if (was_there) {
        door->restored = false;
        set_keep(server, door, seat->keep);
    }
    return was_there;
}

void ivf_seats_asked(ivflat_server *server)
{
    for (uint32_t i = 1; server->asking && i < server->doors->len; i++) {
        struct ivf_door *door = g_ptr_array_index(server->doors, i);

        if (door->restored && door->id >= 0 && door->listener >= 0) {
            give_up(server, door);
        }
    }
    server->asking = false;
}

int32_t ivflat_server_add_seat(ivflat_server *server, const ivflat_server_seat *seat)
{
    ivflat_server_seat ours;
    int32_t error;

    if (!server || !seat) {
        return INVALID("ivflat_server_add_seat() needs a server and a seat");
    }
    error = ivf_abi_take(&ours, sizeof(ours), seat, FIRST_SEAT, "ivflat_server_seat");
    if (error) {
        return error;
    }
    if (take_restored(server, &ours)) {
        ivf_fd_close(ours.listen_fd > 0 ? ours.listen_fd : -1);
        return 0;
    }
    make_room(server, ours.id);
    error = check_seat(server, &ours);
    if (error) {
        ivf_fd_close(ours.listen_fd > 0 ? ours.listen_fd : -1);
        return error;
    }
    return add(server, &ours);
}

/* The seat that this process has as @id, made at its first coming; NULL: somebody else's. */
static struct ivf_door *own_seat(ivflat_server *server, uint32_t id)
{
    struct ivf_door *door = ivf_doors_find(server, id);

    if (door) {
        return door->listener < 0 ? door : NULL;
    }
    add(server, &(ivflat_server_seat){.id = id, .keep = 1});
    return ivf_doors_find(server, id);
}

int32_t ivflat_server_join(ivflat_server *server, uint32_t id, int32_t *socket_fd)
{
    struct ivf_identity who;
    struct ivf_door *door;
    int32_t error;
    int ends[2];
    int result;

    if (!server || !socket_fd) {
        return INVALID("ivflat_server_join() needs a server, and somewhere to put the socket");
    }
    *socket_fd = -1;
    error = check_id(server, id);
    if (error) {
        return error;
    }
    door = own_seat(server, id);
    if (!door) {
        return INVALID("id %u has a seat with a socket", id);
    }
    result = ivf_io_pair(ends);
    if (result < 0) {
        return ivf_fail_errno(-result, "cannot make a socket for ourselves");
    }
    ivf_io_identify(ends[0], &who);
    result = ivf_clients_add(server, ends[0], id, door, &who);
    if (result < 0) {
        ivf_fd_close(ends[0]);
        ivf_fd_close(ends[1]);
        return ivf_fail_errno(-result, "cannot be a peer of our own server");
    }
    ivf_fd_event_set(server->wake); /* it is to be greeted */
    *socket_fd = ends[1];
    return 0;
}
