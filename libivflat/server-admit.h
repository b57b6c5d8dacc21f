/* SPDX-License-Identifier: BSD-3-Clause */
/* Who is let in. */
#ifndef IVF_SERVER_ADMIT_H
#define IVF_SERVER_ADMIT_H

#include "server-state.h"

/* Takes the next one at that door in, or refuses it: one, for the others are to hear of it before the next one comes. */
void ivf_admit_next(ivflat_server *server, uint64_t door);

#endif
