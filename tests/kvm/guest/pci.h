/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef PCI_H
#define PCI_H

#include <stdint.h>

/* Where there is a PCI bus with QEMU's ivshmem-doorbell on it, puts that device where board.h has ours, its vectors
 * with the same numbers.  Elsewhere does nothing. */
void pci_place_ivshmem(uint32_t vectors);

#endif
