/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A small emulator on KVM: an x86 machine with an ivshmem-flat device, on libivflat's public header.  A doorbell goes
 * from guest to guest inside the kernel; this program only hears who comes and goes.
 */
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"
#include "machine.h"
#include "processor.h"

enum { PROCESSORS_MAX = 8 };

struct options {
    bool fast, verbose;
    uint32_t processors;
    const char *socket, *image;
};

static struct machine machine;
static struct device device;
static struct processor processors[PROCESSORS_MAX];
static volatile sig_atomic_t stop, faulted;

static void on_signal(int number)
{
    (void)number;
    stop = 1;
    device_wake(&device);
}

/* On a processor's thread. */
static void on_fault(void)
{
    faulted = 1;
    on_signal(0);
}

static enum status start(const struct options *options)
{
    struct sigaction action = {.sa_handler = on_signal};
    enum status status = machine_open(&machine);

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    if (status == STOPPED)
        status = machine_load(&machine, options->image);
    if (status == STOPPED)
        status = device_open(&device, &machine, options->socket, options->fast, options->verbose);
    for (uint32_t i = 0; i < options->processors && status == STOPPED; i++) {
        processors[i] =
            (struct processor){.machine = &machine, .device = &device, .number = i, .fd = -1, .on_fault = on_fault};
        status = processor_open(&processors[i]);
    }
    return status;
}

/* The device is linked: no guest ever sees one without an id. */
static enum status run(const struct options *options)
{
    enum status status = STOPPED;

    for (uint32_t i = 0; i < options->processors && status == STOPPED; i++)
        status = processor_start(&processors[i]);
    while (!stop && status == STOPPED)
        device_serve(&device);
    return faulted ? GUEST_FAULT : status;
}

static void tell_exits(const struct options *options)
{
    struct exits all = {0};

    for (uint32_t i = 0; i < options->processors; i++) {
        all.doorbells += processors[i].exits.doorbells;
        all.registers += processors[i].exits.registers;
        all.console += processors[i].exits.console;
        all.nothing += processors[i].exits.nothing;
    }
    say(STOPPED,
        "came out of the guest: %" PRIu64 " doorbells, %" PRIu64 " other registers, %" PRIu64
        " for the console, %" PRIu64 " for nothing; bound: %u doorbells, %u interrupts",
        all.doorbells, all.registers, all.console, all.nothing, device.fast_path.doorbells, device.fast_path.vectors);
}

static void end(const struct options *options)
{
    signal(SIGTERM, SIG_IGN); /* a second one would wake a device that is gone */
    signal(SIGINT, SIG_IGN);
    for (uint32_t i = 0; i < options->processors; i++)
        if (processors[i].machine)
            processor_close(&processors[i]);
    if (options->verbose && device.library)
        tell_exits(options);
    if (device.library)
        device_close(&device);
    machine_close(&machine);
}

static int usage(FILE *out, enum status status)
{
    fputs(
        "usage: ivflat-kvm [OPTION...] SOCKET IMAGE\n"
        "Runs the image under KVM on an x86 machine whose ivshmem-flat device is linked to the server at SOCKET; what\n"
        "the guest says goes to standard output.  SIGTERM or SIGINT ends it.\n"
        "  --no-fast-path  doorbells and interrupts pass through this program, not through KVM alone\n"
        "  --cpus N        so many processors, 1 to 8 (1)\n"
        "  --verbose       who comes and goes, and at the end how often the guest came out to this program\n"
        "exit status: 0 stopped, 1 no server or no permission, 2 command line or image, 3 the guest cannot go on,\n"
        "77 there is no KVM here\n",
        out);
    return status;
}

static bool parse(int argc, char **argv, struct options *options)
{
    static const struct option names[] = {{"no-fast-path", no_argument, NULL, 'n'},
                                          {"cpus", required_argument, NULL, 'c'},
                                          {"verbose", no_argument, NULL, 'v'},
                                          {0}};
    char *rest = NULL;
    int option;

    *options = (struct options){.fast = true, .processors = 1};
    while ((option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'n')
            options->fast = false;
        else if (option == 'v')
            options->verbose = true;
        else if (option != 'c')
            return false;
        else
            options->processors = (uint32_t)strtoul(optarg, &rest, 10);
    }
    if ((rest && *rest) || options->processors < 1 || options->processors > PROCESSORS_MAX) {
        say(USAGE, "--cpus wants a number from 1 to %d", PROCESSORS_MAX);
        return false;
    }
    options->socket = optind + 2 == argc ? argv[optind] : NULL;
    options->image = optind + 2 == argc ? argv[optind + 1] : NULL;
    return options->socket != NULL;
}

int main(int argc, char **argv)
{
    struct options options;
    enum status status;

    if (argc == 2 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0))
        return usage(stdout, STOPPED);
    if (!parse(argc, argv, &options))
        return usage(stderr, USAGE);
    status = start(&options);
    if (status == STOPPED)
        status = run(&options);
    end(&options);
    return status;
}
