/* SPDX-License-Identifier: BSD-3-Clause */
#include "wire.h"

#include <string.h>

void ivf_wire_begin(struct ivf_wire *wire)
{
    wire->have = 0;
    wire->fd = IVF_FD_NONE;
}

uint32_t ivf_wire_wants(const struct ivf_wire *wire)
{
    return IVF_WIRE_SIZE - wire->have;
}

uint32_t ivf_wire_latch(struct ivf_wire *wire, int fd, int surplus[2])
{
    uint32_t count = 0;

    if (wire->fd == IVF_FD_NONE) {
        wire->fd = fd < 0 ? IVF_FD_LOST : fd;
        return 0;
    }
    if (fd >= 0) {
        surplus[count++] = fd;
    }
    if (wire->fd >= 0) {
        surplus[count++] = wire->fd;
    }
    /* A lost one explains more than a surplus one: it stays, and it wins. */
    if (wire->fd != IVF_FD_LOST) {
        wire->fd = fd < 0 ? IVF_FD_LOST : IVF_FD_MANY;
    }
    return count;
}

bool ivf_wire_add(struct ivf_wire *wire, const uint8_t *bytes, uint32_t count)
{
    memcpy(wire->bytes + wire->have, bytes, count);
    wire->have += count;
    return wire->have == IVF_WIRE_SIZE;
}

int64_t ivf_wire_number(const struct ivf_wire *wire)
{
    uint64_t number = 0;

    for (uint32_t i = IVF_WIRE_SIZE; i-- > 0;) {
        number = number << 8 | wire->bytes[i];
    }
    return (int64_t)number;
}

void ivf_wire_encode(uint8_t bytes[IVF_WIRE_SIZE], int64_t number)
{
    for (uint32_t i = 0; i < IVF_WIRE_SIZE; i++) {
        bytes[i] = (uint8_t)((uint64_t)number >> (8 * i));
    }
}
