/* SPDX-License-Identifier: BSD-3-Clause */
/* Calling out. */
#ifndef IVF_SERVER_HOOKS_H
#define IVF_SERVER_HOOKS_H

#include "server-state.h"

/* A client as the program sees it. */
void ivf_server_describe(const ivflat_server *server, const struct ivf_client *client, ivflat_server_client *info);

/* 0: it may come in. */
int32_t ivf_server_ask(ivflat_server *server, const ivflat_server_client *info);
void ivf_server_tell_joined(ivflat_server *server, const struct ivf_client *client);
void ivf_server_tell_left(ivflat_server *server, const struct ivf_client *client);
void ivf_server_tell_refused(ivflat_server *server, const ivflat_server_client *info, uint32_t reason,
                             const char *text);
/* A descriptor to keep under a name, or (-1) to let go of. */
void ivf_server_tell_stored(ivflat_server *server, const char *name, int fd);
void ivf_server_log(ivflat_server *server, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

#endif
