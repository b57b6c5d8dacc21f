/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef CONSOLE_H
#define CONSOLE_H

void console_open(void);
void console_line(const char *text);

#endif
