/* SPDX-License-Identifier: BSD-3-Clause */
/* The server, with clients that come, go, shout, send descriptors, stop reading and close, in any order.  At the end
 * each that is still there knows exactly who else is. */
#include "descriptors.h"
#include "input.h"
#include "joiner.h"

#include <libivflat/ivflat-server.h>

#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define SEATS    8
#define IDS      256 /* of clients that ever were: an input makes no more */
#define LOUD     4096
#define PATIENCE 1000 /* dispatches until all is quiet */

static struct {
    ivflat_server *server;
    bool joined[IDS];
    uint32_t count;
    uint32_t connects;
    bool in_call;
} run;

static struct joiner *seats[SEATS];
static char folder[] = "/tmp/ivflat-fuzz-XXXXXX";
static char path[sizeof(folder) + sizeof("/s")];

/* The hooks. */

static void check_hook(const void *user)
{
    MUST(user == &run && run.in_call);
    if (run.server) {
        MUST(ivflat_server_dispatch(run.server) == IVFLAT_ERR_BUSY);
    }
}

static void client_joined(void *user, const ivflat_server_client *client)
{
    MUST(client->id < IDS && !run.joined[client->id] && client->pid == getpid());
    run.joined[client->id] = true;
    run.count++;
    check_hook(user);
}

static void client_left(void *user, const ivflat_server_client *client, uint32_t reason, const char *text)
{
    MUST(client->id < IDS && run.joined[client->id] && *text && reason >= IVFLAT_LEFT_CLOSED &&
         reason <= IVFLAT_LEFT_UNSURE);
    run.joined[client->id] = false;
    run.count--;
    check_hook(user);
}

static void log_line(void *user, uint32_t level, const char *text)
{
    MUST(level >= IVFLAT_LOG_ERROR && level <= IVFLAT_LOG_DEBUG && *text && !strchr(text, '\n'));
    MUST(user == &run);
}

/* Clients. */

static void sit_down(uint8_t seat)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int sock;

    if (seats[seat] || run.connects == IDS) {
        return;
    }
    sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    memcpy(address.sun_path, path, sizeof(path));
    if (connect(sock, (struct sockaddr *)&address, sizeof(address)) < 0) {
        close(sock);
        return;
    }
    run.connects++;
    seats[seat] = joiner_new(sock);
}

static void stand_up(uint8_t seat)
{
    joiner_free(seats[seat]);
    seats[seat] = NULL;
}

/* What a client should not say: bytes, and descriptors of any kind. */
static void shout(struct input *input, struct joiner *joiner)
{
    static const uint8_t noise[2048];
    uint8_t how = take_byte(input);
    int fd = how & 0x80 ? make_fd(take_byte(input)) : -1;

    joiner_shout(joiner, noise, how & 0x40 ? sizeof(noise) : (how & 0x3f), fd);
    if (fd >= 0) {
        close(fd);
    }
}

static void client(struct input *input, uint8_t seat, uint8_t what)
{
    if (!seats[seat]) {
        sit_down(seat);
        return;
    }
    switch (what) {
    case 0:
        stand_up(seat);
        break;
    case 1:
        shout(input, seats[seat]);
        break;
    case 2:
        joiner_shut(seats[seat], take_byte(input));
        break;
    default:
        joiner_read(seats[seat], 1u + take_byte(input) % 16);
        break;
    }
}

/* The server. */

static void dispatch(void)
{
    run.in_call = true;
    MUST(ivflat_server_dispatch(run.server) == 0);
    run.in_call = false;
    MUST(ivflat_server_clients(run.server) == run.count);
}

static void read_all(void)
{
    for (int seat = 0; seat < SEATS; seat++) {
        if (seats[seat]) {
            joiner_read(seats[seat], UINT32_MAX);
        }
    }
}

/* Until the server has nothing to do and its clients have nothing to read. */
static void settle(void)
{
    struct pollfd wanted = {.fd = ivflat_server_get_fd(run.server), .events = POLLIN};

    read_all();
    for (int i = 0; i < PATIENCE && poll(&wanted, 1, 0) == 1; i++) {
        dispatch();
        read_all();
    }
    MUST(poll(&wanted, 1, 0) == 0);
}

/* It knows all of those that are there, and of those that are not, that they left. */
static void check_knowledge(const struct joiner *joiner, uint32_t vectors)
{
    for (int other = 0; other < SEATS; other++) {
        MUST(!seats[other] || !joiner_is_there(seats[other]) || joiner_knows(joiner, seats[other]->id, vectors));
    }
    for (uint32_t id = 0; id < IDS; id++) {
        MUST(run.joined[id] || joiner->vectors[id] == 0 || joiner->left[id]);
    }
    MUST(run.joined[joiner->id]);
}

static void check_clients(uint32_t vectors, uint32_t max_queue)
{
    for (int seat = 0; seat < SEATS; seat++) {
        const struct joiner *joiner = seats[seat];

        if (joiner) {
            MUST(!joiner->ended || max_queue || joiner->shut || joiner->said > LOUD);
        }
        if (joiner && joiner_is_there(joiner)) {
            check_knowledge(joiner, vectors);
        }
    }
}

static ivflat_server *make_server(uint8_t how)
{
    const ivflat_server_config config = {
        .struct_size = sizeof(config),
        .vectors = 1u + (how & 3),
        .memory_size = MEMORY_SIZE,
        .socket_path = path,
        .no_interrupts = how >> 2 & 1,
        .max_queue = how >> 3 & 7,
    };
    const ivflat_server_hooks hooks = {
        .struct_size = sizeof(hooks),
        .user = &run,
        .client_joined = client_joined,
        .client_left = client_left,
        .log = log_line,
    };
    ivflat_server *server;

    MUST(ivflat_server_new(&server, &config, &hooks) == 0);
    return server;
}

static void remove_folder(void)
{
    rmdir(folder);
}

static void set_up(void)
{
    if (!path[0]) {
        MUST(mkdtemp(folder));
        snprintf(path, sizeof(path), "%s/s", folder);
        atexit(remove_folder);
    }
    count_descriptors();
    peers_may_block(true);
    memset(&run, 0, sizeof(run));
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    struct input input = {bytes, size};
    uint8_t how = take_byte(&input);
    uint32_t vectors = how >> 2 & 1 ? 0 : 1u + (how & 3);

    set_up();
    run.server = make_server(how);
    while (input_has(&input)) {
        uint8_t step = take_byte(&input);

        if (step & 0x80) {
            dispatch();
        } else {
            client(&input, step & 7, step >> 3 & 7);
        }
    }
    settle();
    check_clients(vectors, how >> 3 & 7);
    ivflat_server_free(run.server);
    MUST(access(path, F_OK) != 0);
    for (uint8_t seat = 0; seat < SEATS; seat++) {
        stand_up(seat);
    }
    forget_copies();
    check_descriptors();
    return 0;
}
