/* SPDX-License-Identifier: BSD-3-Clause */
/* Going on where another process ended. */
#ifndef IVF_SERVER_RESTORE_H
#define IVF_SERVER_RESTORE_H

#include "server-state.h"

/* From the list of descriptors @fd (given), into a server that has its loop, and nothing else yet.  False: that cannot
 * be; it was said why, all that was handed on is closed, and the server is as it was. */
bool ivf_restore(ivflat_server *server, int fd);

#endif
