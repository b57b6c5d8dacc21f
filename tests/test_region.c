/* SPDX-License-Identifier: BSD-3-Clause */
/* What memory has to be, and a mapping that keeps its address. */
#include "support.h"

#include "region.h"

#include <fcntl.h>
#include <libivflat/ivflat.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)
#define GIB ((uint64_t)1 << 30)

static uint64_t size;
static bool sealed;

/* @fd is closed. */
static int32_t check(int fd, uint64_t want, bool require_sealed)
{
    int32_t result;

    size = 77;
    sealed = false;
    result = ivf_region_check(fd, want, require_sealed, &size, &sealed);
    if (fd >= 0) {
        close_fd(fd);
    }
    return result;
}

static void expect_refused(int fd, uint64_t want, bool require_sealed, const char *words)
{
    ck_assert_int_eq(check(fd, want, require_sealed), IVFLAT_ERR_MEMORY);
    ck_assert_msg(strstr(ivflat_last_error(), words), "\"%s\" is not in: %s", words, ivflat_last_error());
}

static int make_sealed_for(int seals)
{
    int fd = make_memory(4096);

    ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
    return fd;
}

START_TEST(P15_memory_is_taken)
{
    ck_assert_int_eq(check(make_memory(4096), 0, false), 0);
    ck_assert_uint_eq(size, 4096);
    ck_assert(!sealed);
    ck_assert_int_eq(check(make_memory(12289), 12289, false), 0); /* no power of two, no whole page */
    ck_assert_uint_eq(size, 12289);
    ck_assert_int_eq(check(make_sealed_memory(4096), 4096, true), 0);
    ck_assert(sealed);
    ck_assert_int_eq(check(make_sealed_for(F_SEAL_SHRINK), 0, true), 0); /* that it may grow harms nobody */
}
END_TEST

START_TEST(P15_sizes_have_64_bits)
{
    ck_assert_int_eq(check(make_memory(5 * GIB + 1), 0, false), 0);
    ck_assert_uint_eq(size, 5368709121);
    expect_refused(make_memory(4 * GIB + 4096), 4096, false, "4294971392");
}
END_TEST

START_TEST(P15_what_is_no_memory)
{
    int ends[2];

    make_pipe(ends);
    expect_refused(ends[0], 0, false, "no memory");
    expect_refused(ends[1], 4096, false, "no memory");
    expect_refused(make_eventfd(), 0, false, "no memory");
    make_socketpair(ends);
    expect_refused(ends[0], 0, false, "no memory");
    close_fd(ends[1]);
    expect_refused(open("/", O_RDONLY), 0, false, "no memory");
    expect_refused(open("/dev/zero", O_RDWR), 0, false, "no memory");
    expect_refused(-1, 0, false, "descriptor");
}
END_TEST

START_TEST(P15_size_0_is_none)
{
    expect_refused(make_memory(0), 0, false, "0 bytes");
    expect_refused(make_memory(0), 4096, false, "4096");
}
END_TEST

START_TEST(P15_read_only_is_refused)
{
    int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);

    expect_refused(make_readonly_memory(4096), 0, false, "read");
    expect_refused(make_readonly_memory(4096), 4096, false, "read");
    expect_refused(fd, 0, false, "read");
    expect_refused(make_sealed_for(F_SEAL_WRITE), 0, false, "writ");
}
END_TEST

START_TEST(P15_another_size_names_both)
{
    expect_refused(make_memory(4096), 8192, false, "4096");
    expect_refused(make_memory(4096), 8192, false, "8192");
    expect_refused(make_memory(8192), 4096, false, "8192");
    expect_refused(make_memory(4095), 4096, false, "4095");
    expect_refused(make_memory(4096), (uint64_t)4096 + ((uint64_t)1 << 32), false, "4294971392");
}
END_TEST

