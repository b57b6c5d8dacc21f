/* SPDX-License-Identifier: BSD-3-Clause */
#include "setting.h"

#include <stdio.h>

#include "qemu.h"
#include "server.h"
#include "support.h"

#define SKIPPED 77

struct process *start_server(void)
{
    return server_start(VECTORS_ARG, "1M");
}

struct qemu *join_qemu(void)
{
    return qemu_start(socket_path(), VECTORS, "");
}

int run_with_qemu(Suite *(*suite)(void))
{
    const char *missing = qemu_missing();

    if (missing) {
        printf("skipped: %s\n", missing);
        return SKIPPED;
    }
    return suite_run(suite());
}
