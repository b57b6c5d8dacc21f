/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Where things are, each to be changed by -D.  The defaults are the emulator in examples/unicorn, and QEMU's
 * lm3s6965evb; meson.build has what QEMU's mps2-an385 and virt need instead.
 *
 *     arm-none-eabi-gcc -mcpu=cortex-m3 -mthumb -O2 -ffreestanding -nostdlib -T link.ld *.c -o demo.elf
 *
 * is all that it takes to build the firmware by hand, in its folder.
 *
 * QEMU takes them as options: -device ivflat,registers=BOARD_MMR,memory=BOARD_MEMORY,irq=BOARD_IRQ.  What is free, as
 * `info mtree` shows it:
 *
 *     lm3s6965evb  registers at 0x400ff000, memory from 0x40100000 up to the bit-band alias at 0x42000000; lines 40, 41
 *     mps2-an385   registers at 0x400ff000, memory from 0x44000000, above that alias, since at 0x40200000 there is the
 *                  Ethernet; lines 25 to 31
 *     virt         both from 0x0b000000, after virtio-mmio, up to the platform bus at 0x0c000000; lines from 176, after
 *                  that bus's
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
#define BOARD_IRQ 40 /* the device's interrupt, as the NVIC counts, or the GIC its shared ones */
#endif
#ifndef BOARD_LINES
#define BOARD_LINES 1 /* the device's interrupts, from BOARD_IRQ on */
#endif
#ifndef BOARD_IRQS
#define BOARD_IRQS 64 /* lines in the vector table, a multiple of 32 */
#endif
#ifndef BOARD_UART
#define BOARD_UART 0x4000c000u
#endif
/* The UART is a PL011, or with -DBOARD_UART_CMSDK an APB UART of Arm's Cortex-M System Design Kit. */
#ifndef BOARD_TICK
#define BOARD_TICK 125000 /* the timer's clocks between two looks of who waits, below 2^24: 10 ms at 12.5 MHz */
#endif

/* Of a Cortex-A alone: its interrupt controller, a GICv2. */
#ifndef BOARD_GIC_DISTRIBUTOR
#define BOARD_GIC_DISTRIBUTOR 0x08000000u
#endif
#ifndef BOARD_GIC_CPU
#define BOARD_GIC_CPU 0x08010000u
#endif

#endif
