/* SPDX-License-Identifier: BSD-3-Clause */
/* The server as a program: a user of the public headers like anybody else. */
#include "background.h"
#include "host-peer.h"
#include "pid-file.h"
#include "privileges.h"
#include "restart.h"
#include "sandbox.h"
#include "server-options.h"
#include "server-output.h"
#include "service.h"
#include "signals.h"
#include "standard-fds.h"

#include <errno.h>
#include <libivflat/ivflat-glib.h>
#include <libivflat/ivflat-server.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define EXIT_USAGE      2
#define OWN_DESCRIPTORS 13 /* standard, listener, memory, loops, signals, and one to accept with */

struct program {
    struct server_options options;
    struct handed handed; /* by the program before this one, and then to the next */
    struct service_fds service;
    ivflat_server *server;
    struct host_peer *host; /* NULL: none */
    GMainLoop *loop;
    rlim_t descriptors; /* that we may have */
    int64_t started;
    gboolean again;  /* in our own place */
    gboolean over;   /* a signal said so */
    gboolean leave;  /* all as it is, to who is started next, if anybody is */
    gboolean unkept; /* a descriptor was */
    int status;
};

/* Hooks. */

static void on_joined(void *user, const ivflat_server_client *client)
{
    (void)user;
    output_joined(client);
}

static void on_left(void *user, const ivflat_server_client *client, uint32_t reason, const char *text)
{
    (void)user;
    output_left(client, reason, text);
}

static void on_refused(void *user, const ivflat_server_client *client, uint32_t reason, const char *text)
{
    (void)user;
    output_refused(client, reason, text);
}

/* One line while it goes wrong: who lacks it would be gone after a crash, and nobody else. */
static void on_descriptor(void *user, const char *name, int32_t fd)
{
    struct program *program = user;
    gboolean kept = service_keep(name, fd);

    if (!kept && !program->unkept) {
        char *text = g_strconcat("the manager of services does not keep all descriptors, so that a crash would lose "
                                 "clients: ",
                                 g_strerror(errno), NULL);

        output_log(IVFLAT_LOG_WARNING, text);
        g_free(text);
    }
    program->unkept = !kept;
}

static void on_no_descriptor(void *user, const char *name)
{
    (void)user;
    service_forget(name);
}

static void on_log(void *user, uint32_t level, const char *text)
{
    struct program *program = user;

    output_log(level, text);
    if (level == IVFLAT_LOG_ERROR) {
        program->status = EXIT_FAILURE;
        g_main_loop_quit(program->loop);
    }
}

static void say_that_it_goes_on(const char *problem)
{
    char *text = g_strconcat("cannot start anew, this server goes on: ", problem, NULL);

    output_log(IVFLAT_LOG_WARNING, text);
    g_free(text);
}

/* A newer program is, or is not, what can take over. */
static void on_tried(const char *problem, gpointer user)
{
    struct program *program = user;

    if (program->over) {
        return;
    }
    if (problem) {
        say_that_it_goes_on(problem);
    } else if (!service_knows_all()) {
        say_that_it_goes_on("the manager of services has not taken all yet that it is to keep");
    } else {
        program->again = TRUE;
        g_main_loop_quit(program->loop);
    }
}

