/* SPDX-License-Identifier: BSD-3-Clause */
/* Who rings whom, on each vector in turn; what is heard must be that vector, once, and nothing else. */
#ifndef RINGS_H
#define RINGS_H

#include <stdint.h>

struct peer;
struct qemu;

/* What qemu_heard() and peer_heard() answer for @vector alone. */
static inline uint64_t bit(uint32_t vector)
{
    return UINT64_C(1) << vector;
}

/* Until one has heard of another from the server it cannot ring it, and QEMU has nothing to ask whether it has: so it
 * rings the last vector, which it hears of last, until that comes. */
void qemu_meets_peer(const struct qemu *qemu, struct peer *peer, uint32_t vectors);
void qemu_meets_qemu(const struct qemu *from, const struct qemu *to, uint32_t vectors);

void qemu_rings_peer(const struct qemu *qemu, struct peer *peer, uint32_t vectors);
void peer_rings_qemu(struct peer *peer, const struct qemu *qemu, uint32_t vectors);
void peer_rings_peer(struct peer *from, struct peer *to, uint32_t vectors);
void qemu_rings_qemu(const struct qemu *from, const struct qemu *to, uint32_t vectors);

#endif
