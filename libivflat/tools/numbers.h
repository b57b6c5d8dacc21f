/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers as people write them. */
#ifndef TOOLS_NUMBERS_H
#define TOOLS_NUMBERS_H

#include <glib.h>
#include <stdint.h>

/* Decimal, or hexadecimal behind 0x; nothing else in @text, and at most @most. */
gboolean number_parse(const char *text, uint64_t most, uint64_t *value);

/* The same with B, K, M, G, T, P or E (1, 1024, ...) behind it, in either case; with one from K up also a decimal
 * fraction, as in 1.5M. */
gboolean size_parse(const char *text, uint64_t most, uint64_t *value);

/* Seconds, with a fraction or without: milliseconds. */
gboolean seconds_parse(const char *text, uint32_t *milliseconds);

/* A user or a group, by name or number. */
gboolean user_parse(const char *text, uint32_t *uid);
gboolean group_parse(const char *text, uint32_t *gid);

#endif
