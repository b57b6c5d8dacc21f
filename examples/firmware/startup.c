/* SPDX-License-Identifier: BSD-3-Clause */
/* What comes before main() on every processor, without a C library. */
#include "startup.h"

#include <stddef.h>
#include <stdint.h>

#include "cpu.h"

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[];

void device_isr(void) __attribute__((weak, alias("stuck")));
void tick_isr(void) __attribute__((weak, alias("stuck")));

/* gcc may call these two for plain C; -ffreestanding leaves them to us. */
void *memcpy(void *to, const void *from, size_t size);
void *memset(void *to, int value, size_t size);

__attribute__((optimize("no-tree-loop-distribute-patterns"))) void *memcpy(void *to, const void *from, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)to)[i] = ((const uint8_t *)from)[i];
    return to;
}

__attribute__((optimize("no-tree-loop-distribute-patterns"))) void *memset(void *to, int value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        ((uint8_t *)to)[i] = (uint8_t)value;
    return to;
}

void startup(void)
{
    memcpy(data_start, data_load, (size_t)((uint8_t *)data_end - (uint8_t *)data_start));
    memset(bss_start, 0, (size_t)((uint8_t *)bss_end - (uint8_t *)bss_start));
    main();
    stuck();
}

void stuck(void)
{
    for (;;)
        __asm__ volatile("wfi");
}
