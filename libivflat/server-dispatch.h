/* SPDX-License-Identifier: BSD-3-Clause */
/* What is due: who connects, comes, goes, can take more; and the time to try again. */
#ifndef IVF_SERVER_DISPATCH_H
#define IVF_SERVER_DISPATCH_H

#include "server-state.h"

/* Does a bounded share.  0, or -errno: epoll is broken. */
int ivf_server_dispatch(ivflat_server *server);

#endif
