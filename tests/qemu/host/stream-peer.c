/* SPDX-License-Identifier: BSD-3-Clause */
/* The host's end of the stream: stream-peer SOCKET PEER COUNT.  Says "id N" when it is there and has heard of the peer.
 * Nothing but a ring wakes it. */
#include <libivflat/ivflat.h>
#include <stdio.h>
#include <stdlib.h>

#include "../firmware/stream.h"

enum { PATIENCE_MS = 60000 };

static uint32_t interrupts;

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user, (void)vector, (void)count;
    interrupts++;
}

static ivflat_device *join(const char *path)
{
    ivflat_hooks hooks = {.struct_size = sizeof hooks, .interrupt = on_interrupt};
    ivflat_device *device;

    if (ivflat_device_new(&device, NULL, &hooks) == 0 && ivflat_device_connect(device, path) == 0 &&
        ivflat_device_greet(device, -1) == 0)
        return device;
    fprintf(stderr, "stream-peer: %s\n", ivflat_last_error());
    exit(1);
}

static void live(ivflat_device *device)
{
    if (ivflat_device_wait(device, PATIENCE_MS) == 1 && ivflat_device_dispatch(device) == 0)
        return;
    fprintf(stderr, "stream-peer: not rung for too long, or the server is gone\n");
    exit(1);
}

static void run(ivflat_device *device, struct stream *stream)
{
    for (;;) {
        if (stream_step(stream))
            ivflat_device_write(device, IVFLAT_REG_DOORBELL, 4, stream->peer << 16);
        if (stream_done(stream))
            return;
        live(device);
    }
}

int main(int argc, char **argv)
{
    struct stream stream = {0};
    ivflat_device *device;

    if (argc != 4)
        return 2;
    device = join(argv[1]);
    stream.id = (uint32_t)ivflat_device_id(device);
    stream.peer = (uint32_t)atoi(argv[2]);
    stream.count = (uint32_t)atoi(argv[3]);
    while (ivflat_device_peer_vectors(device, stream.peer) == 0)
        live(device);
    printf("id %u\n", stream.id);
    fflush(stdout);
    stream_open(&stream, ivflat_device_memory(device));
    run(device, &stream);
    printf("sent %u, received %u, bad %u, broken %u, interrupts %u\n", stream.sent, stream.received, stream.bad,
           stream.broken, interrupts);
    ivflat_device_free(device);
    return 0;
}
