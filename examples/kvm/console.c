/* SPDX-License-Identifier: BSD-3-Clause */
#include "console.h"

#include <pthread.h>
#include <stdio.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* a guest may have several processors */
static char line[200];
static size_t length;

static void end_line(void)
{
    fwrite(line, 1, length, stdout);
    putchar('\n');
    fflush(stdout);
    length = 0;
}

/* Nothing that a terminal would take for a command: '?' stands for all but plain ASCII. */
static void put(uint8_t byte)
{
    if (byte != '\n')
        line[length++] = byte == '\t' || (byte >= ' ' && byte <= '~') ? (char)byte : '?';
    if (byte == '\n' || length == sizeof line)
        end_line();
}

void console_write(const uint8_t *bytes, size_t count)
{
    pthread_mutex_lock(&lock);
    for (size_t i = 0; i < count; i++)
        if (bytes[i] != '\r')
            put(bytes[i]);
    pthread_mutex_unlock(&lock);
}
