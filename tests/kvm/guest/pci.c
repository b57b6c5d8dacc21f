/* SPDX-License-Identifier: BSD-3-Clause */
/* By the PCI specification's configuration ports, MSI-X tables, and the ivshmem specification's three BARs. */
#include "pci.h"

#include "../../../examples/kvm/board.h"

enum { ADDRESS = 0xcf8, DATA = 0xcfc, IVSHMEM = 0x11101af4, SLOTS = 32 };
enum { ID = 0x0, COMMAND = 0x4, CAPABILITIES = 0x34, BAR_REGISTERS = 0x10, BAR_TABLE = 0x14, BAR_MEMORY = 0x18 };
enum { MEMORY_AND_MASTER = 6, MSIX = 0x11, MSIX_ENABLE = 1u << 31, MESSAGE_ADDRESS = 0xfee00000 };
#define TABLE 0xd0010000u

static uint32_t slot;

static void out32(uint16_t port, uint32_t value)
{
    __asm__ volatile("outl %0, %w1" : : "a"(value), "d"(port));
}

static uint32_t in32(uint16_t port)
{
    uint32_t value;

    __asm__ volatile("inl %w1, %0" : "=a"(value) : "d"(port));
    return value;
}

static uint32_t get(uint32_t offset)
{
    out32(ADDRESS, 0x80000000u | slot << 11 | offset);
    return in32(DATA);
}

static void set(uint32_t offset, uint32_t value)
{
    out32(ADDRESS, 0x80000000u | slot << 11 | offset);
    out32(DATA, value);
}

static void enable_msix(uint32_t vectors)
{
    volatile uint32_t *table = (volatile uint32_t *)TABLE;
    uint32_t at = get(CAPABILITIES) & 0xfc;

    while (at && (get(at) & 0xff) != MSIX)
        at = get(at) >> 8 & 0xfc;
    set(at, get(at) | MSIX_ENABLE);
    for (uint32_t i = 0; i < vectors; i++, table += 4) {
        table[0] = MESSAGE_ADDRESS;
        table[1] = 0;
        table[2] = KVM_BOARD_VECTOR + i;
        table[3] = 0; /* not masked */
    }
}

void pci_place_ivshmem(uint32_t vectors)
{
    for (slot = 0; slot < SLOTS && get(ID) != IVSHMEM; slot++)
        ;
    if (slot == SLOTS)
        return;
    set(BAR_REGISTERS, KVM_BOARD_REGISTERS);
    set(BAR_TABLE, TABLE);
    set(BAR_MEMORY, KVM_BOARD_MEMORY);
    set(BAR_MEMORY + 4, 0);
    set(COMMAND, get(COMMAND) | MEMORY_AND_MASTER);
    enable_msix(vectors);
}
