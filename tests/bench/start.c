/* SPDX-License-Identifier: BSD-3-Clause */
/* From starting a program to its being ready: one with a device that is READY, the server that takes its first client,
 * and beside them a program that does nothing.
 *
 * usage: start --json [--quick] BUILD
 *        start --ready SOCKET | start --nothing       what it starts itself */
#include "figure.h"
#include "greeted.h"

#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define ROUNDS 31u

extern char **environ;

static char folder[] = "/tmp/ivflat-start-XXXXXX";
static char sock[sizeof(folder) + 8], server_path[4096];
static pid_t server;

static pid_t start(const char *program, const char *const *arguments, int output)
{
    posix_spawn_file_actions_t actions;
    pid_t child;

    posix_spawn_file_actions_init(&actions);
    if (output >= 0) {
        posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
    }
    errno = posix_spawn(&child, program, &actions, NULL, (char *const *)(uintptr_t)arguments, environ);
    if (errno) {
        figure_fail(program);
    }
    posix_spawn_file_actions_destroy(&actions);
    return child;
}

/* Milliseconds from its start until it says something, or has ended. */
static double until_heard(const char *program, const char *const *arguments, pid_t *child)
{
    double begin = figure_now();
    int ends[2];
    char byte;

    if (pipe(ends) < 0) {
        figure_fail("pipe");
    }
    *child = start(program, arguments, ends[1]);
    close(ends[1]);
    if (read(ends[0], &byte, 1) < 0) {
        figure_fail("read");
    }
    close(ends[0]);
    return (figure_now() - begin) / 1e6;
}

static double of_ourselves(const char *first, const char *second)
{
    const char *const arguments[] = {"start", first, second, NULL};
    pid_t child;
    double took = until_heard("/proc/self/exe", arguments, &child);
    int status;

    if (waitpid(child, &status, 0) < 0 || status != 0) {
        exit(EXIT_FAILURE); /* it said why */
    }
    return took;
}

static double of_device(void *user)
{
    (void)user;
    return of_ourselves("--ready", sock);
}

static double of_nothing(void *user)
{
    (void)user;
    return of_ourselves("--nothing", NULL);
}

static void wait_ready(ivflat_device *dev, const char *path)
{
    check(ivflat_device_connect(dev, path));
    check(ivflat_device_greet(dev, 10000));
}

/* Until a device of ours is READY with it: that takes some microseconds, and only then it is there for sure. */
static double of_server(void *user)
{
    const ivflat_config config = {.struct_size = sizeof(config), .reconnect_ms = 1};
    ivflat_device *dev = unlinked(&config, NULL);
    char other[sizeof(folder) + 8];
    const char *const arguments[] = {"ivflat-server", "-F", "-S", other, "-l", "1M", "-n", "1", NULL};
    double begin;
    pid_t child;

    (void)user;
    snprintf(other, sizeof(other), "%s/o", folder);
    begin = figure_now();
    child = start(server_path, arguments, STDERR_FILENO);
    wait_ready(dev, other);
    begin = (figure_now() - begin) / 1e6;
    ivflat_device_free(dev);
    kill(child, SIGTERM);
    waitpid(child, NULL, 0);
    return begin;
}

static int be_ready(const char *path)
{
    ivflat_device *dev = unlinked(NULL, NULL);

    wait_ready(dev, path);
    if (write(STDOUT_FILENO, "!", 1) != 1) {
        figure_fail("write");
    }
    ivflat_device_free(dev);
    return EXIT_SUCCESS;
}

/* Also when something failed. */
static void clean_up(void)
{
    if (server > 0) {
        kill(server, SIGTERM);
        waitpid(server, NULL, 0);
    }
    rmdir(folder);
}

static void start_server(const char *build)
{
    const char *const arguments[] = {"ivflat-server", "-F", "-S", sock, "-l", "1M", "-n", "1", NULL};
    const ivflat_config config = {.struct_size = sizeof(config), .reconnect_ms = 1};
    ivflat_device *dev = unlinked(&config, NULL);

    snprintf(server_path, sizeof(server_path), "%s/libivflat/tools/ivflat-server", build);
    if (!mkdtemp(folder)) {
        figure_fail(folder);
    }
    atexit(clean_up);
    snprintf(sock, sizeof(sock), "%s/s", folder);
    server = start(server_path, arguments, STDERR_FILENO);
    wait_ready(dev, sock);
    ivflat_device_free(dev);
}

int main(int argc, char **argv)
{
    static const struct figure_series series[] = {
        {.name = "device READY", .measure = of_device},
        {.name = "server ready", .measure = of_server},
        {.name = "a program that does nothing", .measure = of_nothing},
    };
    struct figure_options options;

    if (argc == 3 && strcmp(argv[1], "--ready") == 0) {
        return be_ready(argv[2]);
    }
    if (argc == 2 && strcmp(argv[1], "--nothing") == 0) {
        return EXIT_SUCCESS;
    }
    options = figure_options(argc, argv);
    start_server(options.build);
    figure_begin("start", "From the start of a program to READY", "ms", NULL);
    figure_case("");
    figure_rounds(series, 3, options.quick ? 1 : ROUNDS);
    figure_end("All three are linked with the library, which the linker has to find and load");
    return EXIT_SUCCESS;
}
