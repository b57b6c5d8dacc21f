/* SPDX-License-Identifier: BSD-3-Clause */
/* A stock qemu-system-x86_64 with one ivshmem-doorbell device, set up as a guest's driver would do it.
 *
 * No guest runs.  Each MSI-X vector writes a word of its own into the guest's RAM, so that being rung is seen there. */
#ifndef QEMU_H
#define QEMU_H

#include <stdint.h>

#include "pci.h"
#include "qtest.h"

struct process;

struct qemu {
    struct process *process;
    struct qtest qtest;
    struct pci pci;
    uint32_t vectors;
    uint64_t memory_size;
    const char *complaint; /* what it may say on its standard error; NULL: nothing */
};

/* NULL: such a QEMU is here; else the reason why not. */
const char *qemu_missing(void);

/* Joins the server at @socket: when this returns, QEMU has its id and the memory.  @properties of the device besides,
 * or "".  Ended at the test's end, when it must not have said a word but for its complaint. */
struct qemu *qemu_start(const char *socket, uint32_t vectors, const char *properties);

/* Ends it by @signal, as a user who quits (SIGTERM) or a crash (SIGKILL) would. */
void qemu_end(struct qemu *qemu, int signal);

uint32_t qemu_id(const struct qemu *qemu); /* IVPOSITION */

/* Its guest writes the doorbell. */
void qemu_ring(const struct qemu *qemu, uint32_t id, uint32_t vector);

/* Which vectors were rung since this was last asked, bit V for vector V; each word must be the vector's own. */
uint64_t qemu_heard(const struct qemu *qemu);

/* The same, and waits for one at least. */
uint64_t qemu_wait_heard(const struct qemu *qemu);

/* Its guest uses the shared memory. */
void qemu_write(const struct qemu *qemu, uint64_t offset, const void *bytes, uint32_t count);
void qemu_read(const struct qemu *qemu, uint64_t offset, void *bytes, uint32_t count);

/* Where its registers are, for what the above cannot do. */
#define QEMU_REGISTERS 0xe0000000u

#endif
