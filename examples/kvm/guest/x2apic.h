/* SPDX-License-Identifier: BSD-3-Clause */
/* The processor's own interrupt controller, by its model-specific registers. */
#ifndef X2APIC_H
#define X2APIC_H

#include <stdint.h>

enum {
    APIC_BASE = 0x1b,
    APIC_BASE_X2 = 0xc00, /* on, by these registers */
    APIC_EOI = 0x80b,
    APIC_SPURIOUS = 0x80f,
    APIC_ENABLE = 0x100,
    APIC_COMMAND = 0x830,
    APIC_TIMER = 0x832,
    APIC_TIMER_PERIODIC = 0x20000,
    APIC_TIMER_MASKED = 0x10000,
    APIC_TIMER_COUNT = 0x838,
    APIC_TIMER_DIVIDE = 0x83e,
    APIC_TIMER_BY_1 = 0xb
};

static inline uint64_t msr_read(uint32_t number)
{
    uint32_t low, high;

    __asm__ volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(number));
    return (uint64_t)high << 32 | low;
}

static inline void msr_write(uint32_t number, uint64_t value)
{
    __asm__ volatile("wrmsr" : : "c"(number), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)) : "memory");
}

#endif
