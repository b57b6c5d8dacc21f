/* SPDX-License-Identifier: BSD-3-Clause */
#include "numbers.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>

#define MOST_SECONDS 1000000.0 /* more is a slip */

gboolean number_parse(const char *text, uint64_t most, uint64_t *value)
{
    gboolean hexadecimal = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');

    return hexadecimal ? g_ascii_string_to_unsigned(text + 2, 16, 0, most, value, NULL)
                       : g_ascii_string_to_unsigned(text, 10, 0, most, value, NULL);
}

/* How far a suffix shifts; -1: it is none.  B and E are digits where numbers are hexadecimal. */
static int shift_of(char suffix, gboolean hexadecimal)
{
    static const char suffixes[] = "BKMGTPE";
    const char *found = suffix ? strchr(suffixes, g_ascii_toupper(suffix)) : NULL;

    return !found || (hexadecimal && strchr("BE", *found)) ? -1 : (int)(found - suffixes) * 10;
}

/* What stands behind the point, of a unit of 1 << @shift bytes: whole bytes. */
static gboolean fraction_parse(const char *text, int shift, uint64_t *value)
{
    char *number = g_strconcat("0.", text, NULL);
    gboolean good = shift > 0 && *text && strspn(text, "0123456789") == strlen(text);

    *value = good ? (uint64_t)(g_ascii_strtod(number, NULL) * (double)((uint64_t)1 << shift)) : 0;
    g_free(number);
    return good;
}

static gboolean scaled_parse(char *digits, int shift, uint64_t most, uint64_t *value)
{
    char *point = strchr(digits, '.');
    uint64_t fraction = 0;
    gboolean good = !point || fraction_parse(point + 1, shift, &fraction);

    if (point) {
        *point = '\0';
    }
    good = good && number_parse(digits, most >> shift, value) && fraction <= most - (*value << shift);
    *value = good ? (*value << shift) + fraction : 0;
    return good;
}

gboolean size_parse(const char *text, uint64_t most, uint64_t *value)
{
    size_t length = strlen(text);
    gboolean hexadecimal = g_ascii_strncasecmp(text, "0x", 2) == 0;
    int shift = length > 0 ? shift_of(text[length - 1], hexadecimal) : -1;
    char *digits = g_strndup(text, shift >= 0 ? length - 1 : length);
    gboolean good = !(hexadecimal && strchr(digits, '.')) && scaled_parse(digits, MAX(shift, 0), most, value);

    g_free(digits);
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

/* The last number is no user's and no group's: it means "leave it". */
static gboolean id_parse(const char *text, uint32_t *id)
{
    uint64_t number;
    gboolean good = number_parse(text, UINT32_MAX - 1, &number);

    *id = good ? (uint32_t)number : 0;
    return good;
}

gboolean user_parse(const char *text, uint32_t *uid)
{
    const struct passwd *user = getpwnam(text);

    if (user) {
        *uid = user->pw_uid;
        return TRUE;
    }
    return id_parse(text, uid);
}

gboolean group_parse(const char *text, uint32_t *gid)
{
    const struct group *group = getgrnam(text);

    if (group) {
        *gid = group->gr_gid;
        return TRUE;
    }
    return id_parse(text, gid);
}
