/* SPDX-License-Identifier: BSD-3-Clause */
#include "interrupts.h"

#include "cpu.h"
#include "ivflat-guest.h"

volatile uint32_t taken[BOARD_LINES], ticked;
void (*volatile in_handler)(void);

static volatile uint32_t rung;

void device_isr(void)
{
    uint32_t line = cpu_irq() - BOARD_IRQ;

    if (line < BOARD_LINES)
        taken[line]++;
    rung = 1;
    if (in_handler)
        in_handler();
}

void tick_isr(void)
{
    ticked = 1;
    rung = 1;
}

uint32_t taken_in_all(void)
{
    uint32_t sum = 0;

    for (uint32_t line = 0; line < BOARD_LINES; line++)
        sum += taken[line];
    return sum;
}

void sleep_until_interrupted(void)
{
    ivflat_guest_sleep(&rung);
}

void wait_taken(uint32_t count)
{
    while (taken_in_all() < count)
        sleep_until_interrupted();
}
