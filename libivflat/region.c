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

#define GIB ((uint64_t)1 << 30)

#define FAIL(...) ivf_fail(IVFLAT_ERR_MEMORY, __VA_ARGS__)

int32_t ivf_region_check(int fd, uint64_t want, bool require_sealed, uint64_t *size, bool *sealed)
{
    struct statx status;
    int flags = fcntl(fd, F_GETFL);
    int seals;

    /* As known here: a file system on another machine, or in another process, is not asked. */
    if (flags < 0 || statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE | STATX_SIZE, &status) < 0) {
        return FAIL("the shared memory's descriptor cannot be looked at: %s", strerror(errno));
    }
    if (!S_ISREG(status.stx_mode)) {
        return FAIL("the shared memory's descriptor is no memory (neither a memfd, nor shared memory, nor a file)");
    }
    if (status.stx_size == 0) {
        return FAIL("the shared memory is empty: its descriptor has 0 bytes, %" PRIu64 " are asked for", want);
    }
    seals = fcntl(fd, F_GET_SEALS);
    if ((flags & O_ACCMODE) != O_RDWR || (seals >= 0 && (seals & (F_SEAL_WRITE | F_SEAL_FUTURE_WRITE)))) {
        return FAIL("the shared memory's descriptor is not for reading and writing both");
    }
    *size = status.stx_size;
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

/* hugetlbfs maps at multiples of its page only, whose size differs by machine, and its files are multiples of it: so the
 * largest power of two that divides the length will do. */
static uint64_t alignment_of(uint64_t length)
{
    uint64_t largest = length & -length;

    return largest < GIB ? largest : GIB;
}

/* Address space alone: nothing can be read there, and nothing is accounted for. */
static int32_t reserve_nothing(struct ivf_region *region, uint64_t size)
{
    uint64_t length = whole_pages(size);
    uint64_t align = alignment_of(length);
    uint64_t before, total = length + align;
    uint8_t *start;

    *region = (struct ivf_region){0};
    if (length == 0) {
        return FAIL("no address space holds a shared memory of %" PRIu64 " bytes", size);
    }
    start = mmap(NULL, total, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
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

int32_t ivf_region_reserve(struct ivf_region *region, uint64_t size)
{
    int32_t result = reserve_nothing(region, size);

    if (result == IVFLAT_ERR_MEMORY) { /* whoever asked for this size did, and no server */
        return IVFLAT_ERR_INVALID;
    }
    if (result == 0 && mprotect(region->address, region->length, PROT_READ | PROT_WRITE) < 0) {
        result = ivf_fail_errno(errno, "cannot reserve a shared memory of %" PRIu64 " bytes", size);
        ivf_region_unmap(region);
    }
    return result;
}

static bool map_at(const struct ivf_region *region, int fd)
{
    return mmap(region->address, region->length, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, 0) != MAP_FAILED;
}

int32_t ivf_region_map(struct ivf_region *region, int fd, uint64_t size)
{
    int32_t result = reserve_nothing(region, size);

    if (result == 0 && !map_at(region, fd)) {
        result = ivf_fail_errno(errno, "cannot map the shared memory of %" PRIu64 " bytes", size);
        ivf_region_unmap(region);
    }
    return result;
}

/* Whether the move that failed took away what was there. */
static bool is_hole(const struct ivf_region *region)
{
    unsigned char resident;

    return mincore(region->address, 1, &resident) < 0 && errno == ENOMEM;
}

/* No hole under a running guest: the new memory, as it was to be, or zeros. */
static bool fill_hole(const struct ivf_region *region, int fd)
{
    if (map_at(region, fd)) {
        return true;
    }
    mmap(region->address, region->length, PROT_READ | PROT_WRITE,
         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
    return false;
}

/* Before Linux 5.16 huge pages cannot be moved, which the kernel says after it has made room for them. */
int32_t ivf_region_move(struct ivf_region *to, struct ivf_region *from, int fd)
{
    int32_t result = 0;

    if (mremap(from->address, from->length, to->length, MREMAP_MAYMOVE | MREMAP_FIXED, to->address) == MAP_FAILED) {
        int err = errno;

        if (!is_hole(to) || !fill_hole(to, fd)) {
            result = ivf_fail_errno(err, "cannot move the shared memory to its address");
        }
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
