/* SPDX-License-Identifier: BSD-3-Clause */
/* Calling out. */
#ifndef IVF_SERVER_HOOKS_H
#define IVF_SERVER_HOOKS_H

#include "server-state.h"

void ivf_server_tell_joined(ivflat_server *server, uint32_t id, int32_t pid);
void ivf_server_tell_left(ivflat_server *server, uint32_t id, const char *reason);
void ivf_server_log(ivflat_server *server, uint32_t level, const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));

#endif
