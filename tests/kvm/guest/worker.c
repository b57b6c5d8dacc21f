/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest that does as it is ordered (orders.h), on our KVM example and on a PC of QEMU's with ivshmem-doorbell. */
#include "../../../examples/firmware/console.h"
#include "../../../examples/firmware/cpu.h"
#include "../../../examples/firmware/ivflat-guest.h"
#include "../../../examples/firmware/line.h"
#include "../../../examples/kvm/board.h"
#include "../../../examples/kvm/guest/entry.h"
#include "../../../examples/kvm/guest/x2apic.h"
#include "orders.h"
#include "pci.h"

enum { FOREVER = 0xffffffff, VECTORS = 2, WORK = 0x3f };

uint32_t play(volatile uint32_t *door, uint32_t value, uint32_t times);
void play_ball(void), play_order(void);
void other_main(void);

volatile uint32_t ordered;

static volatile uint32_t *const doorbell = (volatile uint32_t *)(KVM_BOARD_REGISTERS + IVFLAT_GUEST_DOORBELL);
static volatile uint32_t nowhere, unrung;
static volatile uint32_t *door = &nowhere; /* what is written at vector 0, where */
static uint32_t answer, taken;

/* The second processor's part. */
static volatile uint32_t ready, work, work_value, work_times, work_done;

static void ring(uint32_t value, uint32_t times)
{
    __asm__ volatile("1: movl %1, %2; decl %0; jnz 1b" : "+r"(times) : "r"(value), "m"(*doorbell) : "memory", "cc");
}

/* Rung by the first processor for work. */
void tick_isr(void)
{
    work = 1;
}

void other_main(void)
{
    while (!ready)
        ;
    cpu_enable_irq(0, CPU_PULSE);
    ready = 2;
    for (;;) {
        while (!work)
            ivflat_guest_sleep(&unrung);
        work = 0;
        ring(work_value, work_times);
        work_done++;
    }
}

static void ring_by_both(const volatile struct orders *order)
{
    uint32_t before = work_done;

    while (ready != 2)
        ;
    work_value = order->second;
    work_times = order->times;
    msr_write(APIC_COMMAND, 1ull << 32 | WORK);
    ring(order->value, order->times);
    while (work_done == before)
        ;
}

static volatile uint32_t *message_of(uint32_t id)
{
    return (volatile uint32_t *)(KVM_BOARD_MEMORY + MESSAGES) + id * MESSAGE;
}

static uint32_t checksum(const volatile uint32_t *message)
{
    uint32_t sum = 0x811c9dc5;

    for (uint32_t i = 0; i < MESSAGE - 1; i++)
        sum = (sum ^ message[i]) * 0x01000193;
    return sum;
}

static void write_message(uint32_t id, uint32_t number, uint32_t spoiled)
{
    volatile uint32_t *message = message_of(id);

    for (uint32_t i = 0; i < MESSAGE - 1; i++)
        message[i] = number * 0x9e3779b9 + id + i;
    message[MESSAGE - 1] = checksum(message);
    message[3] ^= number == spoiled;
}

static uint32_t is_bad(uint32_t id, uint32_t number)
{
    const volatile uint32_t *message = message_of(id);

    return message[0] != number * 0x9e3779b9 + id || message[MESSAGE - 1] != checksum(message);
}

/* One side writes message 1 and rings, the other checks it, writes its own and rings back, and so on. */
static void exchange(uint32_t id, volatile struct orders *order, uint32_t begins)
{
    uint32_t other = order->value >> 16;

    for (uint32_t number = 1; number <= order->times && !ordered; number++) {
        if (!begins && play(&nowhere, 0, 1) != 0)
            return;
        if (!begins)
            order->bad += is_bad(other, number);
        write_message(id, number, order->second);
        ivflat_guest_barrier();
        *doorbell = order->value;
        if (begins && play(&nowhere, 0, 1) != 0)
            return;
        if (begins)
            order->bad += is_bad(other, number);
    }
}

static void finish(volatile struct orders *order)
{
    order->taken = taken;
    taken = 0;
    order->done = order->number;
    ivflat_guest_barrier();
    if (order->report != NOBODY)
        *doorbell = order->report;
}

static void obey(uint32_t id)
{
    volatile struct orders *order = (volatile struct orders *)KVM_BOARD_MEMORY + id;

    ordered = 0;
    door = &nowhere;
    if (order->what == ANSWER) {
        answer = order->value;
        door = answer == NOBODY ? &nowhere : doorbell;
    } else if (order->what == RING && order->second != 0) {
        ring_by_both(order);
    } else if (order->what == RING) {
        ring(order->value, order->times);
    } else if (order->what == PING) {
        *doorbell = order->value;
        play(doorbell, order->value, order->times);
    } else if (order->what == HAND || order->what == TAKE) {
        if (order->what == TAKE)
            finish(order);
        exchange(id, order, order->what == HAND);
    }
    if (order->what != TAKE)
        finish(order);
}

static void tell_id(void)
{
    struct line line = {{0}, 0};

    line_add(&line, "id ", ivflat_guest_wait_id(KVM_BOARD_REGISTERS));
    console_line(line.text);
}

int main(void)
{
    pci_place_ivshmem(VECTORS);
    cpu_enable_irq(0, CPU_PULSE);
    entry_set(KVM_BOARD_VECTOR, play_ball);
    entry_set(KVM_BOARD_VECTOR + 1, play_order);
    ready = 1;
    tell_id();
    for (;;) {
        taken += FOREVER - play(door, answer, FOREVER);
        if (ordered)
            obey(ivflat_guest_id(KVM_BOARD_REGISTERS));
    }
}
