/* SPDX-License-Identifier: BSD-3-Clause */
/* A server that goes on where another one ended, when what was written down is any other number, and what was kept any
 * other descriptor.  It may start afresh, or drop whom it likes; afterwards it is a server like others. */
#include "descriptors.h"
#include "input.h"

#include "server-map.h"
#include "server-save.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define KEPT     64 /* descriptors */
#define SEATS    6  /* sockets of clients */
#define SEAT_ID  9
#define PATIENCE 1000

struct kept {
    char name[20];
    int fd;
};

static struct kept store[KEPT];
static unsigned kept;
static int clients[SEATS] = {[0 ... SEATS - 1] = -1};
static char folder[] = "/tmp/ivflat-fuzz-XXXXXX";
static char path[sizeof(folder) + sizeof("/s")];
static char seat_path[sizeof(folder) + sizeof("/n")];
static char other_path[sizeof(folder) + sizeof("/o")];

/* The manager of services. */

static void forget(void *user, const char *name)
{
    (void)user;
    for (unsigned i = 0; i < kept; i++) {
        if (strcmp(store[i].name, name) == 0) {
            close(store[i].fd);
            store[i--] = store[--kept];
        }
    }
}

static void keep(void *user, const char *name, int32_t fd)
{
    MUST(kept < KEPT && strlen(name) < sizeof(store[0].name));
    forget(user, name);
    strcpy(store[kept].name, name);
    store[kept++].fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
}

static void log_line(void *user, uint32_t level, const char *text)
{
    (void)user;
    MUST(level >= IVFLAT_LOG_WARNING && level <= IVFLAT_LOG_DEBUG && *text);
}

/* @how: its seat is as it was, or is not, or is another. */
static ivflat_server *make_server(int32_t handed, uint32_t vectors, uint8_t how)
{
    const ivflat_server_config config = {.struct_size = sizeof(config),
                                         .vectors = vectors,
                                         .memory_size = MEMORY_SIZE,
                                         .socket_path = path,
                                         .keep_state = 1,
                                         .handed_fd = handed};
    const ivflat_server_hooks hooks = {
        .struct_size = sizeof(hooks), .descriptor_added = keep, .descriptor_removed = forget, .log = log_line};
    const ivflat_server_seat seat = {.struct_size = sizeof(seat),
                                     .id = how & 1 ? (uint32_t)(how >> 4) : SEAT_ID,
                                     .socket_path = how & 2 ? other_path : seat_path,
                                     .keep = !(how & 4)};
    ivflat_server *server;

    if (ivflat_server_new(&server, &config, &hooks) < 0) {
        return NULL; /* the socket that was kept, or another, is at the path */
    }
    if (!(how & 8)) {
        ivflat_server_add_seat(server, &seat); /* the one that was kept may be another */
    }
    return server;
}

static void run(ivflat_server *server)
{
    for (int i = 0; i < PATIENCE && ivflat_server_wait(server, 0) == 1; i++) {
        MUST(ivflat_server_dispatch(server) == 0);
    }
}

/* Clients, which read nothing: what they are told is another target's. */

