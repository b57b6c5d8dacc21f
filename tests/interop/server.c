/* SPDX-License-Identifier: BSD-3-Clause */
#include "server.h"

#include <glib.h>

#include "process.h"
#include "support.h"

const char *socket_path(void)
{
    return test_path("server");
}

struct process *server_start(const char *vectors, const char *size)
{
    const char *program = g_getenv("IVFLAT_SERVER");
    const char *argv[] = {program, "-F", "-S", socket_path(), "-m", test_folder(), "-l", size, "-n", vectors, NULL};
    struct process *process;

    ck_assert_msg(program, "IVFLAT_SERVER is not set: it has to be the path of ivflat-server");
    process = process_start(argv, -1);
    process_expect(process, socket_path());
    return process;
}
