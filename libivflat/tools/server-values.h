/* SPDX-License-Identifier: BSD-3-Clause */
/* The values of ivflat-server's options.  Each takes a text and answers GO_ON, or EXIT_USAGE when it has said what is
 * wrong. */
#ifndef TOOLS_SERVER_VALUES_H
#define TOOLS_SERVER_VALUES_H

#include "server-options.h"

#define EXIT_USAGE 2
#define GO_ON      (-1)

/* Says it, behind the program's name. */
int usage_error(const char *format, ...) G_GNUC_PRINTF(1, 2);

int take_size(struct server_options *options, const char *text);
int take_vectors(struct server_options *options, const char *text);
int take_bound(uint32_t *bound, const char *option, uint32_t most, const char *text);
int take_bytes(uint64_t *bytes, const char *option, const char *text);
int take_huge_page(struct server_options *options, const char *text);
int take_mode(struct server_options *options, const char *text);
int take_group(uint32_t *gid, const char *option, const char *text);
int take_allowed_user(struct server_options *options, const char *text);
int take_allowed_group(struct server_options *options, const char *text);
int take_ids(struct server_options *options, const char *text);
int take_peer(struct server_options *options, const char *text);
int take_host_peer(struct server_options *options, const char *text);

#endif
