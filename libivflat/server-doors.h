/* SPDX-License-Identifier: BSD-3-Clause */
/* The sockets where clients connect. */
#ifndef IVF_SERVER_DOORS_H
#define IVF_SERVER_DOORS_H

#include "server-state.h"

/* A door for any id (-1) or one: listens at @path, or at @listener (given, > 0), or nowhere.  0, or IVFLAT_ERR_... with
 * the sentence; @field is the listener's name in it. */
int32_t ivf_doors_add(ivflat_server *server, const char *path, int32_t listener, int32_t id, const char *field);

/* The one for @id; NULL: none. */
struct ivf_door *ivf_doors_find(const ivflat_server *server, uint32_t id);

/* Nobody can connect there any more; it stays open until the server's end. */
void ivf_doors_shut(ivflat_server *server, struct ivf_door *door);

/* Whether they are waited for. */
int ivf_doors_watch(ivflat_server *server);
void ivf_doors_unwatch(ivflat_server *server);

/* Nobody connects any more.  Where they are @ours and not another process's, their files are removed. */
void ivf_doors_close(ivflat_server *server, bool ours);

#endif
