/* SPDX-License-Identifier: BSD-3-Clause */
/* INTRMASK, INTRSTATUS and the line that they make, as revision 0 has them (R4). */
#include "board.h"
#include "commands.h"
#include "cpu.h"
#include "interrupts.h"
#include "ivflat-guest.h"
#include "verdict.h"

enum { LATE = 3 };

static uint32_t load(uint32_t offset)
{
    return ivflat_guest_load(BOARD_MMR, offset);
}

static void store(uint32_t offset, uint32_t value)
{
    ivflat_guest_store(BOARD_MMR, offset, value);
}

static void acknowledge(void)
{
    ivflat_guest_acknowledge(BOARD_MMR);
}

/* The line stays where it is until then, so the handler is called again and again. */
static void acknowledge_late(void)
{
    static uint32_t calls;

    if (++calls == LATE)
        acknowledge();
}

static void check_mask(void)
{
    store(IVFLAT_GUEST_INTRMASK, 0xffffffff);
    check("mask", 0, load(IVFLAT_GUEST_INTRMASK), 1);
    check("mask again", 0, load(IVFLAT_GUEST_INTRMASK), 1);
    store(IVFLAT_GUEST_INTRMASK, 0xfffffffe);
    check("mask", 0, load(IVFLAT_GUEST_INTRMASK), 0);
}

/* Masked, so that nothing interrupts. */
static void check_status(void)
{
    store(IVFLAT_GUEST_INTRSTATUS, 0xffffffff);
    check("status", 4, load(IVFLAT_GUEST_INTRSTATUS), 1);
    check("status that was read", 4, load(IVFLAT_GUEST_INTRSTATUS), 0);
    store(IVFLAT_GUEST_INTRSTATUS, 1);
    store(IVFLAT_GUEST_INTRSTATUS, 0xfffffffe);
    check("status that was cleared", 4, load(IVFLAT_GUEST_INTRSTATUS), 0);
}

static void check_narrow(void)
{
    for (uint32_t offset = 0; offset < 8; offset++)
        *(volatile uint8_t *)(BOARD_MMR + offset) = 0xff;
    for (uint32_t offset = 0; offset < 8; offset += 2)
        *(volatile uint16_t *)(BOARD_MMR + offset) = 0xffff;
    check("mask", 0, load(IVFLAT_GUEST_INTRMASK), 0);
    check("status", 4, load(IVFLAT_GUEST_INTRSTATUS), 0);
    store(IVFLAT_GUEST_INTRSTATUS, 1);
    for (uint32_t offset = 0; offset < 8; offset++)
        check("byte", offset, *(volatile uint8_t *)(BOARD_MMR + offset), 0);
    for (uint32_t offset = 0; offset < 8; offset += 2)
        check("half-word", offset, *(volatile uint16_t *)(BOARD_MMR + offset), 0);
    check("status that no narrow load has cleared", 4, load(IVFLAT_GUEST_INTRSTATUS), 1);
}

/* A ring sets the status; the mask keeps the line down. */
static void check_masked_ring(uint32_t id)
{
    ivflat_guest_doorbell(BOARD_MMR, id, 0);
    while (load(IVFLAT_GUEST_INTRSTATUS) != 1)
        ;
    check("status that was read", 4, load(IVFLAT_GUEST_INTRSTATUS), 0);
    check("interrupts while masked", 0, taken_in_all(), 0);
}

/* Each way to raise the line: by the mask, by the status, by a ring. */
static void check_line(uint32_t id)
{
    in_handler = acknowledge;
    store(IVFLAT_GUEST_INTRSTATUS, 1);
    ivflat_guest_unmask(BOARD_MMR);
    wait_taken(1);
    store(IVFLAT_GUEST_INTRSTATUS, 1);
    wait_taken(2);
    ivflat_guest_doorbell(BOARD_MMR, id, 0);
    wait_taken(3);
    check("status that the handler read", 4, load(IVFLAT_GUEST_INTRSTATUS), 0);
    in_handler = acknowledge_late;
    ivflat_guest_doorbell(BOARD_MMR, id, 0);
    wait_taken(3 + LATE);
    check("interrupts", 0, taken_in_all(), 3 + LATE);
    in_handler = 0;
}

void command_revision0(const uint32_t *numbers)
{
    uint32_t id = numbers[0];

    cpu_enable_irq(BOARD_IRQ, CPU_LEVEL);
    check("id", 8, load(IVFLAT_GUEST_IVPOSITION), id);
    check("doorbell", 12, load(IVFLAT_GUEST_DOORBELL), 0);
    check_mask();
    check_status();
    check_narrow();
    check_masked_ring(id);
    check_line(id);
    verdict("revision0");
}

/* The line is high, and nobody takes it. */
void command_pending(const uint32_t *numbers)
{
    (void)numbers;
    store(IVFLAT_GUEST_INTRMASK, 1);
    store(IVFLAT_GUEST_INTRSTATUS, 1);
    check("mask", 0, load(IVFLAT_GUEST_INTRMASK), 1);
    verdict("pending");
}

void command_cleared(const uint32_t *numbers)
{
    (void)numbers;
    cpu_enable_irq(BOARD_IRQ, CPU_LEVEL);
    check("mask", 0, load(IVFLAT_GUEST_INTRMASK), 0);
    check("status", 4, load(IVFLAT_GUEST_INTRSTATUS), 0);
    check("interrupts", 0, taken_in_all(), 0);
    verdict("cleared");
}