START_TEST(P15_sealed_where_asked_for)
{
    int file = open(test_folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

    expect_refused(make_memory(4096), 0, true, "sealed");
    expect_refused(make_sealed_for(F_SEAL_GROW), 0, true, "sealed");
    ck_assert_int_eq(ftruncate(file, 4096), 0);
    expect_refused(file, 0, true, "sealed"); /* a file cannot be */
}
END_TEST

/* Mapping --------------------------------------------------------------------------------------------------------- */

static struct ivf_region region;

START_TEST(P18_reserved_is_zeros)
{
    static const uint64_t sizes[] = {1, 4096, 5000, 2 * MIB, 3 * MIB, 6 * MIB, GIB};
    static const uint64_t aligned[] = {4096, 4096, 4096, 2 * MIB, 4096, 2 * MIB, GIB};
    uint8_t *bytes;

    ck_assert_int_eq(ivf_region_reserve(&region, sizes[_i]), 0);
    bytes = region.address;
    ck_assert_uint_eq(region.size, sizes[_i]);
    ck_assert_uint_eq(region.length % 4096, 0);
    ck_assert_uint_ge(region.length, sizes[_i]);
    ck_assert_uint_eq((uintptr_t)bytes % aligned[_i], 0);
    ck_assert_int_eq(bytes[0] | bytes[sizes[_i] - 1], 0);
    bytes[sizes[_i] - 1] = 1; /* a guest may write */
    ivf_region_unmap(&region);
    ck_assert_ptr_null(region.address);
    ivf_region_unmap(&region);
}
END_TEST

/* As the kernel sees it: what was reserved around it for the alignment is given back. */
/* How many of our mappings are of a memfd. */
static uint32_t count_memfds(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    uint32_t count = 0;
    char line[512];

    ck_assert_ptr_nonnull(maps);
    while (fgets(line, sizeof(line), maps)) {
        count += strstr(line, "/memfd:") != NULL;
    }
    fclose(maps);
    return count;
}

static bool is_mapped(const void *address)
{
    unsigned char resident;

    return mincore((void *)(uintptr_t)address, 1, &resident) == 0;
}

START_TEST(nothing_is_left_mapped)
{
    int fd = make_memory(4 * MIB);

    for (int i = 0; i < 3; i++) {
        struct ivf_region fresh;
        const uint8_t *first, *second;

        ck_assert_int_eq(ivf_region_reserve(&region, 4 * MIB), 0);
        ck_assert_int_eq(ivf_region_map(&fresh, fd, 4 * MIB), 0);
        first = region.address;
        second = fresh.address;
        ck_assert_int_eq(ivf_region_move(&region, &fresh, fd), 0);
        ck_assert_ptr_null(fresh.address);
        ck_assert(is_mapped(first) && !is_mapped(second));
        ck_assert_uint_eq(count_memfds(), 1);
        ivf_region_unmap(&region);
        ck_assert(!is_mapped(first) && !is_mapped(first + 4 * MIB - 4096));
        ck_assert_uint_eq(count_memfds(), 0);
    }
    close_fd(fd);
}
END_TEST

START_TEST(P18_another_memory_comes_over_the_address)
{
    int first = make_memory(8192), second = make_memory(8192);
    struct ivf_region fresh;
    uint8_t *bytes;
    uint8_t byte;

    ck_assert_int_eq(ivf_region_map(&region, first, 8192), 0);
    bytes = region.address;
    bytes[8191] = 1;
    ck_assert_int_eq(ivf_region_map(&fresh, second, 8192), 0);
    ck_assert_int_eq(ivf_region_move(&region, &fresh, second), 0);
    ck_assert_ptr_eq(region.address, bytes);
    ck_assert_int_eq(bytes[8191], 0);
    bytes[8191] = 2;
    ck_assert_int_eq(pread(first, &byte, 1, 8191), 1);
    ck_assert_int_eq(byte, 1);
    ck_assert_int_eq(pread(second, &byte, 1, 8191), 1);
    ck_assert_int_eq(byte, 2);
    ivf_region_unmap(&region);
    close_fd(first);
    close_fd(second);
}
END_TEST

START_TEST(mapping_what_cannot_be)
{
    ck_assert_int_eq(ivf_region_reserve(&region, UINT64_MAX), IVFLAT_ERR_INVALID);
    ck_assert_ptr_null(region.address);
    ck_assert_int_eq(ivf_region_reserve(&region, UINT64_MAX - 4095), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivf_region_map(&region, -1, 4096), IVFLAT_ERR_SYSTEM);
    ck_assert_ptr_null(region.address);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "4096"));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("region");
    TCase *tcase = suite_case(suite, "what memory is");

    tcase_add_test(tcase, P15_memory_is_taken);
    tcase_add_test(tcase, P15_sizes_have_64_bits);
    tcase_add_test(tcase, P15_what_is_no_memory);
    tcase_add_test(tcase, P15_size_0_is_none);
    tcase_add_test(tcase, P15_read_only_is_refused);
    tcase_add_test(tcase, P15_another_size_names_both);
    tcase_add_test(tcase, P15_sealed_where_asked_for);
    tcase = suite_case(suite, "mapping");
    tcase_add_loop_test(tcase, P18_reserved_is_zeros, 0, 7);
    tcase_add_test(tcase, nothing_is_left_mapped);
    tcase_add_test(tcase, P18_another_memory_comes_over_the_address);
    tcase_add_test(tcase, mapping_what_cannot_be);
    return suite_run(suite);
}
