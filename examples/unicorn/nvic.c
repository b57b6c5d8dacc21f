/* SPDX-License-Identifier: BSD-3-Clause */
#include "nvic.h"

#include <time.h>

enum {
    SYST_CSR = 0x010,
    SYST_RVR = 0x014,
    SYST_CVR = 0x018,
    NVIC_ISER = 0x100, /* set and clear: enabled, then pending; a bit a line */
    NVIC_ICER = 0x180,
    NVIC_ISPR = 0x200,
    NVIC_ICPR = 0x280,
    NS_PER_CLOCK = 80,
    TICK_ENABLE = 1,
    TICK_INTERRUPT = 2
};

static uint64_t now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static uint64_t period(const struct nvic *nvic)
{
    return ((uint64_t)nvic->tick_reload + 1) * NS_PER_CLOCK;
}

uint32_t nvic_read(struct nvic *nvic, uint32_t offset)
{
    uint32_t high = (offset & 4) * 8;

    switch (offset & ~4u) {
    case NVIC_ISER:
    case NVIC_ICER:
        return (uint32_t)(nvic->enabled >> high);
    case NVIC_ISPR:
    case NVIC_ICPR:
        return (uint32_t)(nvic->pending >> high);
    }
    return offset == SYST_CSR ? nvic->tick_control : offset == SYST_RVR ? nvic->tick_reload : 0;
}

static void write_tick(struct nvic *nvic, uint32_t offset, uint32_t value)
{
    if (offset == SYST_CSR)
        nvic->tick_control = value & 7;
    else if (offset == SYST_RVR)
        nvic->tick_reload = value & 0xffffff;
    if (offset == SYST_CSR || offset == SYST_CVR)
        nvic->tick_due = now() + period(nvic);
}

void nvic_write(struct nvic *nvic, uint32_t offset, uint32_t value)
{
    uint64_t lines = (uint64_t)value << (offset & 4) * 8;

    switch (offset & ~4u) {
    case NVIC_ISER:
        nvic->enabled |= lines;
        break;
    case NVIC_ICER:
        nvic->enabled &= ~lines;
        break;
    case NVIC_ISPR:
        nvic->pending |= lines;
        break;
    case NVIC_ICPR:
        nvic->pending &= ~lines;
        break;
    default:
        write_tick(nvic, offset, value);
    }
}

void nvic_raise(struct nvic *nvic, uint32_t line)
{
    nvic->pending |= (uint64_t)1 << line;
}

int nvic_tick(struct nvic *nvic)
{
    uint64_t time;

    if (!(nvic->tick_control & TICK_ENABLE))
        return -1;
    time = now();
    if (time >= nvic->tick_due) {
        nvic->tick_pending |= nvic->tick_control & TICK_INTERRUPT;
        nvic->tick_due = time + period(nvic);
    }
    return (int)((nvic->tick_due - time + 999999) / 1000000);
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
