/* SPDX-License-Identifier: BSD-3-Clause */
/* What the test types on the board's UART. */
#ifndef INPUT_H
#define INPUT_H

#include <stdint.h>

/* After console_open(). */
void input_open(void);

/* The next line, cut to @size - 1 bytes; looks until it is there. */
void input_line(char *text, uint32_t size);

#endif
