/* SPDX-License-Identifier: BSD-3-Clause */
/* A line of text put together without a C library; what does not fit is cut. */
#ifndef LINE_H
#define LINE_H

#include <stdint.h>

struct line {
    char text[100]; /* always ends in a 0 when it began as zeros */
    uint32_t length;
};

static inline void line_add_text(struct line *line, const char *text, uint32_t length)
{
    for (uint32_t i = 0; i < length && text[i] && line->length < sizeof line->text - 1; i++)
        line->text[line->length++] = text[i];
}

static inline void line_add_number(struct line *line, uint32_t number)
{
    char digit = (char)('0' + number % 10);

    if (number >= 10)
        line_add_number(line, number / 10);
    line_add_text(line, &digit, 1);
}

static inline void line_add(struct line *line, const char *text, uint32_t number)
{
    line_add_text(line, text, sizeof line->text);
    line_add_number(line, number);
}

#endif
