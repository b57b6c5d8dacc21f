/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What a Cortex-M's interrupt controller and its timer are to the firmware: 64 lines of one priority, so that no
 * handler interrupts another, and a SysTick at 12.5 MHz.  Knows nothing of the engine.
 *
 * Not modelled, and a store to it is refused: priorities, another vector table (VTOR), PendSV and NMI (ICSR), reset
 * (AIRCR), deep sleep (SCR), faults' handlers, the MPU.  Any BASEPRI but 0 holds all back.  SysTick begins a whole
 * period when it is enabled.
 */
#ifndef NVIC_H
#define NVIC_H

#include <stdbool.h>
#include <stdint.h>

#define NVIC_BASE    0xe000e000u
#define NVIC_SIZE    0x1000u
#define NVIC_LINES   64u
#define NVIC_SYSTICK 15u /* exceptions: 15 is SysTick, 16 the first line */

struct nvic {
    uint64_t enabled, pending; /* a bit a line */
    uint32_t active;           /* the exception that is being handled; 0: none */
    uint32_t tick_pending;
    uint32_t tick_control, tick_reload;
    uint64_t tick_due; /* ns, CLOCK_MONOTONIC; 0: it stands still */
};

/* The guest's accesses; what is no register reads 0, and is not written: false. */
uint32_t nvic_read(struct nvic *nvic, uint32_t offset);
bool nvic_write(struct nvic *nvic, uint32_t offset, uint32_t value);

void nvic_raise(struct nvic *nvic, uint32_t line);

/* Looks at the clock.  Milliseconds until the timer is due, rounded up; -1: it is off. */
int nvic_tick(struct nvic *nvic);

/* The exception to be handled now, 0: none; nvic_take() makes it the active one. */
uint32_t nvic_next(const struct nvic *nvic);
void nvic_take(struct nvic *nvic, uint32_t exception);

#endif
