/* SPDX-License-Identifier: BSD-3-Clause */
/* What a machine's firmware and driver do to a PCI function before it can be used: size and place its regions, switch
 * it on, and give its MSI-X vectors an address to write to.  Bus 0, by the ports 0xcf8 and 0xcfc. */
#ifndef PCI_H
#define PCI_H

#include <stdint.h>

#include "qtest.h"

struct pci {
    struct qtest *qtest; /* lent */
    uint32_t slot;
};

uint32_t pci_read(const struct pci *pci, uint32_t offset); /* of the aligned 4 bytes at @offset */
void pci_write(const struct pci *pci, uint32_t offset, uint32_t value);

/* Bytes of region @bar, of 32 or 64 bits. */
uint64_t pci_bar_size(const struct pci *pci, uint32_t bar);
void pci_bar_place(const struct pci *pci, uint32_t bar, uint64_t address);

/* Memory accesses and writes of its own, which is what MSI-X is. */
void pci_enable(const struct pci *pci);

/* MSI-X: how many vectors, whether on; then for each vector of the table at @table, what it writes where. */
uint32_t pci_msix_vectors(const struct pci *pci);
void pci_msix_enable(const struct pci *pci);
void pci_msix_point(const struct pci *pci, uint64_t table, uint32_t vector, uint64_t address, uint32_t data);

/* Where the MSI-X table is: the region, and bytes from its start. */
uint32_t pci_msix_table(const struct pci *pci, uint32_t *offset);

#endif
