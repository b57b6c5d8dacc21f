/* SPDX-License-Identifier: BSD-3-Clause */
/* Memory for a server to share.  Each answers a descriptor, or IVFLAT_ERR_... with the sentence: then nothing is left. */
#ifndef IVF_REGION_CREATE_H
#define IVF_REGION_CREATE_H

#include <stdint.h>

/* A memfd that nobody can resize, of huge pages of @page bytes that are taken at once, or (0) of ordinary ones. */
int32_t ivf_region_create_sealed(uint64_t size, uint64_t page);

/* The file @path: no link is followed.  One that is there is taken when it is ours alone and has the size. */
int32_t ivf_region_create_file(const char *path, uint64_t size);

/* The POSIX shared memory object @name.  One of ours that is there already is taken, as QEMU's server does, and may
 * grow; to shrink it would kill whoever has it mapped. */
int32_t ivf_region_create_named(const char *name, uint64_t size);

/* Where @name is still that of @fd. */
void ivf_region_remove_named(const char *name, int fd);

/* A nameless file in @dir, hugetlbfs included. */
int32_t ivf_region_create_in(const char *dir, uint64_t size);

#endif
