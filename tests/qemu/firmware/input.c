/* SPDX-License-Identifier: BSD-3-Clause */
#include "input.h"

#include "board.h"

/* Of either UART: where it says that there is a byte, and by which value of which bit. */
#ifdef BOARD_UART_CMSDK
enum { DATA = 0x0, STATUS = 0x4, BIT = 2, THERE = 2, CONTROL = 0x8, BOTH_WAYS = 3 };
#else
enum { DATA = 0x0, STATUS = 0x18, BIT = 0x10, THERE = 0, CONTROL = 0x30, BOTH_WAYS = 0x301 };
#endif

static volatile uint32_t *at(uint32_t offset)
{
    return (volatile uint32_t *)(BOARD_UART + offset);
}

/* A byte from before is dropped; without this load QEMU's CMSDK UART does not tell its other end, after a reset, that
 * it takes bytes again. */
void input_open(void)
{
    *at(CONTROL) = BOTH_WAYS;
    (void)*at(DATA);
}

static char get(void)
{
    while ((*at(STATUS) & BIT) != THERE)
        ;
    return (char)*at(DATA);
}

void input_line(char *text, uint32_t size)
{
    uint32_t length = 0;

    for (char c = get(); c != '\n'; c = get())
        if (length < size - 1)
            text[length++] = c;
    text[length] = 0;
}
