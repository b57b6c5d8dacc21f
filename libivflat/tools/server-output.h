/* SPDX-License-Identifier: BSD-3-Clause */
/* What ivflat-server says: lines for people, or JSON for programs; in the background to the system's log. */
#ifndef TOOLS_SERVER_OUTPUT_H
#define TOOLS_SERVER_OUTPUT_H

#include "server-options.h"

#include <libivflat/ivflat-server.h>

void output_begin(const struct server_options *options);

/* Nobody reads what we print from now on. */
void output_to_log(void);

/* @room: for so many clients; @restarted: with so many it goes on. */
void output_ready(uint32_t room, gboolean restarted, uint32_t clients);
void output_joined(const ivflat_server_client *client);
void output_left(const ivflat_server_client *client, uint32_t reason, const char *text);
void output_refused(const ivflat_server_client *client, uint32_t reason, const char *text);
void output_log(uint32_t level, const char *text);

/* What the host's peer has to say: on standard output, or where it is wrong. */
void output_host(gboolean good, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* All clients, and what the server did since it was @started (g_get_monotonic_time()). */
void output_status(const ivflat_server *server, int64_t started);

#endif
