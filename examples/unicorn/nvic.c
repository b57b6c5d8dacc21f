/* SPDX-License-Identifier: BSD-3-Clause */
#include "nvic.h"

#include <stddef.h>
#include <time.h>

enum {
    SYST_CSR = 0x010,
    SYST_RVR = 0x014,
    SYST_CVR = 0x018,
    NVIC_ISER = 0x100, /* sets what is enabled; a bit a line */
    NVIC_ISPR = 0x200, /* sets what is pending */
    NVIC_CLEAR = 0x80, /* in an offset: clears instead */
    NVIC_IABR = 0x300,
    NS_PER_CLOCK = 80,
    TICK_ENABLE = 1,
    TICK_INTERRUPT = 2,
    TICK_WRITABLE = 7,
    TICK_COUNTFLAG = 0x10000
};

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* A reload value of 0 stops the timer at the end of the period that it is in. */
static uint64_t next_due(const struct nvic *nvic, uint64_t time)
{
    return nvic->tick_reload ? time + ((uint64_t)nvic->tick_reload + 1) * NS_PER_CLOCK : 0;
}

/* Reading it is what clears the flag. */
static uint32_t read_control(struct nvic *nvic)
{
    uint32_t control;

    nvic_tick(nvic);
    control = nvic->tick_control;
    nvic->tick_control &= ~(uint32_t)TICK_COUNTFLAG;
    return control;
}

static uint32_t read_value(const struct nvic *nvic)
{
    uint64_t time = now();

    return nvic->tick_control & TICK_ENABLE && nvic->tick_due > time
               ? (uint32_t)((nvic->tick_due - time) / NS_PER_CLOCK)
               : 0;
}

/* Whose word a register is part of; NULL: of none. */
static uint64_t *lines_at(struct nvic *nvic, uint32_t offset)
{
    if (offset < NVIC_ISER || offset >= NVIC_IABR || offset % NVIC_CLEAR >= NVIC_LINES / 8)
        return NULL;
    return offset < NVIC_ISPR ? &nvic->enabled : &nvic->pending;
}

uint32_t nvic_read(struct nvic *nvic, uint32_t offset)
{
    const uint64_t *lines = lines_at(nvic, offset);

    if (lines)
        return (uint32_t)(*lines >> (offset & 4) * 8);
    return offset == SYST_CSR   ? read_control(nvic)
           : offset == SYST_RVR ? nvic->tick_reload
           : offset == SYST_CVR ? read_value(nvic)
                                : 0;
}

static bool write_tick(struct nvic *nvic, uint32_t offset, uint32_t value)
{
    bool restart = offset == SYST_CVR || (offset == SYST_CSR && value & ~nvic->tick_control & TICK_ENABLE) ||
                   (offset == SYST_RVR && nvic->tick_due == 0);

    if (offset == SYST_CSR)
        nvic->tick_control = (nvic->tick_control & TICK_COUNTFLAG) | (value & TICK_WRITABLE);
    else if (offset == SYST_RVR)
        nvic->tick_reload = value & 0xffffff;
    else if (offset == SYST_CVR)
        nvic->tick_control &= TICK_WRITABLE;
    if (restart)
        nvic->tick_due = next_due(nvic, now());
    return offset >= SYST_CSR && offset <= SYST_CVR;
}

bool nvic_write(struct nvic *nvic, uint32_t offset, uint32_t value)
{
    uint64_t *lines = lines_at(nvic, offset), bits = (uint64_t)value << (offset & 4) * 8;

    if (lines)
        *lines = offset & NVIC_CLEAR ? *lines & ~bits : *lines | bits;
    /* Lines that a chip does not have may be written. */
    return write_tick(nvic, offset, value) || (offset >= NVIC_ISER && offset < NVIC_IABR);
}

void nvic_raise(struct nvic *nvic, uint32_t line)
{
    nvic->pending |= (uint64_t)1 << line;
}

int nvic_tick(struct nvic *nvic)
{
    uint64_t time;

    if (!(nvic->tick_control & TICK_ENABLE) || nvic->tick_due == 0)
        return -1;
    time = now();
    if (time >= nvic->tick_due) {
        nvic->tick_pending |= nvic->tick_control & TICK_INTERRUPT;
        nvic->tick_control |= TICK_COUNTFLAG;
        nvic->tick_due = next_due(nvic, time);
    }
    return nvic->tick_due ? (int)((nvic->tick_due - time + 999999) / 1000000) : -1;
}

uint32_t nvic_next(const struct nvic *nvic)
{
    uint64_t ready = nvic->pending & nvic->enabled;

    if (nvic->active)
        return 0;
    if (nvic->tick_pending)
        return NVIC_SYSTICK;
    return ready ? 16 + (uint32_t)__builtin_ctzll(ready) : 0;
}

void nvic_take(struct nvic *nvic, uint32_t exception)
{
    nvic->active = exception;
    if (exception == NVIC_SYSTICK)
        nvic->tick_pending = 0;
    else
        nvic->pending &= ~((uint64_t)1 << (exception - 16));
}
