/* SPDX-License-Identifier: BSD-3-Clause */
#include "pci.h"

#include "support.h"

#define CONFIG_ADDRESS 0xcf8
#define CONFIG_DATA    0xcfc

#define COMMAND      0x04 /* with the status in its upper half */
#define BARS         0x10
#define CAPABILITIES 0x34

#define COMMAND_MEMORY 0x2u
#define COMMAND_MASTER 0x4u

#define BAR_FLAGS  0xfu
#define BAR_64_BIT 0x4u

#define CAPABILITY_MSIX 0x11
#define MSIX_ENABLE     0x80000000u /* of the first dword, whose upper half is Message Control */
#define MSIX_ENTRY_SIZE 16u

uint32_t pci_read(const struct pci *pci, uint32_t offset)
{
    qtest_outl(pci->qtest, CONFIG_ADDRESS, 0x80000000u | pci->slot << 11 | offset);
    return qtest_inl(pci->qtest, CONFIG_DATA);
}

void pci_write(const struct pci *pci, uint32_t offset, uint32_t value)
{
    qtest_outl(pci->qtest, CONFIG_ADDRESS, 0x80000000u | pci->slot << 11 | offset);
    qtest_outl(pci->qtest, CONFIG_DATA, value);
}

uint64_t pci_bar_size(const struct pci *pci, uint32_t bar)
{
    uint32_t offset = BARS + 4 * bar;
    uint64_t mask = 0xffffffff00000000;

    pci_write(pci, offset, 0xffffffff);
    if (pci_read(pci, offset) & BAR_64_BIT) {
        pci_write(pci, offset + 4, 0xffffffff);
        mask = (uint64_t)pci_read(pci, offset + 4) << 32;
    }
    mask |= pci_read(pci, offset) & ~BAR_FLAGS;
    return ~mask + 1;
}

void pci_bar_place(const struct pci *pci, uint32_t bar, uint64_t address)
{
    uint32_t offset = BARS + 4 * bar;

    pci_write(pci, offset, (uint32_t)address);
    if (pci_read(pci, offset) & BAR_64_BIT) {
        pci_write(pci, offset + 4, (uint32_t)(address >> 32));
    }
}

/* The status in the upper half is cleared by ones, so zeros leave it. */
void pci_enable(const struct pci *pci)
{
    uint32_t command = pci_read(pci, COMMAND) & 0xffff;

    pci_write(pci, COMMAND, command | COMMAND_MEMORY | COMMAND_MASTER);
}

static uint32_t find_msix(const struct pci *pci)
{
    uint32_t offset = pci_read(pci, CAPABILITIES) & 0xfc;

    while (offset && (pci_read(pci, offset) & 0xff) != CAPABILITY_MSIX) {
        offset = pci_read(pci, offset) >> 8 & 0xfc;
    }
    ck_assert_msg(offset, "the function in slot %u has no MSI-X", pci->slot);
    return offset;
}

uint32_t pci_msix_vectors(const struct pci *pci)
{
    return (pci_read(pci, find_msix(pci)) >> 16 & 0x7ff) + 1;
}

void pci_msix_enable(const struct pci *pci)
{
    uint32_t offset = find_msix(pci);

    pci_write(pci, offset, pci_read(pci, offset) | MSIX_ENABLE);
}

uint32_t pci_msix_table(const struct pci *pci, uint32_t *offset)
{
    uint32_t table = pci_read(pci, find_msix(pci) + 4);

    *offset = table & ~7u;
    return table & 7;
}

void pci_msix_point(const struct pci *pci, uint64_t table, uint32_t vector, uint64_t address, uint32_t data)
{
    uint64_t entry = table + vector * MSIX_ENTRY_SIZE;

    qtest_writel(pci->qtest, entry, (uint32_t)address);
    qtest_writel(pci->qtest, entry + 4, (uint32_t)(address >> 32));
    qtest_writel(pci->qtest, entry + 8, data);
    qtest_writel(pci->qtest, entry + 12, 0); /* not masked */
}
