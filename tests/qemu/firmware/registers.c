/* SPDX-License-Identifier: BSD-3-Clause */
/* The four registers as revision 1 has them (R2, R3, R5, R6), and who hears what is stored in DOORBELL (R7, R8).
 * Only aligned accesses: what becomes of others depends on the processor, not on the device. */
#include "board.h"
#include "commands.h"
#include "cpu.h"
#include "interrupts.h"
#include "ivflat-guest.h"
#include "verdict.h"

enum { BYTES = 16, NOBODY = 0xfffe };

static uint32_t load(uint32_t width, uint32_t offset)
{
    if (width == 1)
        return *(volatile uint8_t *)(BOARD_MMR + offset);
    if (width == 2)
        return *(volatile uint16_t *)(BOARD_MMR + offset);
    return *(volatile uint32_t *)(BOARD_MMR + offset);
}

static void store(uint32_t width, uint32_t offset, uint32_t value)
{
    if (width == 1)
        *(volatile uint8_t *)(BOARD_MMR + offset) = (uint8_t)value;
    else if (width == 2)
        *(volatile uint16_t *)(BOARD_MMR + offset) = (uint16_t)value;
    else
        *(volatile uint32_t *)(BOARD_MMR + offset) = value;
}

static void check_loads(uint32_t id)
{
    for (uint32_t offset = 0; offset < BYTES; offset += 1)
        check("byte", offset, load(1, offset), 0);
    for (uint32_t offset = 0; offset < BYTES; offset += 2)
        check("half-word", offset, load(2, offset), 0);
    for (uint32_t offset = 0; offset < BYTES; offset += 4)
        check("word", offset, load(4, offset), offset == IVFLAT_GUEST_IVPOSITION ? id : 0);
}

static void store_narrow(uint32_t value)
{
    for (uint32_t offset = 0; offset < BYTES; offset += 1)
        store(1, offset, value);
    for (uint32_t offset = 0; offset < BYTES; offset += 2)
        store(2, offset, value);
}

/* 0, and the ids: what would ring vector 0 of peer 0, of the peer or of ourselves if it were taken for a word, or for
 * a part of one. */
void command_registers(const uint32_t *numbers)
{
    uint32_t id = numbers[0], peer = numbers[1], before = taken_in_all();

    cpu_enable_irq(BOARD_IRQ, CPU_PULSE);
    check_loads(id);
    store_narrow(0);
    store_narrow(1);
    store_narrow(id);
    store_narrow(peer);
    store_narrow(0xffff);
    for (uint32_t offset = 0; offset < IVFLAT_GUEST_DOORBELL; offset += 4)
        store(4, offset, 0xffffffff);
    check_loads(id);
    ivflat_guest_doorbell(BOARD_MMR, peer, 2);
    check("interrupts", 0, taken_in_all(), before);
    verdict("registers");
}

void command_interrupts(const uint32_t *numbers)
{
    uint32_t id = numbers[0], count = numbers[1], vectors = numbers[2], before = taken_in_all();

    cpu_enable_irq(BOARD_IRQ, CPU_PULSE);
    ivflat_guest_doorbell(BOARD_MMR, id, vectors);
    ivflat_guest_doorbell(BOARD_MMR, id, 0xffff);
    ivflat_guest_doorbell(BOARD_MMR, NOBODY, 0);
    for (uint32_t i = 0; i < count; i++) {
        ivflat_guest_doorbell(BOARD_MMR, id, i % vectors);
        wait_taken(before + i + 1);
    }
    check("interrupts", 0, taken_in_all(), before + count);
    verdict("interrupts");
}
