/* SPDX-License-Identifier: BSD-3-Clause */
/* From reset to main() on any Cortex-M3, without a C library. */
#include <stddef.h>
#include <stdint.h>

#include "board.h"

extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_top[];

int main(void);
void reset(void);
void stuck(void);

/* The program's own handlers; these stand in for what it does not have. */
void device_isr(void) __attribute__((weak, alias("stuck")));
void systick_isr(void) __attribute__((weak, alias("stuck")));

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

void reset(void)
{
    memcpy(data_start, data_load, (size_t)((uint8_t *)data_end - (uint8_t *)data_start));
    memset(bss_start, 0, (size_t)((uint8_t *)bss_end - (uint8_t *)bss_start));
    main();
    stuck();
}

/* The end of main(), and every exception that nobody asked for. */
void stuck(void)
{
    for (;;)
        __asm__ volatile("wfi");
}

struct vectors {
    uint32_t *stack;
    void (*exception[15])(void);
    void (*interrupt[BOARD_IRQS])(void);
};

__attribute__((section(".vectors"), used)) static const struct vectors vectors = {
    .stack = stack_top,
    .exception = {reset, stuck, stuck, stuck, stuck, stuck, NULL, NULL, NULL, NULL, stuck, stuck, NULL, stuck,
                  systick_isr},
    .interrupt = {[0 ... BOARD_IRQ - 1] = stuck, device_isr, [BOARD_IRQ + 1 ... BOARD_IRQS - 1] = stuck},
};
