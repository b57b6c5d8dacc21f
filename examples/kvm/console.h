/* SPDX-License-Identifier: BSD-3-Clause */
/* What the guest says, on standard output, a line at a time. */
#ifndef KVM_CONSOLE_H
#define KVM_CONSOLE_H

#include <stddef.h>
#include <stdint.h>

void console_write(const uint8_t *bytes, size_t count);

#endif
