/* SPDX-License-Identifier: BSD-3-Clause */
#include "numbers.h"

#include <string.h>

#define MOST_SECONDS 1000000.0 /* more is a slip */

gboolean number_parse(const char *text, uint64_t most, uint64_t *value)
{
    gboolean hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

    return hexadecimal ? g_ascii_string_to_unsigned(text + 2, 16, 0, most, value, NULL)
                       : g_ascii_string_to_unsigned(text, 10, 0, most, value, NULL);
}

/* How far a suffix shifts; 0: it is none. */
static unsigned shift_of(char suffix)
{
    switch (g_ascii_toupper(suffix)) {
    case 'K':
        return 10;
    case 'M':
        return 20;
    case 'G':
        return 30;
    default:
        return 0;
    }
}

gboolean size_parse(const char *text, uint64_t most, uint64_t *value)
{
    size_t length = strlen(text);
    unsigned shift = length > 0 ? shift_of(text[length - 1]) : 0;
    char *digits = g_strndup(text, shift ? length - 1 : length);
    gboolean good = number_parse(digits, most >> shift, value);

    g_free(digits);
    *value <<= good ? shift : 0;
    return good;
}

gboolean seconds_parse(const char *text, uint32_t *milliseconds)
{
    char *end = NULL;
    double seconds = g_ascii_isdigit(text[0]) ? g_ascii_strtod(text, &end) : -1;

    if (!end || *end || !(seconds >= 0 && seconds <= MOST_SECONDS)) {
        return FALSE;
    }
    *milliseconds = (uint32_t)(seconds * 1000 + 0.5);
    return TRUE;
}
