/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the test can ask for.  Each gets the numbers that follow its name in the line, and ends with a line of its own;
 * "ID" is what the test knows from elsewhere that this machine's id has to be.
 */
#ifndef COMMANDS_H
#define COMMANDS_H

#include <stdint.h>

enum { NUMBERS = 4 };

/* registers ID PEER: all of revision 1's at every width, then rings vector 2 of PEER, once: "registers: ok" */
void command_registers(const uint32_t *numbers);

/* revision0 ID: its two registers, and the line that they make: "revision0: ok" */
void command_revision0(const uint32_t *numbers);

/* pending: revision 0's line is high from now on: "pending: ok"; cleared: whether a reset has ended that */
void command_pending(const uint32_t *numbers);
void command_cleared(const uint32_t *numbers);

/* interrupts ID COUNT VECTORS: rings itself COUNT times, and where nobody is: "interrupts: ok" */
void command_interrupts(const uint32_t *numbers);

/* widths SIZE: accesses of every width in the first and the last bytes of the shared memory: "widths: ok" */
void command_widths(const uint32_t *numbers);

/* fill SIZE SEED: words across all of it, and the last: "fill: ok"; verify SIZE SEED: whether they are there */
void command_fill(const uint32_t *numbers);
void command_verify(const uint32_t *numbers);

/* echo PEER COUNT LINES: on each of COUNT interrupts from one of the lines whose bit is set in LINES it stores the
 * inverse of the memory's word 0 in word 1, and rings the vector of PEER that has the line's number: "lines 0 0 3 0" */
void command_echo(const uint32_t *numbers);

/* random SEED COUNT: so many accesses of any width in the registers: "random: ok", when the id is what it was */
void command_random(const uint32_t *numbers);

/* stream ID PEER COUNT TICK: "sent COUNT, received COUNT, bad 0, interrupts N" (stream.h).
 * With TICK 0 nothing but a ring wakes it, so both have to have heard of each other. */
void command_stream(const uint32_t *numbers);

#endif
