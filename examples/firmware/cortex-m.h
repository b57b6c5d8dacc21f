/* SPDX-License-Identifier: BSD-3-Clause */
/* What the firmware needs of the core's own registers. */
#ifndef CORTEX_M_H
#define CORTEX_M_H

#include <stdint.h>

static inline void cortex_m_store(uintptr_t address, uint32_t value)
{
    *(volatile uint32_t *)address = value;
}

static inline void cortex_m_enable_irq(uint32_t irq)
{
    cortex_m_store(0xe000e100u + irq / 32 * 4, 1u << irq % 32);
}

/* Calls systick_isr() every so many core clocks; 0: no more. */
static inline void cortex_m_tick(uint32_t clocks)
{
    cortex_m_store(0xe000e010u, 0);
    cortex_m_store(0xe000e014u, clocks - 1);
    cortex_m_store(0xe000e018u, 0);
    cortex_m_store(0xe000e010u, clocks ? 7 : 0);
}

#endif
