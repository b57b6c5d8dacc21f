/*
 * What the front is made of: lines to raise, and room for two regions
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_MISC_IVFLAT_FRONT_H
#define HW_MISC_IVFLAT_FRONT_H

#include "state.h"

/*
 * line.c: finds what @irq or @irqs name: numbers, ranges of them or QOM paths,
 * separated by ':'.  Fills @lines and says how many in @count; 0 when both
 * are NULL.  Lines that something drives already are refused.
 */
bool ivflat_lines_find(const char *irq, const char *irqs,
                       qemu_irq lines[IVFLAT_MAX_LINES], uint32_t *count,
                       Error **errp);

/*
 * place.c: whether @size bytes at @addr are aligned, within the CPUs' reach and
 * free.  @property is named in the Error.
 */
bool ivflat_place_check(const char *property, uint64_t addr, uint64_t size,
                        uint64_t alignment, Error **errp);

/* Whether each CPU finds @mr, mapped at @addr, all over its range. */
bool ivflat_place_seen(const char *property, uint64_t addr, MemoryRegion *mr,
                       Error **errp);

#endif
