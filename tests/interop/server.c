/* SPDX-License-Identifier: BSD-3-Clause */
#include "server.h"

#include <glib.h>
#include <signal.h>

#include "process.h"
#include "support.h"

const char *socket_path(void)
{
    return test_path("server");
}

/* Both take the same options; @option may be NULL. */
static struct process *start(const char *program, const char *vectors, const char *size, const char *option,
                             const char *value)
{
    const char *argv[] = {program, "-F", "-S", socket_path(), "-n", vectors, "-l", size, option, value, NULL};

    return process_start(argv, -1);
}

/* Whatever a test did, a user who ends it finds no fault and no leak. */
static void end_cleanly(void *argument)
{
    struct process *process = argument;

    if (process_pid(process) > 0) {
        ck_assert_msg(process_end(process, SIGTERM) == 0, "the server's end: %s", process_said(process));
    }
}

struct process *server_start_with(const char *vectors, const char *size, const char *option, const char *value)
{
    const char *program = g_getenv("IVFLAT_SERVER");
    struct process *process;

    ck_assert_msg(program, "IVFLAT_SERVER is not set: it has to be the path of ivflat-server");
    process = start(program, vectors, size, option, value);
    at_test_end(end_cleanly, process);
    process_expect(process, socket_path());
    return process;
}

struct process *server_start(const char *vectors, const char *size)
{
    return server_start_with(vectors, size, NULL, NULL);
}

const char *example_server(void)
{
    return g_getenv("IVSHMEM_SERVER");
}

struct process *example_server_start(const char *vectors, const char *size)
{
    return start(example_server(), vectors, size, "-m", test_folder());
}
