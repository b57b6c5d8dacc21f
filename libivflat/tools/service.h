/* SPDX-License-Identifier: BSD-3-Clause */
/* The manager of services that started us, where there is one and the program was built with libsystemd: what it handed
 * us, what we tell it, what it keeps for us. */
#ifndef TOOLS_SERVICE_H
#define TOOLS_SERVICE_H

#include <glib.h>
#include <stdint.h>

/* What it handed us. */
struct service_fds {
    int listener; /* 0: none */
    int list;     /* of what it kept for us, for ivflat_server_config.handed_fd; 0: nothing */
};
void service_take(struct service_fds *fds);

/* There is one that we may tell something. */
gboolean service_is_there(void);

void service_ready(const char *status);
void service_reloading(void);
void service_stopping(void);

/* Keeps a descriptor beyond our end, under a name; lets go of it. */
void service_keep(const char *name, int32_t fd);
void service_forget(const char *name);

#endif
