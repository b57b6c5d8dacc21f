/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef IVF_SERVER_SEATS_H
#define IVF_SERVER_SEATS_H

#include "server-state.h"

/* No more seats are asked for: those that another process had, and nobody wants any more, are given up. */
void ivf_seats_asked(ivflat_server *server);

#endif
