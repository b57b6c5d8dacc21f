/* SPDX-License-Identifier: BSD-3-Clause */
/* What the firmware asks of the processor (firmware/cpu.h), and two functions that gcc asks for. */
#include "../../firmware/cpu.h"

#include <stddef.h>

#include "../board.h"
#include "entry.h"
#include "x2apic.h"

enum { FIRST = 0x30, COUNT = 0x50, ENTRY_BYTES = 16, TICK = 0x3f, SPURIOUS = 0x30 };

struct gate {
    uint16_t low, segment, kind, high;
};

extern const uint8_t interrupt_entries[];
void cpu_interrupted(uint32_t number);
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

static struct gate gates[FIRST + COUNT];
static volatile uint32_t current;

void *memcpy(void *to, const void *from, size_t size)
{
    void *start = to;

    __asm__ volatile("rep movsb" : "+D"(to), "+S"(from), "+c"(size) : : "memory");
    return start;
}

void *memset(void *to, int value, size_t size)
{
    void *start = to;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(size) : "a"(value) : "memory");
    return start;
}

void cpu_interrupted(uint32_t number)
{
    current = number - KVM_BOARD_VECTOR;
    if (number == TICK)
        tick_isr();
    else if (number != SPURIOUS)
        device_isr();
    msr_write(APIC_EOI, 0);
}

void entry_set(uint32_t number, void (*entry)(void))
{
    uint32_t address = (uint32_t)(uintptr_t)entry;

    gates[number] = (struct gate){(uint16_t)address, 8, 0x8e00, (uint16_t)(address >> 16)};
}

static void set_gates(void)
{
    for (uint32_t i = 0; i < COUNT; i++)
        entry_set(FIRST + i, (void (*)(void))(interrupt_entries + i * ENTRY_BYTES));
}

/* Exceptions have no gate: one ends the machine, and its emulator says so.  The device's vectors have fixed numbers on
 * this board (board.h), so they all come at once; and they come in ivflat_guest_sleep() alone. */
void cpu_enable_irq(uint32_t irq, uint32_t kind)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        const struct gate *base;
    } table = {sizeof gates - 1, gates};

    (void)irq, (void)kind;
    if (!gates[FIRST].segment) /* another processor has done it */
        set_gates();
    __asm__ volatile("lidt %0" : : "m"(table) : "memory");
    msr_write(APIC_BASE, msr_read(APIC_BASE) | APIC_BASE_X2);
    msr_write(APIC_SPURIOUS, APIC_ENABLE | SPURIOUS);
}

uint32_t cpu_irq(void)
{
    return current;
}

/* KVM's timer runs at 1 GHz. */
void cpu_tick(uint32_t clocks)
{
    msr_write(APIC_BASE, msr_read(APIC_BASE) | APIC_BASE_X2);
    msr_write(APIC_TIMER_DIVIDE, APIC_TIMER_BY_1);
    msr_write(APIC_TIMER, clocks ? APIC_TIMER_PERIODIC | TICK : APIC_TIMER_MASKED | TICK);
    msr_write(APIC_TIMER_COUNT, clocks);
}
