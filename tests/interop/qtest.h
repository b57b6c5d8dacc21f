/* SPDX-License-Identifier: BSD-3-Clause */
/* What QEMU's processor would do, done from outside by QEMU's qtest protocol: a line asks, a line answers, in order.
 *
 * QEMU reads a line in the same loop that serves its eventfds and sockets, so that what was there for it before a line
 * was sent has been served when the answer to the next but one is there: qtest_settle(). */
#ifndef QTEST_H
#define QTEST_H

#include <stdint.h>

struct process;

struct qtest {
    int fd;                  /* lent */
    struct process *process; /* lent: whose words stand in a failure's sentence */
};

void qtest_outl(const struct qtest *qtest, uint16_t port, uint32_t value);
uint32_t qtest_inl(const struct qtest *qtest, uint16_t port);

void qtest_writeb(const struct qtest *qtest, uint64_t address, uint8_t value);
void qtest_writew(const struct qtest *qtest, uint64_t address, uint16_t value);
void qtest_writel(const struct qtest *qtest, uint64_t address, uint32_t value);
uint32_t qtest_readl(const struct qtest *qtest, uint64_t address);

void qtest_write(const struct qtest *qtest, uint64_t address, const void *bytes, uint32_t count);
void qtest_read(const struct qtest *qtest, uint64_t address, void *bytes, uint32_t count);

void qtest_settle(const struct qtest *qtest);

#endif
