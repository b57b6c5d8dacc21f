/* SPDX-License-Identifier: BSD-3-Clause */
/* What the firmware needs of a GICv2, without its security extension: interrupts of one processor, all of one priority.
 * Numbers are the GIC's own: 16..31 private to the processor, from 32 on shared. */
#ifndef GIC_H
#define GIC_H

#include <stdint.h>

#include "board.h"

enum { GIC_SHARED = 32, GIC_NONE = 1020 };

static inline volatile uint32_t *gic_distributor(uint32_t offset)
{
    return (volatile uint32_t *)(BOARD_GIC_DISTRIBUTOR + offset);
}

static inline volatile uint32_t *gic_cpu(uint32_t offset)
{
    return (volatile uint32_t *)(BOARD_GIC_CPU + offset);
}

/* Passes on what gic_enable() lets through, whatever its priority. */
static inline void gic_open(void)
{
    *gic_distributor(0) = 1;
    *gic_cpu(4) = 0xff;
    *gic_cpu(0) = 1;
}

/* A shared interrupt goes to the first processor. */
static inline void gic_enable(uint32_t number, uint32_t edge)
{
    volatile uint32_t *kinds = gic_distributor(0xc00 + number / 16 * 4);
    uint32_t kind = 2u << number % 16 * 2;

    *kinds = edge ? *kinds | kind : *kinds & ~kind;
    ((volatile uint8_t *)gic_distributor(0x800))[number] = 1;
    *gic_distributor(0x100 + number / 32 * 4) = 1u << number % 32;
}

/* The interrupt that waits, from GIC_NONE on none; to be given to gic_end() when it is served. */
static inline uint32_t gic_begin(void)
{
    return *gic_cpu(0xc);
}

static inline void gic_end(uint32_t number)
{
    *gic_cpu(0x10) = number;
}

#endif
