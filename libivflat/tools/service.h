/* SPDX-License-Identifier: BSD-3-Clause */
/* The manager of services that started us, where there is one and the program was built with libsystemd: what it handed
 * us, what we tell it, what it keeps for us. */
#ifndef TOOLS_SERVICE_H
#define TOOLS_SERVICE_H

#include "server-options.h"

#include <glib.h>
#include <stdint.h>

/* What it listens on for one --peer. */
struct service_socket {
    uint32_t id;
    int fd;
};

/* What it handed us. */
struct service_fds {
    int listener;  /* 0: none */
    int surplus;   /* another one, of which nobody can tell what it is for; 0: none */
    int list;      /* of what it kept for us, for ivflat_server_config.handed_fd; 0: nothing */
    GArray *peers; /* struct service_socket */
};
void service_take(struct service_fds *fds);
void service_fds_clear(struct service_fds *fds);

/* Gives each --peer its socket.  GO_ON, or EXIT_USAGE when it has said what does not fit. */
int service_match(const struct service_fds *fds, struct server_options *options);

/* There is one that we may tell something. */
gboolean service_is_there(void);

void service_ready(const char *status);
void service_reloading(void);
void service_stopping(void);

/* Keeps a descriptor beyond our end, under a name; FALSE: errno says why not.  Lets go of it. */
gboolean service_keep(const char *name, int32_t fd);
void service_forget(const char *name);

/* Whether it has taken all that it was told: what it has not would be lost with this process. */
gboolean service_knows_all(void);

#endif
