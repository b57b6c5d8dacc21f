/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest's driver for ivshmem-flat, for firmware to copy: this one file, C99, no library.
 *
 * `base` is where your board has the four registers.  Before other machines can be talked to, wait for an id.  What
 * lies in the shared memory is best read and written through ivflat-ring.h.
 *
 * A doorbell to a machine that is not there (yet) does nothing, and nobody tells the guest who comes and goes.  So
 * whoever waits for an answer should look again, and ring again, from time to time.
 */
#ifndef IVFLAT_GUEST_H
#define IVFLAT_GUEST_H

#include <stdint.h>

#define IVFLAT_GUEST_INTRMASK   0x0u /* revision 0 only: 1 lets the interrupt through */
#define IVFLAT_GUEST_INTRSTATUS 0x4u /* revision 0 only: 1 when rung; reading it is the acknowledgement */
#define IVFLAT_GUEST_IVPOSITION 0x8u /* our id */
#define IVFLAT_GUEST_DOORBELL   0xcu /* peer << 16 | vector */
#define IVFLAT_GUEST_NO_ID      0xffffffffu

/* All four are 32 bits wide; no other access counts. */
static inline uint32_t ivflat_guest_load(uintptr_t base, uint32_t offset)
{
    return *(volatile uint32_t *)(base + offset);
}

static inline void ivflat_guest_store(uintptr_t base, uint32_t offset, uint32_t value)
{
    *(volatile uint32_t *)(base + offset) = value;
}

/* Memory accesses before it are done before those after it, as other machines see them. */
static inline void ivflat_guest_barrier(void)
{
#if defined(__arm__)
    __asm__ volatile("dmb" ::: "memory");
#else
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

/* Our id, 0..65535, or IVFLAT_GUEST_NO_ID while the emulator has none from its server. */
static inline uint32_t ivflat_guest_id(uintptr_t base)
{
    return ivflat_guest_load(base, IVFLAT_GUEST_IVPOSITION);
}

/* Until we have an id.  Nothing interrupts when it comes, so this looks again and again. */
static inline uint32_t ivflat_guest_wait_id(uintptr_t base)
{
    uint32_t id;

    do {
        id = ivflat_guest_id(base);
    } while (id == IVFLAT_GUEST_NO_ID);
    return id;
}

/* Rings; whoever is woken by it sees what we wrote to the shared memory before. */
static inline void ivflat_guest_doorbell(uintptr_t base, uint32_t peer, uint32_t vector)
{
    ivflat_guest_barrier();
    ivflat_guest_store(base, IVFLAT_GUEST_DOORBELL, peer << 16 | (vector & 0xffffu));
}

/* Revision 0 only.  The line stays high until the status is read: read it in the handler, and it says whether it was
 * us.  In revision 1 both are reserved, and the interrupt is a pulse. */
static inline void ivflat_guest_unmask(uintptr_t base)
{
    ivflat_guest_store(base, IVFLAT_GUEST_INTRMASK, 1);
}

static inline uint32_t ivflat_guest_acknowledge(uintptr_t base)
{
    return ivflat_guest_load(base, IVFLAT_GUEST_INTRSTATUS) & 1u;
}

#if defined(__arm__)
/* Sleeps unless *rung, which your interrupt handler sets, and clears it.  An interrupt between the look and the WFI is
 * not lost: held back it stays pending, ends the WFI, and is taken after the cpsie.  Cortex-M and Cortex-A alike. */
static inline void ivflat_guest_sleep(volatile uint32_t *rung)
{
    __asm__ volatile("cpsid i" ::: "memory");
    if (!*rung)
        __asm__ volatile("dsb\n\twfi" ::: "memory");
    __asm__ volatile("cpsie i\n\tisb" ::: "memory");
    *rung = 0;
}
#endif
#endif
