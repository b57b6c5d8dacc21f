/* SPDX-License-Identifier: BSD-3-Clause */
/* The device's interrupts and the tick, counted; and waiting for them asleep. */
#ifndef INTERRUPTS_H
#define INTERRUPTS_H

#include <stdint.h>

#include "board.h"

/* Since the start: how often each of the device's lines was taken, and all of them. */
extern volatile uint32_t taken[BOARD_LINES];
uint32_t taken_in_all(void);

/* Set by the tick; to be cleared by who looks. */
extern volatile uint32_t ticked;

/* What device_isr() does besides; NULL: nothing. */
extern void (*volatile in_handler)(void);

/* Returns when the device or the tick interrupted since the last time. */
void sleep_until_interrupted(void);

/* Sleeps until so many interrupts were taken in all. */
void wait_taken(uint32_t count);

#endif
