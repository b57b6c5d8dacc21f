/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The machine, as both its emulator and its guests see it: 1 MiB of RAM at 0, the guest's image as a ROM that ends at
 * 4 GiB (every processor begins 16 bytes before that end, as a PC does), a console at one port, the device's registers
 * and the shared memory.  Own vector N of the device is interrupt KVM_BOARD_VECTOR + N of processor 0, as a message: a
 * line through an I/O APIC would cost KVM a detour by a worker thread for each interrupt.
 */
#ifndef KVM_BOARD_H
#define KVM_BOARD_H

#define KVM_BOARD_RAM_SIZE   0x100000u
#define KVM_BOARD_REGISTERS  0xd0000000u
#define KVM_BOARD_MEMORY     0xd0100000u
#define KVM_BOARD_MEMORY_END 0xfe000000u
#define KVM_BOARD_ROM_MAX    0x40000u
#define KVM_BOARD_VECTOR     0x40u
#define KVM_BOARD_VECTORS    64u
#define KVM_BOARD_CONSOLE    0xe9u /* a byte written is a byte said */

#endif
