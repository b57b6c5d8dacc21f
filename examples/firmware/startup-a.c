/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Cortex-A of 32 bits: vectors, stacks, a GICv2, the generic timer.  The MMU stays off, so all memory is strongly
 * ordered and not cached: right for a demonstration, if slow on a real processor.  Words have to be aligned then
 * (-mno-unaligned-access), and LDREX has no meaning; neither the driver nor the rings need more.
 */
#if __ARM_ARCH_PROFILE == 'A'
#include <stddef.h>
#include <stdint.h>

#include "board.h"
#include "cpu.h"
#include "gic.h"
#include "startup.h"

enum { TIMER = 27 /* the virtual one's interrupt */ };

void reset(void);
void begin(void);
void vectors(void);
void on_interrupt(void);

extern uint64_t irq_stack[256];
uint64_t irq_stack[256];
static uint32_t period, served;

void cpu_enable_irq(uint32_t irq, uint32_t kind)
{
    gic_enable(GIC_SHARED + irq, kind == CPU_PULSE);
}

uint32_t cpu_irq(void)
{
    return served - GIC_SHARED;
}

static void set_timer(uint32_t clocks)
{
    __asm__ volatile("mcr p15, 0, %0, c14, c3, 0" ::"r"(clocks));
    __asm__ volatile("mcr p15, 0, %0, c14, c3, 1\n\tisb" ::"r"(clocks ? 1 : 0));
}

void cpu_tick(uint32_t clocks)
{
    period = clocks;
    set_timer(clocks);
    gic_enable(TIMER, 0);
}

/* The timer's line is a level: it falls when the next period is set. */
static void serve(uint32_t number)
{
    served = number;
    if (number == TIMER) {
        set_timer(period);
        tick_isr();
    } else {
        device_isr();
    }
}

__attribute__((interrupt("IRQ"))) void on_interrupt(void)
{
    uint32_t number = gic_begin();

    if (number >= GIC_NONE)
        return;
    serve(number);
    gic_end(number);
}

__attribute__((naked, aligned(32), section(".vectors"))) void vectors(void)
{
    __asm__ volatile("b reset\n\t"
                     "b stuck\n\t"
                     "b stuck\n\t"
                     "b stuck\n\t"
                     "b stuck\n\t"
                     "b stuck\n\t"
                     "b on_interrupt\n\t"
                     "b stuck");
}

/* Interrupts come in a mode with a stack of its own; the rest runs in supervisor mode. */
__attribute__((naked)) void reset(void)
{
    __asm__ volatile("cpsid if, #0x12\n\t"
                     "ldr sp, =irq_stack + 2048\n\t"
                     "cps #0x13\n\t"
                     "ldr sp, =stack_top\n\t"
                     "ldr r0, =vectors\n\t"
                     "mcr p15, 0, r0, c12, c0, 0\n\t"
                     "isb\n\t"
                     "b begin");
}

void begin(void)
{
    gic_open();
    __asm__ volatile("cpsie i");
    startup();
}
#endif
