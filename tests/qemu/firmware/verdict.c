/* SPDX-License-Identifier: BSD-3-Clause */
#include "verdict.h"

#include "console.h"
#include "line.h"

static uint32_t wrong;

static void add(struct line *line, const char *text)
{
    line_add_text(line, text, sizeof line->text);
}

static void add_hex(struct line *line, const char *text, uint32_t number)
{
    uint32_t digits = 1;

    add(line, text);
    while (digits < 8 && number >> 4 * digits)
        digits++;
    while (digits--)
        line_add_text(line, &"0123456789abcdef"[number >> 4 * digits & 15], 1);
}

void check(const char *what, uint32_t where, uint32_t got, uint32_t expected)
{
    struct line line = {{0}, 0};

    if (got == expected)
        return;
    add(&line, "FAIL ");
    add(&line, what);
    add_hex(&line, " at 0x", where);
    add_hex(&line, ": got 0x", got);
    add_hex(&line, ", expected 0x", expected);
    if (wrong++ < 20)
        console_line(line.text);
}

void verdict(const char *name)
{
    struct line line = {{0}, 0};

    add(&line, name);
    if (wrong == 0) {
        add(&line, ": ok");
    } else {
        line_add(&line, ": ", wrong);
        add(&line, " wrong");
    }
    console_line(line.text);
    wrong = 0;
}

void say(const char *text, uint32_t number)
{
    struct line line = {{0}, 0};

    line_add(&line, text, number);
    console_line(line.text);
}