static void on_signal(int number, gpointer user)
{
    struct program *program = user;

    if (number == SIGUSR1) {
        output_status(program->server, program->started);
        return;
    }
    if (number == SIGHUP) {
        restart_try(on_tried, program);
        return;
    }
    program->over = TRUE;
    program->leave = number == SIGTERM && program->options.keep_state;
    g_main_loop_quit(program->loop);
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

/* The server. */

static ivflat_server_config config_of(const struct program *program)
{
    const struct server_options *options = &program->options;

    return (ivflat_server_config){
        .struct_size = sizeof(ivflat_server_config),
        .vectors = options->vectors,
        .no_interrupts = options->vectors == 0,
        .memory_size = options->size,
        .socket_path = program->service.listener ? NULL : options->socket,
        .listen_fd = program->service.listener,
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
        .keep_state = (uint32_t)options->keep_state,
        .handed_fd = program->handed.list ? program->handed.list : program->service.list,
    };
}

static int32_t open_server(struct program *program)
{
    ivflat_server_config config = config_of(program);
    ivflat_server_hooks hooks = {
        .struct_size = sizeof(hooks),
        .user = program,
        .client_joined = on_joined,
        .client_left = on_left,
        .client_refused = on_refused,
        .descriptor_added = on_descriptor,
        .descriptor_removed = on_no_descriptor,
        .log = on_log,
    };

    program->handed.list = 0; /* it is given */
    return ivflat_server_new(&program->server, &config, &hooks);
}

static int32_t add_seats(const struct program *program)
{
    const GArray *peers = program->options.peers;
    int32_t error = 0;

    for (guint i = 0; i < peers->len && error == 0; i++) {
        const struct server_peer *peer = &g_array_index(peers, struct server_peer, i);
        ivflat_server_seat seat = {.struct_size = sizeof(seat),
                                   .id = peer->id,
                                   .socket_path = peer->listener ? NULL : peer->socket,
                                   .listen_fd = peer->listener,
                                   .keep = (uint32_t)peer->keep};

        error = ivflat_server_add_seat(program->server, &seat);
    }
    return error;
}

/* All that is more than listening: with the host as a peer, where that is asked for. */
static int32_t set_up(struct program *program)
{
    const struct server_options *options = &program->options;

    if (open_server(program) < 0 || add_seats(program) < 0) {
        return IVFLAT_ERR_SYSTEM;
    }
    if (options->host_peer >= 0) {
        program->host = host_peer_new(program->server, (uint32_t)options->host_peer, options->vectors);
        return program->host ? 0 : IVFLAT_ERR_SYSTEM;
    }
    return 0;
}

/* In our own place.  Answers, with why, where that cannot be: this one goes on. */
static char *start_again(struct program *program)
{
    char *problem;

    service_reloading();
    if (ivflat_server_hand_over(program->server, &program->handed.list) < 0) {
        return g_strdup(ivflat_last_error());
    }
    restart_now(&program->handed);
    problem = g_strdup(g_strerror(errno));
    close(program->handed.list);
    return problem;
}

static void go_on(struct program *program)
{
    char *problem = start_again(program);

    program->handed.list = 0;
    program->again = FALSE;
    say_that_it_goes_on(problem);
    service_ready("goes on");
    g_free(problem);
}

static int serve(struct program *program)
{
    GSource *source = ivflat_server_source_new(program->server);

    g_source_attach(source, NULL);
    g_main_loop_run(program->loop);
    while (program->again && !program->over) {
        go_on(program);
        g_main_loop_run(program->loop);
    }
    restart_try_no_more();
    service_stopping();
    g_source_destroy(source);
    g_source_unref(source);
    return program->status;
}

static void say_ready(const struct program *program)
{
    gboolean restarted = ivflat_server_counter(program->server, IVFLAT_SERVER_COUNT_RESTARTS) > 0;

    output_ready(most_clients(&program->options, program->descriptors), restarted,
                 ivflat_server_clients(program->server));
    service_ready("ready");
}

/* @told: for background_ready(); -1: we stay in the foreground, or are in the background already. */
static int serve_ready(struct program *program, int told)
{
    const char *path = program->options.foreground ? NULL : program->options.pid_file;
    struct handed *handed = &program->handed;
    GError *error = NULL;
    int status;

    if (path && handed->pid_file < 0 && (handed->pid_file = pid_file_write(path, &error)) < 0) {
        g_printerr("ivflat-server: cannot write the pid file: %s; --pid-file names another\n", error->message);
        g_error_free(error);
        return EXIT_USAGE;
    }
    if (handed->background) {
        output_to_log();
    }
    say_ready(program);
    if (told >= 0) {
        background_ready(told);
        output_to_log();
        handed->background = TRUE;
    }
    status = serve(program);
    if (path) {
        pid_file_remove(path, handed->pid_file);
    }
    return status;
}

/* The manager of services ends what it starts anew, too: where it does, what it keeps is gone on with, and where it does
 * not, it lets go of all, and each link ends. */
static gboolean leave_all(const struct program *program)
{
    static ivflat_server *volatile left; /* until our end: who looks for lost memory finds it */
    int32_t list;

    left = program->server;
    return service_knows_all() && ivflat_server_hand_over(left, &list) == 0;
}

/* After the last fork, and before anybody else has a word. */
static gboolean enter_sandbox(const struct program *program)
{
    int error = program->options.seccomp ? sandbox_enter(program->handed.list > 0) : 0;

    if (error) {
        g_printerr("ivflat-server: cannot set up the filter of system calls: %s\n", g_strerror(error));
    }
    return error == 0;
}

static int run(struct program *program, int told)
{
    static const int signals[] = {SIGTERM, SIGINT, SIGHUP, SIGUSR1, 0};
    int status = EXIT_USAGE;

    program->descriptors = raise_descriptors();
    program->started = g_get_monotonic_time();
    program->loop = g_main_loop_new(NULL, FALSE);
    if (!enter_sandbox(program)) {
        /* it was said why */
    } else if (!signals_watch(signals, on_signal, program)) { /* before there is anything to clean up */
        g_printerr("ivflat-server: cannot wait for signals: %s\n", g_strerror(errno));
    } else if (set_up(program) < 0) {
        g_printerr("ivflat-server: %s\n", ivflat_last_error());
    } else {
        status = serve_ready(program, told);
    }
    host_peer_free(program->host);
    if (!program->leave || !leave_all(program)) {
        ivflat_server_free(program->server);
    }
    g_main_loop_unref(program->loop);
    return status;
}

/* What can only be known at the start, and has to be right before anything else is opened. */
static void take_in(struct program *program, char **argv)
{
    privileges_drop();
    standard_fds_open();
    output_begin(&program->options);
    restart_remember(argv, &program->handed);
    service_take(&program->service);
    signal(SIGPIPE, SIG_IGN); /* who reads our lines may go */
}

static void program_clear(struct program *program)
{
    server_options_clear(&program->options);
    service_fds_clear(&program->service);
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
    take_in(&program, argv);
    status = service_match(&program.service, &program.options);
    if (status >= 0) {
        program_clear(&program);
        return status;
    }
    if (!program.options.foreground && !program.handed.background && (told = background_begin()) < 0) {
        g_printerr("ivflat-server: cannot go into the background: %s\n", g_strerror(errno));
        return EXIT_FAILURE;
    }
    status = run(&program, told);
    program_clear(&program);
    return status;
}
