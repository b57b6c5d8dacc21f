/* SPDX-License-Identifier: BSD-3-Clause */
/* One line after the other on the board's UART, by polling. */
#include <stdint.h>

#include "board.h"
#include "console.h"

#ifdef BOARD_UART_CMSDK
enum { DATA = 0x0, STATUS = 0x4, FULL = 1, CONTROL = 0x8, ENABLE = 1, DIVIDER = 0x10 };
#else
enum {
    DATA = 0x0,
    STATUS = 0x18,
    FULL = 0x20,
    CONTROL = 0x30,
    ENABLE = 0x301,
    DIVIDER = 0x24,
    LINE = 0x2c,
    BITS_8 = 0x60
};
#endif

static volatile uint32_t *at(uint32_t offset)
{
    return (volatile uint32_t *)(BOARD_UART + offset);
}

void console_open(void)
{
    *at(DIVIDER) = 16;
#ifndef BOARD_UART_CMSDK
    *at(LINE) = BITS_8; /* else it sends 5 */
#endif
    *at(CONTROL) = ENABLE;
}

static void put(char c)
{
    while (*at(STATUS) & FULL)
        ;
    *at(DATA) = (uint8_t)c;
}

void console_line(const char *text)
{
    while (*text)
        put(*text++);
    put('\n');
}
