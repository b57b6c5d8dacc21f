/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's side: registers, the line, doorbells on their way out. */
#ifndef IVF_GUEST_H
#define IVF_GUEST_H

#include "device.h"

/* Revision 0: tells line() when it moved. */
void ivf_guest_update_line(ivflat_device *dev);

#endif
