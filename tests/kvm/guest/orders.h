/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the guest is told by who tests or measures it, another peer: the order lies in the shared memory at 64 times the
 * guest's id, and a ring of the guest's vector 1 says that it is there.  When it is done, or for ANSWER begun, the
 * guest writes its number to `done` and `report` to DOORBELL.  The same words are in tests/kvm/guest.py.
 */
#ifndef ORDERS_H
#define ORDERS_H

#include <stdint.h>

enum {
    ANSWER = 1, /* from now on writes `value` to DOORBELL at each interrupt of vector 0; NOBODY: only counts them */
    RING,       /* writes `value` to DOORBELL `times` times; `second`, if not 0, is rung by another processor */
    PING,       /* rings by `value`, and again at each interrupt of vector 0, `times` times */
    HAND,       /* the same, with a message of MESSAGE words each way; `second`: spoils the message of this number */
    TAKE        /* the other side of HAND */
};

#define NOBODY   0xffffffffu
#define MESSAGE  16u      /* words, the last one a checksum */
#define MESSAGES 0x10000u /* in the memory: where id N's messages lie, 64 bytes each */

struct orders {
    uint32_t number, what, value, times, second, report;
    uint32_t done;
    uint32_t taken; /* interrupts of vector 0 since the last order */
    uint32_t bad;   /* messages that were not what they should be */
    uint32_t reserved[7];
};

#endif
