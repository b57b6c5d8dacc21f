/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small emulator: one Cortex-M3 with an ivshmem-flat device, on the Unicorn engine and libivflat's public header.
 * While its guest is in WFI it sleeps in one poll, that of ivflat_device_wait().
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "../firmware/board.h"
#include "board.h"

enum { STOPPED = 0, NO_SERVER = 1, USAGE = 2, GUEST_FAULT = 3 };

static struct board board;
static volatile sig_atomic_t stop;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
    ivflat_device_wake(board.device);
}

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user, (void)vector, (void)count;
    nvic_raise(&board.cpu.nvic, BOARD_IRQ);
}

static void on_link(void *user, uint32_t link, int32_t error)
{
    (void)user;
    if (link == IVFLAT_LINK_DOWN && error != 0)
        fprintf(stderr, "ivflat-unicorn: the link is down, the guest goes on with the peers that it has\n");
}

static void on_log(void *user, uint32_t level, const char *text)
{
    (void)user;
    if (level <= IVFLAT_LOG_WARNING)
        fprintf(stderr, "ivflat-unicorn: %s\n", text);
}

/* The whole greeting before the guest's first instruction, so that it never sees a device without an id. */
static bool join(const char *path)
{
    ivflat_config config = {.struct_size = sizeof config};
    ivflat_hooks hooks = {
        .struct_size = sizeof hooks, .interrupt = on_interrupt, .link_changed = on_link, .log = on_log};

    if (ivflat_device_new(&board.device, &config, &hooks) == 0 && ivflat_device_connect(board.device, path) == 0 &&
        ivflat_device_greet(board.device, -1) == 0)
        return true;
    fprintf(stderr, "ivflat-unicorn: %s\n", ivflat_last_error());
    return false;
}

static int run(void)
{
    while (!stop) {
        int timer;

        ivflat_device_dispatch(board.device);
        timer = nvic_tick(&board.cpu.nvic);
        if (board.cpu.sleeping && !nvic_next(&board.cpu.nvic)) {
            if (!stop) /* the dispatch may have taken the wake of on_signal(); one that comes now ends the wait */
                ivflat_device_wait(board.device, timer);
        } else if (!cortex_run(&board.cpu))
            break;
    }
    if (!stop)
        fprintf(stderr, "ivflat-unicorn: %s\n", board.cpu.fault);
    return stop ? STOPPED : GUEST_FAULT;
}

static int start(const char *path, const char *firmware)
{
    struct sigaction action = {.sa_handler = on_signal};

    if (!join(path))
        return NO_SERVER;
    if (!board_open(&board) || !board_load(&board, firmware))
        return USAGE;
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    return run();
}

static int usage(FILE *out, int status)
{
    fputs(
        "usage: ivflat-unicorn SOCKET FIRMWARE.bin\n"
        "Runs the firmware on a Cortex-M3 whose ivshmem-flat device is linked to the server at SOCKET; what the guest\n"
        "says on its UART goes to standard output.  SIGTERM or SIGINT ends it.\n"
        "exit status: 0 stopped, 1 no server, 2 command line or firmware, 3 the guest did what has no meaning\n",
        out);
    return status;
}

int main(int argc, char **argv)
{
    int status;

    if (argc == 2 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0))
        return usage(stdout, 0);
    if (argc != 3)
        return usage(stderr, USAGE);
    status = start(argv[1], argv[2]);
    signal(SIGTERM, SIG_IGN); /* a second one would wake a device that is gone */
    signal(SIGINT, SIG_IGN);
    cortex_close(&board.cpu);
    ivflat_device_free(board.device);
    return status;
}
