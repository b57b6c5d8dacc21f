/* SPDX-License-Identifier: BSD-3-Clause */
/* When the kernel lacks something (descriptors, memory, room for descriptors in flight), it is asked again a little
 * later, or when a client has left: asking at once would keep us busy for nothing. */
#ifndef IVF_SERVER_RETRY_H
#define IVF_SERVER_RETRY_H

#include "server-state.h"

/* Accepts nobody until the timer: a listener that cannot be accepted from stays readable. */
void ivf_retry_pause(ivflat_server *server);

/* Says so, with @what and -errno, unless it was said already since it last worked, or within a second. */
void ivf_retry_tell(ivflat_server *server, enum ivf_lack lack, const char *what, int error);

/* A line about @lack may be said: a second has passed since the last one. */
bool ivf_retry_may_tell(ivflat_server *server, enum ivf_lack lack);

/* Sending lacked something: the timer will come.  Says so. */
void ivf_retry_send(ivflat_server *server, int error);

/* It works again: the next lack is worth a line, if a second has passed since the last one. */
void ivf_retry_good(ivflat_server *server, enum ivf_lack lack);

/* The timer has come: accepts again, and the timer is quiet. */
void ivf_retry_over(ivflat_server *server);

/* A client has left, and what it had is free: accepts again.  Answers whether sending may be tried again too.  Once
 * until the timer comes, for clients that come and go are not to set the pace. */
bool ivf_retry_left(ivflat_server *server);

#endif
