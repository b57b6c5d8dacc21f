/* SPDX-License-Identifier: BSD-3-Clause */
#ifndef KVM_GUEST_ENTRY_H
#define KVM_GUEST_ENTRY_H

#include <stdint.h>

/* After cpu_enable_irq(): this interrupt goes to code of your own, which knows what sleep.h says of them. */
void entry_set(uint32_t number, void (*entry)(void));

#endif
