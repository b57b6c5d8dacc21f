/* SPDX-License-Identifier: BSD-3-Clause */
/* Any Cortex-M3: vectors, NVIC, SysTick. */
#if __ARM_ARCH_PROFILE == 'M'
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "cpu.h"
#include "startup.h"

#define NVIC_ENABLE 0xe000e100u
#define SYSTICK     0xe000e010u /* control, reload, value */

extern uint32_t stack_top[];

void reset(void);

static void store(uintptr_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

void cpu_enable_irq(uint32_t irq, uint32_t kind)
{
    (void)kind;
    store(NVIC_ENABLE + irq / 32 * 4, 1u << irq % 32);
}

/* The first 16 exceptions are the core's own. */
uint32_t cpu_irq(void)
{
    uint32_t exception;

    __asm__ volatile("mrs %0, ipsr" : "=r"(exception));
    return exception - 16;
}

void cpu_tick(uint32_t clocks)
{
    store(SYSTICK, 0);
    store(SYSTICK + 4, clocks - 1);
    store(SYSTICK + 8, 0);
    store(SYSTICK, clocks ? 7 : 0);
}

void reset(void)
{
    startup();
}

struct vectors {
    uint32_t *stack;
    void (*exception[15])(void);
    void (*interrupt[BOARD_IRQS])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = stack_top,
    .exception = {reset, stuck, stuck, stuck, stuck, stuck, NULL, NULL, NULL, NULL, stuck, stuck, NULL, stuck,
                  tick_isr},
    .interrupt = {[0 ... BOARD_IRQ - 1] = stuck,
                  [BOARD_IRQ... BOARD_IRQ + BOARD_LINES - 1] = device_isr,
                  [BOARD_IRQ + BOARD_LINES... BOARD_IRQS - 1] = stuck},
};
#endif
