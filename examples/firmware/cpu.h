/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the firmware asks of the processor, whichever it is: startup-m.c answers on a Cortex-M (NVIC, SysTick),
 * startup-a.c on a Cortex-A (GICv2, generic timer).
 */
#ifndef CPU_H
#define CPU_H

#include <stdint.h>

/* The device's interrupt is a pulse in revision 1, and a level in revision 0.  An NVIC takes both as they come; a GIC
 * has to be told, or it loses the pulse. */
enum { CPU_PULSE, CPU_LEVEL };

/* Calls device_isr() for this interrupt from now on. */
void cpu_enable_irq(uint32_t irq, uint32_t kind);

/* In device_isr(): the interrupt that it is called for. */
uint32_t cpu_irq(void);

/* Calls tick_isr() every so many of the timer's clocks; 0: no more. */
void cpu_tick(uint32_t clocks);

/* The program's own; weak ones, which hang, stand in for what it does not have. */
void device_isr(void);
void tick_isr(void);
int main(void);

#endif
