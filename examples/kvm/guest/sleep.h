/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What firmware/ivflat-guest.h has for Arm: to sleep until rung, without missing it.
 *
 * Interrupts are taken while the guest sleeps and at no other time.  So a handler need not restore flags, and returns
 * with interrupts off by a plain RET that drops what IRET would restore.  That is not for speed: a host without
 * hardware virtualization has a KVM that follows a guest one instruction at a time, and an IRET in protected mode it
 * cannot follow.
 */
#if !defined(KVM_GUEST_SLEEP_H) && !defined(__ASSEMBLER__)
#define KVM_GUEST_SLEEP_H

#include <stdint.h>

/* Sleeps unless *rung, which the interrupt handler sets, and clears it.  No interrupt comes between STI and HLT. */
static inline void ivflat_guest_sleep(volatile uint32_t *rung)
{
    if (!*rung)
        __asm__ volatile("sti\n\thlt\n\tcli" ::: "memory", "cc");
    *rung = 0;
}

#endif
