/* SPDX-License-Identifier: BSD-3-Clause */
/* A line at a time, and each at once: a byte at a time would leave the guest for each. */
#include "../../firmware/console.h"

#include <stdint.h>

#include "../board.h"

void console_open(void)
{
}

void console_line(const char *text)
{
    static const char end = '\n';
    uint32_t length = 0;

    while (text[length])
        length++;
    __asm__ volatile("rep outsb" : "+S"(text), "+c"(length) : "d"(KVM_BOARD_CONSOLE) : "memory");
    __asm__ volatile("outb %b0, %w1" : : "a"(end), "d"(KVM_BOARD_CONSOLE));
}
