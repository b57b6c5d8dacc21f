/* SPDX-License-Identifier: BSD-3-Clause */
/* The whole life of a machine with an ivshmem-flat device, whose guest is main().  Run it twice against one server:
 *     minimal SOCKET          waits to be rung, and rings back
 *     minimal SOCKET PEER     rings that peer, and waits for its answer */
#include <libivflat/ivflat.h>
#include <stdio.h>
#include <stdlib.h>

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    printf("rung at vector %u\n", vector); /* an emulator pulses its guest's interrupt line */
    *(uint64_t *)user += count;
}

static void must(int32_t result)
{
    if (result >= IVFLAT_OK)
        return;
    fprintf(stderr, "minimal: %s\n", ivflat_last_error());
    exit(1);
}

static void live(ivflat_device *device) /* an emulator polls ivflat_device_get_fd() in a loop of its own */
{
    must(ivflat_device_run(device, -1));
}

static void ring(ivflat_device *device, uint32_t peer)
{
    while (ivflat_device_peer_vectors(device, peer) == 0)
        live(device); /* until that peer is there */
    ivflat_device_write(device, IVFLAT_REG_DOORBELL, 4, peer << 16 | 0);
}

int main(int argc, char **argv)
{
    uint64_t rung = 0;
    ivflat_hooks hooks = {.struct_size = sizeof hooks, .user = &rung, .interrupt = on_interrupt};
    ivflat_device *device;

    if (argc < 2)
        return fprintf(stderr, "usage: minimal SOCKET [PEER]\n"), 2;
    must(ivflat_device_new(&device, NULL, &hooks));
    must(ivflat_device_connect(device, argv[1]));
    must(ivflat_device_greet(device, -1));
    uint32_t id = ivflat_device_read(device, IVFLAT_REG_IVPOSITION, 4);
    volatile uint32_t *memory = ivflat_device_memory(device);
    printf("peer %u\n", id);
    fflush(stdout);
    if (argc > 2) {
        memory[0] = id;
        ring(device, (uint32_t)atoi(argv[2]));
    }
    while (rung == 0)
        live(device);
    if (argc == 2)
        ring(device, memory[0] & 0xffff); /* any peer may have written it */
    ivflat_device_free(device);
}
