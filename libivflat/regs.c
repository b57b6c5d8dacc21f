/* SPDX-License-Identifier: BSD-3-Clause */
#include "regs.h"

#define BIT0 1u

bool ivf_regs_valid(uint64_t offset, uint32_t width)
{
    return width == 4 && offset < IVFLAT_MMIO_SIZE && (offset & 3) == 0;
}

/* R4: reading takes what is pending away. */
static uint32_t take_status(struct ivf_regs *regs)
{
    uint32_t status = regs->status;

    regs->status = 0;
    return status;
}

uint32_t ivf_regs_read(struct ivf_regs *regs, uint64_t offset, uint32_t width, uint32_t position)
{
    if (!ivf_regs_valid(offset, width)) {
        return 0;
    }
    switch (offset) {
    case IVFLAT_REG_INTRMASK:
        return regs->mask;
    case IVFLAT_REG_INTRSTATUS:
        return take_status(regs);
    case IVFLAT_REG_IVPOSITION:
        return position;
    default: /* DOORBELL is write-only (R6) */
        return 0;
    }
}

enum ivf_action ivf_regs_store(struct ivf_regs *regs, uint64_t offset, uint32_t width, uint32_t value)
{
    if (!ivf_regs_valid(offset, width)) {
        return IVF_ACTION_INVALID;
    }
    if (regs->revision0 && offset == IVFLAT_REG_INTRMASK) {
        regs->mask = value & BIT0;
    }
    if (regs->revision0 && offset == IVFLAT_REG_INTRSTATUS) {
        regs->status = value & BIT0;
    }
    return IVF_ACTION_NONE; /* revision 1: reserved (R3); IVPOSITION is read-only (R5) */
}

void ivf_regs_interrupt(struct ivf_regs *regs)
{
    if (regs->revision0) {
        regs->status = BIT0;
    }
}

uint32_t ivf_regs_line(const struct ivf_regs *regs)
{
    return regs->status & regs->mask & BIT0;
}

void ivf_regs_reset(struct ivf_regs *regs)
{
    regs->mask = 0;
    regs->status = 0;
}
