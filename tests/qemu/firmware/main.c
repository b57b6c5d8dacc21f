/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest of the tests: does what it is told on its UART, a line a command, and says what it found. */
#include "board.h"
#include "commands.h"
#include "console.h"
#include "cpu.h"
#include "input.h"
#include "ivflat-guest.h"
#include "verdict.h"

static const struct {
    const char *name;
    void (*run)(const uint32_t *numbers);
} commands[] = {
    {"registers", command_registers}, {"revision0", command_revision0},   {"pending", command_pending},
    {"cleared", command_cleared},     {"interrupts", command_interrupts}, {"widths", command_widths},
    {"fill", command_fill},           {"verify", command_verify},         {"echo", command_echo},
    {"stream", command_stream},       {"random", command_random},
};

/* What follows @name in @text, or NULL. */
static const char *after(const char *text, const char *name)
{
    while (*name && *text == *name)
        text++, name++;
    return *name == 0 && (*text == 0 || *text == ' ') ? text : (const char *)0;
}

static void parse(const char *text, uint32_t *numbers)
{
    for (uint32_t i = 0; i < NUMBERS && *text == ' '; i++)
        for (text++; *text >= '0' && *text <= '9'; text++)
            numbers[i] = numbers[i] * 10 + (uint32_t)(*text - '0');
}

static void obey(const char *text)
{
    uint32_t numbers[NUMBERS] = {0};

    for (uint32_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        const char *rest = after(text, commands[i].name);

        if (rest) {
            parse(rest, numbers);
            commands[i].run(numbers);
            return;
        }
    }
    console_line("FAIL there is no such command");
}

int main(void)
{
    char text[80];

    console_open();
    input_open();
    say("id ", ivflat_guest_wait_id(BOARD_MMR));
    for (;;) {
        input_line(text, sizeof text);
        obey(text);
    }
}
