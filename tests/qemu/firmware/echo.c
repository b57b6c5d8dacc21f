/* SPDX-License-Identifier: BSD-3-Clause */
/* An answer to each ring, from whomever it comes, and on which line. */
#include "board.h"
#include "commands.h"
#include "console.h"
#include "cpu.h"
#include "interrupts.h"
#include "ivflat-guest.h"
#include "line.h"

static void enable(uint32_t lines)
{
    for (uint32_t line = 0; line < BOARD_LINES; line++)
        if (lines >> line & 1)
            cpu_enable_irq(BOARD_IRQ + line, CPU_PULSE);
}

static void answer(uint32_t peer, uint32_t line)
{
    volatile uint32_t *memory = (volatile uint32_t *)BOARD_MEMORY;

    memory[1] = ~memory[0];
    ivflat_guest_doorbell(BOARD_MMR, peer, line);
}

static void say_lines(const uint32_t *served)
{
    struct line line = {{0}, 0};

    line_add_text(&line, "lines", 5);
    for (uint32_t i = 0; i < BOARD_LINES; i++)
        line_add(&line, " ", served[i]);
    console_line(line.text);
}

void command_echo(const uint32_t *numbers)
{
    uint32_t peer = numbers[0], left = numbers[1], served[BOARD_LINES];

    for (uint32_t line = 0; line < BOARD_LINES; line++)
        served[line] = taken[line];
    enable(numbers[2]);
    console_line("echo: ready");
    while (left > 0) {
        sleep_until_interrupted();
        for (uint32_t line = 0; line < BOARD_LINES; line++)
            for (; served[line] != taken[line] && left > 0; left--) {
                served[line]++;
                answer(peer, line);
            }
    }
    say_lines(served);
}
