/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory that runs out.  Linked with -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc: only what is linked statically
 * comes through here, so the library's own allocations and not GLib's. */
#ifndef FAILING_H
#define FAILING_H

#include <stdbool.h>
#include <stdint.h>

/* The allocation that comes after @after more fails, once. */
void fail_allocation(uint32_t after);
/* No more; answers whether one failed. */
bool fail_allocation_stop(void);

#endif