static void sit_down(unsigned seat, const char *where)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (clients[seat] >= 0) {
        return;
    }
    clients[seat] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", where);
    if (connect(clients[seat], (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(clients[seat]);
        clients[seat] = -1;
    }
}

static void stand_up(unsigned seat)
{
    if (clients[seat] >= 0) {
        close(clients[seat]);
        clients[seat] = -1;
    }
}

/* Some come and go, at both sockets. */
static void bustle(ivflat_server *server, struct input *input)
{
    for (unsigned steps = take_byte(input) % 16; steps > 0; steps--) {
        uint8_t step = take_byte(input);
        unsigned seat = (step & 7) % SEATS;

        if (clients[seat] >= 0) {
            stand_up(seat);
        } else {
            sit_down(seat, step & 0x80 ? seat_path : path);
        }
        if (!(step & 0x40)) {
            run(server);
        }
    }
}

/* What is handed on. */

static void damage(struct input *input, GByteArray *body)
{
    uint32_t at = (uint32_t)take_number(input, 2) * 4 % body->len;
    uint32_t from = (uint32_t)take_number(input, 2) * 4 % body->len;
    uint8_t how = take_byte(input);
    uint32_t count = MIN(how & 0x80 ? 8u : 4u, body->len - at);
    uint8_t piece[160];
    uint64_t number;

    switch (how & 7) {
    case 0: /* a number of another place: keys and serials that are there */
        memmove(body->data + at, body->data + from, MIN(count, body->len - from));
        return;
    case 1: /* cut short, or twice */
        g_byte_array_set_size(body, MAX(at, 1));
        return;
    case 2:
        count = MIN((uint32_t)sizeof(piece), body->len - at);
        memcpy(piece, body->data + at, count);
        g_byte_array_append(body, piece, count);
        return;
    case 3:
        number = take_number(input, 8);
        break;
    case 4: /* one of a neighbour's */
        memcpy(&number, body->data + at, MIN(count, sizeof(number)));
        number += (uint64_t)(int8_t)take_byte(input);
        break;
    default:
        number = take_byte(input);
        break;
    }
    memcpy(body->data + at, &number, count);
}

static void damage_record(struct input *input)
{
    struct ivf_map map;
    GByteArray *body;

    for (unsigned i = 0; i < kept; i++) {
        if (strcmp(store[i].name, IVF_STATE_NAME) == 0) {
            MUST(ivf_map_open(&map, fcntl(store[i].fd, F_DUPFD_CLOEXEC, 3)) == 0);
            body = ivf_map_read(&map);
            MUST(body && body->len > 0);
            for (unsigned steps = take_byte(input) % 8; steps > 0; steps--) {
                damage(input, body);
            }
            MUST(ivf_map_write(&map, body) == 0);
            map.progress[take_byte(input) % 16].sent += take_byte(input) & 3;
            g_byte_array_unref(body);
            ivf_map_close(&map);
        }
    }
}

/* Some are lost, some are others. */
static void damage_store(struct input *input)
{
    for (unsigned steps = take_byte(input) % 4; steps > 0 && kept > 0; steps--) {
        unsigned which = take_byte(input) % kept;
        uint8_t how = take_byte(input);
        unsigned other = how % kept;
        int fd = (how & 0xc0) == 0x80 ? make_fd(take_byte(input)) : -1;

        if (how & 0x40) {
            int before = store[which].fd;

            store[which].fd = store[other].fd;
            store[other].fd = before;
        } else if (fd >= 0) {
            close(store[which].fd);
            store[which].fd = fd;
        } else {
            close(store[which].fd);
            store[which] = store[--kept];
        }
    }
}

static int32_t list_of_store(void)
{
    GString *text = g_string_new(NULL);
    int32_t list;

    for (unsigned i = 0; i < kept; i++) {
        g_string_append_printf(text, "%d %s\n", fcntl(store[i].fd, F_DUPFD_CLOEXEC, 3), store[i].name);
    }
    list = ivf_map_write_list(text->str);
    g_string_free(text, TRUE);
    return list;
}

static void kill_server(ivflat_server *server)
{
    server->process = 0; /* somebody else's: descriptors are closed, and nothing else is done */
    ivflat_server_free(server);
}

static void remove_folder(void)
{
    unlink(path);
    unlink(seat_path);
    unlink(other_path);
    rmdir(folder);
}

/* As every program of ours: 0 says "none" where a descriptor is handed on. */
static void open_standard(void)
{
    int fd;

    while ((fd = open("/dev/null", O_RDWR)) >= 0 && fd < 3) {
    }
    close(fd);
}

static void set_up(void)
{
    if (!path[0]) {
        open_standard();
        MUST(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/s", folder);
        snprintf(seat_path, sizeof(seat_path), "%s/n", folder);
        snprintf(other_path, sizeof(other_path), "%s/o", folder);
        atexit(remove_folder);
    }
    unlink(path); /* whose file it was may have been damaged too */
    unlink(seat_path);
    unlink(other_path);
    count_descriptors();
    peers_may_block(true);
}

static void tidy(void)
{
    for (unsigned seat = 0; seat < SEATS; seat++) {
        stand_up(seat);
    }
    while (kept > 0) {
        close(store[--kept].fd);
    }
    forget_copies();
    check_descriptors();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    uint32_t vectors = 1u + take_byte(&input) % 3;
    ivflat_server *server;

    set_up();
    server = make_server(0, vectors, 0);
    MUST(server && ivflat_server_dispatch(server) == 0); /* it has written down that there is nobody */
    bustle(server, &input);
    run(server);
    kill_server(server);
    damage_record(&input);
    damage_store(&input);
    server = make_server(list_of_store(), vectors, take_byte(&input));
    if (server) {
        bustle(server, &input);
        run(server);
        if (take_byte(&input) & 1) {
            kill_server(server);
            server = make_server(list_of_store(), vectors, take_byte(&input));
        }
    }
    if (server) {
        bustle(server, &input);
        run(server);
    }
    ivflat_server_free(server);
    tidy();
    return 0;
}
