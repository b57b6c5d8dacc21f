/* SPDX-License-Identifier: BSD-3-Clause */
#include "server.h"

#include <glib.h>

#include "process.h"
#include "support.h"

const char *socket_path(void)
{
    return test_path("server");
}

/* Both take the same options. */
static struct process *start(const char *program, const char *vectors, const char *size)
{
    const char *argv[] = {program, "-F", "-S", socket_path(), "-m", test_folder(), "-l", size, "-n", vectors, NULL};

    return process_start(argv, -1);
}

struct process *server_start(const char *vectors, const char *size)
{
    const char *program = g_getenv("IVFLAT_SERVER");
    struct process *process;

    ck_assert_msg(program, "IVFLAT_SERVER is not set: it has to be the path of ivflat-server");
    process = start(program, vectors, size);
    process_expect(process, socket_path());
    return process;
}

const char *example_server(void)
{
    return g_getenv("IVSHMEM_SERVER");
}

struct process *example_server_start(const char *vectors, const char *size)
{
    return start(example_server(), vectors, size);
}
