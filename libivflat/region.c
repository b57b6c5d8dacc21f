/* SPDX-License-Identifier: BSD-3-Clause */
#include "region.h"

#include "error.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

#define FAIL(...) ivf_fail(IVFLAT_ERR_MEMORY, __VA_ARGS__)

int32_t ivf_region_check(int fd, uint64_t want, bool require_sealed, uint64_t *size, bool *sealed)
{
    struct stat status;
    int flags = fcntl(fd, F_GETFL);
    int seals;

    if (flags < 0 || fstat(fd, &status) < 0) {
        return FAIL("the shared memory's descriptor cannot be looked at: %s", strerror(errno));
    }
    if (!S_ISREG(status.st_mode)) {
        return FAIL("the shared memory's descriptor is no memory (neither a memfd, nor shared memory, nor a file)");
    }
    if (status.st_size <= 0) {
        return FAIL("the shared memory is empty: its descriptor has 0 bytes, %" PRIu64 " are asked for", want);
    }
    seals = fcntl(fd, F_GET_SEALS);
    if ((flags & O_ACCMODE) != O_RDWR || (seals >= 0 && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))) {
        return FAIL("the shared memory's descriptor is not for reading and writing both");
    }
    *size = (uint64_t)status.st_size;
    if (want && *size != want) {
        return FAIL("the shared memory has %" PRIu64 " bytes, %" PRIu64
                    " are asked for: set the same size on both sides",
                    *size, want);
    }
    *sealed = seals >= 0 && (seals & F_SEAL_SHRINK);
    if (require_sealed && !*sealed) {
        return FAIL("the shared memory is not sealed against shrinking, and sealed memory is asked for: use a server "
                    "whose memory is a sealed memfd");
    }
    return 0;
}

/* Whole pages; 0 when there is no such number. */
static uint64_t whole_pages(uint64_t size)
{
    uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
    uint64_t length = (size + page - 1) / page * page;

    return length >= size && length <= PTRDIFF_MAX - GIB ? length : 0;
}

/* hugetlbfs maps at multiples of its page only, and its sizes are multiples of it. */
static uint64_t alignment_of(uint64_t length)
{
    if (length % GIB == 0) {
        return GIB;
    }
    return length % (2 * MIB) == 0 ? 2 * MIB : (uint64_t)sysconf(_SC_PAGESIZE);
}

int32_t ivf_region_reserve(struct ivf_region *region, uint64_t size)
{
    uint64_t length = whole_pages(size);
    uint64_t align = alignment_of(length);
    uint64_t before, total = length + align;
    uint8_t *start;

    *region = (struct ivf_region){0};
    if (length == 0) {
        return ivf_fail(IVFLAT_ERR_INVALID, "no address space holds a shared memory of %" PRIu64 " bytes", size);
    }
    start = mmap(NULL, total, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (start == MAP_FAILED) {
        return ivf_fail_errno(errno, "cannot reserve address space for a shared memory of %" PRIu64 " bytes", size);
    }
    before = (align - (uintptr_t)start % align) % align;
    if (before) {
        munmap(start, before);
    }
    munmap(start + before + length, total - length - before);
    *region = (struct ivf_region){.address = start + before, .size = size, .length = length};
    return 0;
}

int32_t ivf_region_map(struct ivf_region *region, int fd, uint64_t size)
{
    int32_t result = ivf_region_reserve(region, size);

    if (result < 0) {
        return result;
    }
    if (mmap(region->address, region->length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) == MAP_FAILED) {
        result = ivf_fail_errno(errno, "cannot map the shared memory of %" PRIu64 " bytes", size);
        ivf_region_unmap(region);
    }
    return result;
}

int32_t ivf_region_move(struct ivf_region *to, struct ivf_region *from)
{
    int32_t result = 0;

    if (mremap(from->address, from->length, to->length, MREMAP_MAYMOVE | MREMAP_FIXED, to->address) == MAP_FAILED) {
        result = ivf_fail_errno(errno, "cannot move the shared memory to its address");
        /* The kernel may have emptied the place already: no hole under a running guest. */
        mmap(to->address, to->length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED,
             -1, 0);
        ivf_region_unmap(from);
    }
    *from = (struct ivf_region){0};
    return result;
}

void ivf_region_unmap(struct ivf_region *region)
{
    if (region->address) {
        munmap(region->address, region->length);
    }
    *region = (struct ivf_region){0};
}
