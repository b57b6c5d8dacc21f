/* SPDX-License-Identifier: BSD-3-Clause */
/* The server's own process as a peer: says when it is rung, and rings by a line on standard input. */
#ifndef TOOLS_HOST_PEER_H
#define TOOLS_HOST_PEER_H

#include <glib.h>
#include <libivflat/ivflat-server.h>

struct host_peer;

/* NULL: ivflat_last_error() says why. */
struct host_peer *host_peer_new(ivflat_server *server, uint32_t id, uint32_t vectors);

void host_peer_free(struct host_peer *host);

#endif
