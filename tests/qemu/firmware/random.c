/* SPDX-License-Identifier: BSD-3-Clause */
/* A guest that knows nothing of the registers: any width, any place, any value. */
#include "board.h"
#include "commands.h"
#include "cpu.h"
#include "ivflat-guest.h"
#include "verdict.h"

enum { BYTES = 16 };

/* Marsaglia's xorshift; never 0. */
static uint32_t next(uint32_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 17;
    *state ^= *state << 5;
    return *state;
}

/* Every other one names a peer and a vector that may well be there. */
static uint32_t value_of(uint32_t random)
{
    return random & 1 ? random : (random >> 4 & 7) << 16 | (random >> 8 & 3);
}

static void load(uint32_t width, uintptr_t place)
{
    if (width == 0)
        (void)*(volatile uint8_t *)place;
    else if (width == 1)
        (void)*(volatile uint16_t *)place;
    else if (width == 2)
        (void)*(volatile uint32_t *)place;
    else
        (void)*(volatile uint64_t *)place;
}

static void store(uint32_t width, uintptr_t place, uint32_t value)
{
    if (width == 0)
        *(volatile uint8_t *)place = (uint8_t)value;
    else if (width == 1)
        *(volatile uint16_t *)place = (uint16_t)value;
    else if (width == 2)
        *(volatile uint32_t *)place = value;
    else
        *(volatile uint64_t *)place = value;
}

/* What processors take of accesses across their own width differs, so each is a multiple of its width, or of 4. */
static uintptr_t place_of(uint32_t width, uint32_t random)
{
    uint32_t offset = random % BYTES & ~((width < 3 ? 1u << width : 4u) - 1);

    return BOARD_MMR + (width == 3 && offset > 8 ? 8 : offset);
}

void command_random(const uint32_t *numbers)
{
    uint32_t state = numbers[0] | 1, id = ivflat_guest_id(BOARD_MMR);

    cpu_enable_irq(BOARD_IRQ, CPU_PULSE);
    for (uint32_t i = 0; i < numbers[1]; i++) {
        uint32_t random = next(&state), width = random >> 30;
        uintptr_t place = place_of(width, random >> 4);

        if (random >> 28 & 1)
            load(width, place);
        else
            store(width, place, value_of(next(&state)));
    }
    check("id", IVFLAT_GUEST_IVPOSITION, ivflat_guest_id(BOARD_MMR), id);
    verdict("random");
}
