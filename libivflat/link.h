/* SPDX-License-Identifier: BSD-3-Clause */
/* The link to the server: greeting, losing it, coming back.  link.c is what both ways have in common; link-socket.c is
 * way 1, the library's own socket, and link-fed.c is way 2, bytes that the embedder feeds. */
#ifndef IVF_LINK_H
#define IVF_LINK_H

#include "device.h"

void ivf_link_init(struct ivf_link *link);

/* What answers an int32_t answers 0, or the error that ended the link, with its sentence. */

/* For the device's dispatch: the timer ran, and the greeting's time may be up, or it may be time to connect again. */
int32_t ivf_link_timer(ivflat_device *dev);

/* For the device's dispatch: the socket has bytes, or ended.  Takes a bounded share. */
int32_t ivf_link_serve(ivflat_device *dev);

/* Ends the link, and with it any reconnecting; forgets peers and vectors. */
void ivf_link_leave(ivflat_device *dev);

/* For the two ways. */

/* IVFLAT_ERR_INVALID unless the link is down. */
int32_t ivf_link_must_be_down(const ivflat_device *dev);

/* The link is down because of @error, whose sentence is set; 0: we leave.  What we know of peers stays (P17).  Answers
 * @error with its sentence, whatever the hooks did meanwhile. */
int32_t ivf_link_down(ivflat_device *dev, int32_t error);

/* Whether @error has its line still to come in this time without a server; asked once, it has had it. */
bool ivf_link_first_in_outage(struct ivf_link *link, int32_t error);

void ivf_link_greeting(ivflat_device *dev, enum ivf_way way);

/* A descriptor, or IVF_FD_LOST, that came with the bytes that are taken next.  Given. */
void ivf_link_latch(ivflat_device *dev, int fd);

/* At most ivf_wire_wants() of them. */
int32_t ivf_link_take_bytes(ivflat_device *dev, const uint8_t *bytes, uint32_t count);

/* The stream is at its end. */
int32_t ivf_link_ended(ivflat_device *dev);

/* Sets the timer for what is due first: the greeting's deadline, or the next try. */
void ivf_link_arm(ivflat_device *dev);

/* Way 1: connects to the link's path, now or, when that is not possible now, later.  @again: it was promised to try. */
int32_t ivf_link_connect(ivflat_device *dev, bool again);

#endif
