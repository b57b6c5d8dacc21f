/* SPDX-License-Identifier: BSD-3-Clause */
/* The server as a program: a user of the public headers like anybody else. */
#include "background.h"
#include "host-peer.h"
#include "pid-file.h"
#include "server-options.h"
#include "standard-fds.h"

#include <errno.h>
#include <glib-unix.h>
#include <inttypes.h>
#include <libivflat/ivflat-glib.h>
#include <libivflat/ivflat-server.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <syslog.h>

#define EXIT_USAGE      2
#define OWN_DESCRIPTORS 12 /* standard, listener, memory, loops, and one to accept with */

struct program {
    struct server_options options;
    GMainLoop *loop;
    struct host_peer *host; /* NULL: none */
    rlim_t descriptors;     /* that we may have */
    gboolean in_background; /* nobody reads what we print */
    int status;
};

static void on_joined(void *user, const ivflat_server_client *client)
{
    const struct program *program = user;

    if (program->options.verbose) {
        printf("client %u joined, process %d, user %d\n", client->id, client->pid, (int)client->uid);
    }
}

static void on_left(void *user, const ivflat_server_client *client, uint32_t reason, const char *text)
{
    const struct program *program = user;

    (void)reason;
    if (program->options.verbose) {
        printf("client %u left: %s\n", client->id, text);
    }
}

static void on_log(void *user, uint32_t level, const char *text)
{
    struct program *program = user;

    if (program->in_background && level <= IVFLAT_LOG_WARNING) {
        syslog(level == IVFLAT_LOG_ERROR ? LOG_ERR : LOG_WARNING, "%s", text);
    } else if (level <= IVFLAT_LOG_WARNING || program->options.verbose) {
        g_printerr("ivflat-server: %s\n", text);
    }
    if (level == IVFLAT_LOG_ERROR) {
        program->status = EXIT_FAILURE;
        g_main_loop_quit(program->loop);
    }
}

static gboolean on_signal(gpointer user)
{
    struct program *program = user;

    g_main_loop_quit(program->loop);
    return G_SOURCE_CONTINUE;
}

static gboolean is_ignored(int number)
{
    struct sigaction action;

    return sigaction(number, NULL, &action) == 0 && action.sa_handler == SIG_IGN;
}

/* Every client takes one descriptor and one for each vector: as many as we may have.  Answers how many. */
static rlim_t raise_descriptors(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0) {
        return 1024;
    }
    limit.rlim_cur = limit.rlim_max;
    if (setrlimit(RLIMIT_NOFILE, &limit) < 0) {
        getrlimit(RLIMIT_NOFILE, &limit);
    }
    return limit.rlim_cur;
}

/* What descriptors allow, and what was asked for. */
static uint32_t most_clients(const struct server_options *options, rlim_t descriptors)
{
    rlim_t most = descriptors > OWN_DESCRIPTORS ? (descriptors - OWN_DESCRIPTORS) / (1 + options->vectors) : 0;
    uint32_t wanted = options->max_clients ? options->max_clients : IVFLAT_MAX_PEERS;

    return (uint32_t)MIN(most, wanted);
}

static int32_t open_server(struct program *program, ivflat_server **server)
{
    const struct server_options *options = &program->options;
    ivflat_server_config config = {
        .struct_size = sizeof(config),
        .vectors = options->vectors,
        .no_interrupts = options->vectors == 0,
        .memory_size = options->size,
        .socket_path = options->socket,
        .memory_name = options->shm_name,
        .memory_dir = options->shm_dir,
        .memory_file = options->file,
        .huge_page = options->huge_page,
        .allow_uids = (const uint32_t *)(void *)options->allow_uids->data,
        .allow_uid_count = options->allow_uids->len,
        .allow_gids = (const uint32_t *)(void *)options->allow_gids->data,
        .allow_gid_count = options->allow_gids->len,
        .socket_mode = options->mode,
        .socket_gid = options->group,
        .ids = options->ids,
        .max_queue = options->max_queue,
        .max_queue_bytes = options->max_queue_bytes,
        .max_clients = options->max_clients,
        .max_per_uid = options->max_per_uid,
    };
    ivflat_server_hooks hooks = {
        .struct_size = sizeof(hooks),
        .user = program,
        .client_joined = on_joined,
        .client_left = on_left,
        .log = on_log,
    };

    return ivflat_server_new(server, &config, &hooks);
}

