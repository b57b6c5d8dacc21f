/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where things are, each to be changed by -D.  The defaults are the emulator in examples/unicorn, and QEMU's
 * lm3s6965evb.  For mps2-an385: -DBOARD_IRQ=20 -DBOARD_UART=0x40004000 -DBOARD_UART_CMSDK.
 *
 *     arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb -O2 -ffreestanding -nostdlib -T link.ld *.c -o demo.elf
 *
 * is all that it takes to build the firmware by hand, in its folder.
 */
#ifndef BOARD_H
#define BOARD_H

#ifndef BOARD_MMR
#define BOARD_MMR 0x400ff000u /* the device's registers */
#endif
#ifndef BOARD_MEMORY
#define BOARD_MEMORY 0x40100000u /* the shared memory */
#endif
#ifndef BOARD_IRQ
#define BOARD_IRQ 40 /* the device's interrupt, as the NVIC counts */
#endif
#ifndef BOARD_IRQS
#define BOARD_IRQS 64 /* lines in the vector table, a multiple of 32 */
#endif
#ifndef BOARD_UART
#define BOARD_UART 0x4000c000u
#endif
/* The UART is a PL011, or with -DBOARD_UART_CMSDK an APB UART of Arm's Cortex-M System Design Kit. */
#ifndef BOARD_TICK
#define BOARD_TICK 125000 /* core clocks between two looks of who waits, below 2^24: 10 ms at 12.5 MHz */
#endif

#endif
