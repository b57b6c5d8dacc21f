/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Doorbells that KVM takes by itself: a peer's vector is bound to a store of its value to DOORBELL (KVM_IOEVENTFD), our
 * own to an interrupt (KVM_IRQFD).  KVM knows a binding by its descriptor and value, so there is no table here.
 */
#ifndef KVM_FAST_PATH_H
#define KVM_FAST_PATH_H

#include <libivflat/ivflat.h>

#include "machine.h"

struct fast_path {
    struct machine *machine;
    uint32_t doorbells, vectors; /* bound now */
    bool full_told;
};

/* Takes the four hooks, whose user begins with a struct fast_path, as far as this kernel has what they need.  What it
 * has not is said. */
void fast_path_take(struct fast_path *path, struct machine *machine, ivflat_hooks *hooks);

#endif
