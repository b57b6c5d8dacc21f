/* SPDX-License-Identifier: BSD-3-Clause */
/* The shared memory: from its first byte to its last, at every width. */
#include "board.h"
#include "commands.h"
#include "verdict.h"

/* Some words of each page of 4 KiB, none of them at the same place. */
enum { STEP = 1028 };

static volatile uint32_t *word(uint32_t offset)
{
    return (volatile uint32_t *)(BOARD_MEMORY + offset);
}

static uint32_t pattern(uint32_t offset, uint32_t seed)
{
    return offset * 2654435761u ^ seed * 0x9e3779b9u;
}

void command_fill(const uint32_t *numbers)
{
    uint32_t size = numbers[0], seed = numbers[1];

    for (uint32_t offset = 0; offset < size; offset += STEP)
        *word(offset) = pattern(offset, seed);
    *word(size - 4) = pattern(size - 4, seed);
    verdict("fill");
}

void command_verify(const uint32_t *numbers)
{
    uint32_t size = numbers[0], seed = numbers[1];

    for (uint32_t offset = 0; offset < size; offset += STEP)
        check("memory", offset, *word(offset), pattern(offset, seed));
    check("memory", size - 4, *word(size - 4), pattern(size - 4, seed));
    verdict("verify");
}

/* Each width sees what the others stored, least significant byte first. */
static void check_word(uint32_t offset)
{
    volatile uint8_t *byte = (volatile uint8_t *)word(offset);
    volatile uint16_t *half = (volatile uint16_t *)word(offset);

    for (uint32_t i = 0; i < 4; i++)
        byte[i] = (uint8_t)(0x11 * (i + 1));
    check("word of bytes", offset, *word(offset), 0x44332211);
    half[0] = 0xaa55;
    half[1] = 0x33cc;
    check("word of half-words", offset, *word(offset), 0x33ccaa55);
    *word(offset) = 0x89abcdef;
    check("byte of a word", offset + 1, byte[1], 0xcd);
    check("half-word of a word", offset + 2, half[1], 0x89ab);
}

void command_widths(const uint32_t *numbers)
{
    uint32_t size = numbers[0];

    check_word(0);
    check_word(size / 2 - 4);
    check_word(size / 2);
    check_word(size - 4);
    verdict("widths");
}
