/* SPDX-License-Identifier: BSD-3-Clause */
/* Taking the server's memory: refused or mapped, with nothing changed before it is sure. */
#ifndef IVF_ATTACH_H
#define IVF_ATTACH_H

#include "device.h"

/* @fd is given.  0, or an error with the sentence: then the memory is as it was. */
int32_t ivf_attach_memory(ivflat_device *dev, int fd);

#endif
