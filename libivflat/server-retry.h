/* SPDX-License-Identifier: BSD-3-Clause */
/* When the kernel lacks something (descriptors, memory, room for descriptors in flight), it is asked again a little
 * later, or when a client has left: asking at once would keep us busy for nothing. */
#ifndef IVF_SERVER_RETRY_H
#define IVF_SERVER_RETRY_H

#include "server-state.h"

/* The timer will come. */
void ivf_retry_later(ivflat_server *server);

/* Accepts nobody until then: a listener that cannot be accepted from stays readable.  Says so once. */
void ivf_retry_pause(ivflat_server *server, const char *what, int error);

/* The timer has come: accepts again, and the timer is quiet. */
void ivf_retry_over(ivflat_server *server);

/* Accepts again, where that was paused. */
void ivf_retry_accepting(ivflat_server *server);

#endif
