/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The host's part of the demonstration: a program that is a peer of the guests, with the guests' own demo.c and rings
 * on the memory that libivflat maps.
 */
#include <glib.h>
#include <libivflat/ivflat.h>
#include <stdio.h>
#include <time.h>

#include "firmware/demo.h"

enum { TICK_MS = 10, RIGHT = 0, WRONG = 1, USAGE = 2 };

static ivflat_device *device;
static struct demo demo;
static uint64_t rung[DEMO_VECTORS];
static uint32_t left;

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user;
    if (vector < DEMO_VECTORS)
        rung[vector] += count;
    demo.interrupts++;
}

static void on_peer(void *user, uint32_t id, uint32_t vectors)
{
    (void)user, (void)id;
    left += vectors == 0;
}

static void on_doorbell(uint32_t peer, uint32_t vector)
{
    ivflat_device_write(device, IVFLAT_REG_DOORBELL, 4, peer << 16 | vector);
}

static void say(const char *line)
{
    puts(line);
    fflush(stdout);
}

static int64_t now_ms(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static int wrong(const char *what)
{
    fprintf(stderr, "host-peer: %s\n", what);
    return WRONG;
}

static int join(const char *path)
{
    ivflat_hooks hooks = {.struct_size = sizeof hooks, .interrupt = on_interrupt, .peer_changed = on_peer};

    if (ivflat_device_new(&device, NULL, &hooks) == 0 && ivflat_device_connect(device, path) == 0 &&
        ivflat_device_greet(device, -1) == 0)
        return RIGHT;
    return wrong(ivflat_last_error());
}

static int prepare(void)
{
    demo.id = ivflat_device_read(device, IVFLAT_REG_IVPOSITION, 4);
    demo.doorbell = on_doorbell;
    demo.say = say;
    printf("peer %u: up, %llu bytes shared\n", demo.id, (unsigned long long)ivflat_device_memory_size(device));
    if (ivflat_device_memory_size(device) < DEMO_BYTES)
        return wrong("the shared memory is too small for the rings");
    if (demo_open(&demo, ivflat_device_memory(device)) < 0)
        return wrong("there is no place for our id: the server has to be a fresh one");
    return RIGHT;
}

/* One round; what was rung before the look is seen by it, and what is rung after it ends the next wait. */
static int step(void)
{
    int32_t result = ivflat_device_run(device, TICK_MS);

    if (result < 0)
        return wrong(ivflat_last_error());
    if (result == 0)
        demo_remind(&demo);
    demo_step(&demo);
    if (left != 0 && !demo_done(&demo))
        return wrong("a peer left before all was said");
    return RIGHT;
}

static int run(int64_t seconds)
{
    int64_t end = now_ms() + seconds * 1000;
    int result = RIGHT;

    demo_step(&demo);
    while (result == RIGHT && !demo_done(&demo) && !demo.broken)
        result = now_ms() < end ? step() : wrong("the others did not finish in time");
    return demo.broken ? wrong("another machine has spoiled the shared memory") : result;
}

static int judge(void)
{
    struct demo_total total = demo_total(&demo);

    printf("peer %u: rung %llu times for mail, %llu times for room\n", demo.id, (unsigned long long)rung[0],
           (unsigned long long)rung[1]);
    if (total.bad != 0)
        return wrong("a message to us was not what it should be");
    if (total.report_bad != 0)
        return wrong("a guest got a message that was not what it should be");
    return RIGHT;
}

int main(int argc, char **argv)
{
    gboolean spoil = FALSE;
    int seconds = 20, result;
    GOptionEntry options[] = {
        {"spoil", 0, 0, G_OPTION_ARG_NONE, &spoil, "send one message that is not what it should be", NULL},
        {"time", 0, 0, G_OPTION_ARG_INT, &seconds, "how long it may take (20)", "SECONDS"},
        {0}};
    g_autoptr(GOptionContext) context = g_option_context_new("SOCKET");
    g_autoptr(GError) error = NULL;

    g_option_context_add_main_entries(context, options, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error) || argc != 2) {
        fprintf(stderr, "host-peer: %s (--help tells more)\n", error ? error->message : "one SOCKET is wanted");
        return USAGE;
    }
    demo.spoil = spoil;
    result = join(argv[1]);
    if (result == RIGHT)
        result = prepare();
    if (result == RIGHT)
        result = run(seconds);
    if (result == RIGHT)
        result = judge();
    ivflat_device_free(device);
    return result;
}
