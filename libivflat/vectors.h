/* SPDX-License-Identifier: BSD-3-Clause */
/* Peers and their vectors coming, serving and going, with the hooks told in order. */
#ifndef IVF_VECTORS_H
#define IVF_VECTORS_H

#include "device.h"

/* P6..P8: the next vector of @id.  @fd is given.  0, or IVFLAT_ERR_NOMEM with the sentence. */
int32_t ivf_vectors_add(ivflat_device *dev, uint32_t id, int fd);

/* P9, P10. */
void ivf_vectors_leave(ivflat_device *dev, uint32_t id);

/* All of a table, the device's own or one that was set aside; @own: our id in it, or -1. */
void ivf_vectors_forget_all(ivflat_device *dev, struct ivf_peers *peers, int32_t own);

/* Our own @number has something to read, or had. */
void ivf_vectors_serve(ivflat_device *dev, uint32_t number);

/* The same, when it was the embedder who waited; false: it took no such vector. */
bool ivf_vectors_serve_taken(ivflat_device *dev, uint32_t number);

#endif
