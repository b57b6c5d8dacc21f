/* SPDX-License-Identifier: BSD-3-Clause */
/* Flash, RAM, a UART, the interrupt controller and the ivshmem-flat device, where firmware/board.h says. */
#ifndef UNICORN_BOARD_H
#define UNICORN_BOARD_H

#include <libivflat/ivflat.h>

#include "cortex.h"

struct board {
    struct cortex cpu;
    ivflat_device *device;
    char line[200]; /* what the guest has said since its last new line */
    uint32_t length;
};

/* Each is false after one sentence on standard error.  The device's memory has to be there. */
bool board_open(struct board *board);
bool board_load(struct board *board, const char *path);

#endif
