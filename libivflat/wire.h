/* SPDX-License-Identifier: BSD-3-Clause */
/* The wire (P1, P2): a message is 8 bytes, a little-endian signed number, with at most one descriptor.
 * Puts pieces together; no I/O, no allocation, and it closes nothing. */
#ifndef IVF_WIRE_H
#define IVF_WIRE_H

#include <stdbool.h>
#include <stdint.h>

#define IVF_WIRE_SIZE 8u

/* In place of a message's descriptor: */
enum {
    IVF_FD_NONE = -1, /* it has none */
    IVF_FD_LOST = -2, /* it had one, and the kernel could not give it to us (P14) */
    IVF_FD_MANY = -3  /* it had more than one (P13) */
};

/* The message in hand. */
struct ivf_wire {
    uint8_t bytes[IVF_WIRE_SIZE];
    uint32_t have; /* bytes that are there */
    int fd;        /* the descriptor latched from any piece, or IVF_FD_... */
};

void ivf_wire_begin(struct ivf_wire *wire);

/* Bytes that the message in hand still lacks: 1..8. */
uint32_t ivf_wire_wants(const struct ivf_wire *wire);

/* Latches what came beside a piece: a descriptor, or IVF_FD_LOST.  Answers the descriptors that the message cannot keep,
 * for the caller to close: 0, 1 or 2 of them in @surplus. */
uint32_t ivf_wire_latch(struct ivf_wire *wire, int fd, int surplus[2]);

/* Adds at most ivf_wire_wants() bytes.  True: the message is whole. */
bool ivf_wire_add(struct ivf_wire *wire, const uint8_t *bytes, uint32_t count);

/* The whole message's number.  Then ivf_wire_begin() for the next. */
int64_t ivf_wire_number(const struct ivf_wire *wire);

void ivf_wire_encode(uint8_t bytes[IVF_WIRE_SIZE], int64_t number);

#endif
