/* SPDX-License-Identifier: BSD-3-Clause */
/* What ivflat-client says: a line for people, or one JSON object a line. */
#ifndef TOOLS_CLIENT_OUTPUT_H
#define TOOLS_CLIENT_OUTPUT_H

#include <glib.h>
#include <stdint.h>

/* Once, at the start. */
void output_begin(gboolean json);

/* At the end: whether all that was said is out.  If not, it says so on standard error. */
gboolean output_end(void);

void say_joined(int32_t id, uint64_t memory);
void say_peer(uint32_t id, uint32_t vectors, gboolean ours);
void say_left(uint32_t id);
void say_interrupt(uint32_t vector, uint64_t count);
void say_rang(uint32_t peer, uint32_t vector);
void say_read(uint64_t offset, const uint8_t *bytes, uint64_t length);
void say_wrote(uint64_t offset, uint64_t length);
void say_help(const char *text);

/* For people on standard error. */
void say_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

#endif
