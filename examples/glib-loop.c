/* SPDX-License-Identifier: BSD-3-Clause */
/* minimal.c for programs that run GLib's main loop: nothing is polled by hand, all comes by hooks.
 *     glib-loop SOCKET          waits to be rung, and rings back
 *     glib-loop SOCKET PEER     rings that peer, and waits for its answer */
#include <libivflat/ivflat-glib.h>
#include <stdio.h>
#include <stdlib.h>

struct machine {
    ivflat_device *device;
    GMainLoop *loop;
    int32_t target; /* whom to ring as soon as it is there; -1: nobody */
    gboolean ask;   /* we ring first */
    gboolean failed;
};

static volatile uint32_t *memory(struct machine *machine)
{
    return ivflat_device_memory(machine->device);
}

/* Also called by each hook that may bring the target: it may be there before it is to be rung, or after. */
static void ring_target(struct machine *machine)
{
    if (machine->target < 0 || ivflat_device_peer_vectors(machine->device, (uint32_t)machine->target) == 0)
        return;
    if (machine->ask)
        memory(machine)[0] = (uint32_t)ivflat_device_id(machine->device);
    ivflat_device_write(machine->device, IVFLAT_REG_DOORBELL, 4, (uint32_t)machine->target << 16);
    machine->target = -1;
    if (!machine->ask)
        g_main_loop_quit(machine->loop);
}

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    struct machine *machine = user;

    (void)count;
    printf("rung at vector %u\n", vector);
    if (machine->ask) {
        g_main_loop_quit(machine->loop);
        return;
    }
    machine->target = (int32_t)(memory(machine)[0] & 0xffff);
    ring_target(machine);
}

static void on_peer(void *user, uint32_t id, uint32_t vectors)
{
    (void)id, (void)vectors;
    ring_target(user);
}

static void on_link(void *user, uint32_t link, int32_t error)
{
    struct machine *machine = user;

    if (link == IVFLAT_LINK_READY) {
        printf("peer %d\n", ivflat_device_id(machine->device));
        fflush(stdout);
    }
    if (link != IVFLAT_LINK_DOWN || error == 0)
        return;
    fprintf(stderr, "glib-loop: %s\n", ivflat_last_error());
    machine->failed = TRUE;
    g_main_loop_quit(machine->loop);
}

static void run(struct machine *machine)
{
    GSource *source = ivflat_device_source_new(machine->device);

    g_source_attach(source, NULL);
    g_main_loop_run(machine->loop);
    g_source_destroy(source);
    g_source_unref(source);
}

int main(int argc, char **argv)
{
    struct machine machine = {.target = argc > 2 ? atoi(argv[2]) : -1, .ask = argc > 2};
    ivflat_hooks hooks = {.struct_size = sizeof hooks,
                          .user = &machine,
                          .interrupt = on_interrupt,
                          .peer_changed = on_peer,
                          .link_changed = on_link};

    if (argc < 2)
        return fprintf(stderr, "usage: glib-loop SOCKET [PEER]\n"), 2;
    machine.loop = g_main_loop_new(NULL, FALSE);
    machine.failed =
        ivflat_device_new(&machine.device, NULL, &hooks) != 0 || ivflat_device_connect(machine.device, argv[1]) != 0;
    if (machine.failed)
        fprintf(stderr, "glib-loop: %s\n", ivflat_last_error());
    else
        run(&machine);
    ivflat_device_free(machine.device);
    g_main_loop_unref(machine.loop);
    return machine.failed ? 1 : 0;
}
