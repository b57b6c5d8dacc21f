/* SPDX-License-Identifier: BSD-3-Clause */
/* What most tests of stock QEMU begin with: our server with 4 vectors and 1 MiB of memory, and a QEMU that joins it. */
#ifndef SETTING_H
#define SETTING_H

#include <check.h>

struct process;
struct qemu;

#define VECTORS     4u
#define VECTORS_ARG "4"
#define MIB         0x100000u

struct process *start_server(void);
struct qemu *join_qemu(void);

/* What main() answers: runs what @suite makes, or, where there is no QEMU, says so and skips it. */
int run_with_qemu(Suite *(*suite)(void));

#endif
