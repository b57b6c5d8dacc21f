/* SPDX-License-Identifier: BSD-3-Clause */
/* The register map (R1..R6): read -> value, write -> action.  Knows of no peer and calls nobody. */
#ifndef IVF_REGS_H
#define IVF_REGS_H

#include <libivflat/ivflat.h>

#include <stdbool.h>
#include <stdint.h>

struct ivf_regs {
    bool revision0;
    uint32_t mask; /* revision 0's registers: bit 0 alone */
    uint32_t status;
};

/* What a write asks for. */
enum ivf_action {
    IVF_ACTION_NONE,    /* nothing more: a register was stored, or is reserved or read-only */
    IVF_ACTION_INVALID, /* not an aligned 4-byte access of a register (R2) */
    IVF_ACTION_RING     /* the value is a doorbell's (R6) */
};

/* False for an access that does not count (R2). */
bool ivf_regs_valid(uint64_t offset, uint32_t width);

/* @position is what IVPOSITION reads.  Reading INTRSTATUS clears it in revision 0. */
uint32_t ivf_regs_read(struct ivf_regs *regs, uint64_t offset, uint32_t width, uint32_t position);

/* A write of any register but DOORBELL. */
enum ivf_action ivf_regs_store(struct ivf_regs *regs, uint64_t offset, uint32_t width, uint32_t value);

/* A doorbell is what has to be quick. */
static inline bool ivf_regs_is_doorbell(uint64_t offset, uint32_t width)
{
    return offset == IVFLAT_REG_DOORBELL && width == 4;
}

static inline enum ivf_action ivf_regs_write(struct ivf_regs *regs, uint64_t offset, uint32_t width, uint32_t value)
{
    return ivf_regs_is_doorbell(offset, width) ? IVF_ACTION_RING : ivf_regs_store(regs, offset, width, value);
}

/* Revision 0: a peer rang. */
void ivf_regs_interrupt(struct ivf_regs *regs);

/* Revision 0: what the line is at. */
uint32_t ivf_regs_line(const struct ivf_regs *regs);

void ivf_regs_reset(struct ivf_regs *regs);

#endif