static int32_t add_seats(const struct server_options *options, ivflat_server *server)
{
    int32_t error = 0;

    for (guint i = 0; i < options->peers->len && error == 0; i++) {
        const struct server_peer *peer = &g_array_index(options->peers, struct server_peer, i);
        ivflat_server_seat seat = {
            .struct_size = sizeof(seat), .id = peer->id, .socket_path = peer->socket, .keep = (uint32_t)peer->keep};

        error = ivflat_server_add_seat(server, &seat);
    }
    return error;
}

/* All but the listening: with the host as a peer, where that is asked for. */
static int32_t set_up(struct program *program, ivflat_server *server)
{
    const struct server_options *options = &program->options;

    if (add_seats(options, server) < 0) {
        return IVFLAT_ERR_SYSTEM;
    }
    if (options->host_peer >= 0) {
        program->host = host_peer_new(server, (uint32_t)options->host_peer, options->vectors);
        return program->host ? 0 : IVFLAT_ERR_SYSTEM;
    }
    return 0;
}

static void say_ready(const struct program *program)
{
    const struct server_options *options = &program->options;

    printf("ivflat-server: ready on %s (%" PRIu64 " bytes, %u vector%s, room for %u clients)\n", options->socket,
           options->size, options->vectors, options->vectors == 1 ? "" : "s",
           most_clients(options, program->descriptors));
    fflush(stdout);
}

static int serve(struct program *program, ivflat_server *server)
{
    GSource *source = ivflat_server_source_new(server);

    g_source_attach(source, NULL);
    g_main_loop_run(program->loop);
    g_source_destroy(source);
    g_source_unref(source);
    return program->status;
}

/* @told: for background_ready(); -1: we stay in the foreground. */
static int serve_ready(struct program *program, ivflat_server *server, int told)
{
    const char *path = told < 0 ? NULL : program->options.pid_file;
    int pid_file = -1;
    GError *error = NULL;
    int status;

    if (path && (pid_file = pid_file_write(path, &error)) < 0) {
        g_printerr("ivflat-server: cannot write the pid file: %s; --pid-file names another\n", error->message);
        g_error_free(error);
        return EXIT_USAGE;
    }
    say_ready(program);
    if (told >= 0) {
        background_ready(told);
        openlog("ivflat-server", LOG_PID | LOG_NDELAY, LOG_DAEMON); /* now: later there may be no descriptor */
        program->in_background = TRUE;
    }
    status = serve(program, server);
    if (path) {
        pid_file_remove(path, pid_file);
    }
    return status;
}

static int run(struct program *program, int told)
{
    ivflat_server *server = NULL;
    int status = EXIT_USAGE;

    program->descriptors = raise_descriptors();
    program->loop = g_main_loop_new(NULL, FALSE);
    g_unix_signal_add(SIGTERM, on_signal, program); /* before there is anything to clean up */
    g_unix_signal_add(SIGINT, on_signal, program);
    if (!is_ignored(SIGHUP)) { /* nohup(1) */
        g_unix_signal_add(SIGHUP, on_signal, program);
    }
    if (open_server(program, &server) < 0 || set_up(program, server) < 0) {
        g_printerr("ivflat-server: %s\n", ivflat_last_error());
    } else {
        status = serve_ready(program, server, told);
    }
    host_peer_free(program->host);
    ivflat_server_free(server);
    g_main_loop_unref(program->loop);
    return status;
}

int main(int argc, char **argv)
{
    struct program program = {.status = EXIT_SUCCESS};
    int status = server_options_parse(&program.options, argc, argv);
    int told = -1;

    if (status >= 0) {
        server_options_clear(&program.options);
        return status;
    }
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); /* nothing that we start may have more than we have */
    standard_fds_open();
    setvbuf(stdout, NULL, _IOLBF, 0);
    signal(SIGPIPE, SIG_IGN); /* who reads our lines may go */
    if (!program.options.foreground && (told = background_begin()) < 0) {
        g_printerr("ivflat-server: cannot go into the background: %s\n", g_strerror(errno));
        return EXIT_FAILURE;
    }
    status = run(&program, told);
    server_options_clear(&program.options);
    return status;
}
