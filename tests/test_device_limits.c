/* SPDX-License-Identifier: BSD-3-Clause */
/* A device under a sandbox that refuses asynchronous I/O, in a process at its limit of mappings, and made of a struct
 * after which no memory is. */
#include "story.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

static struct story story;

/* A sandbox ------------------------------------------------------------------------------------------------------- */

#ifdef __x86_64__
static uint32_t times(const GString *where, const char *text)
{
    uint32_t count = 0;

    for (const char *at = where->str; (at = strstr(at, text)); at++) {
        count++;
    }
    return count;
}

/* For the thread that calls, and for good: io_submit() answers EPERM. */
static void put_up_sandbox(void)
{
    struct sock_filter filter[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_submit, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {.len = sizeof(filter) / sizeof(filter[0]), .filter = filter};

    ck_assert_int_eq(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
    ck_assert_int_eq(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* The filter ends with its thread. */
static void in_a_thread(void *(*function)(void *argument), void *argument)
{
    pthread_t thread;

    ck_assert_int_eq(pthread_create(&thread, NULL, function, argument), 0);
    ck_assert_int_eq(pthread_join(thread, NULL), 0);
}

static void begin(void)
{
    story_begin(&story, NULL);
    story_sends(&story, "0", "3", "-1 sealed 4096", "3 eventfd", "7 eventfd");
    story_expect(&story, "memory 4096; ready; peer 7 1");
}

static void rings_arrive(uint32_t peer)
{
    story_ring(&story, peer, 0);
    ck_assert_uint_eq(story_rung(&story, peer, 0), 1);
    story_ring(&story, 3, 0);
    story_expect(&story, "interrupt 0 1");
}

/* First noticed by a ring (0), which logs nothing, for a guest made it; or by a vector that comes (1). */
static void *sandbox_later(void *first)
{
    begin();
    put_up_sandbox();
    if (*(int *)first == 0) {
        story_ring(&story, 7, 0);
        ck_assert_uint_eq(story_rung(&story, 7, 0), 1);
        ck_assert_str_eq(story.record.logged->str, "");
    }
    story_sends(&story, "8 eventfd", "8 file");
    story_expect(&story, "peer 8 1; peer 8 2"); /* the second is closed */
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_VECTORS_REFUSED), 1);
    rings_arrive(7);
    rings_arrive(8);
    ck_assert_uint_eq(times(story.record.logged, "warning: a sandbox refuses asynchronous I/O"), 1);
    ck_assert_uint_eq(ivflat_device_counter(story.dev, IVFLAT_COUNT_RINGS_IGNORED), 0);
    return NULL;
}

START_TEST(P16_a_sandbox_that_comes_later_loses_no_ring)
{
    in_a_thread(sandbox_later, &_i);
}
END_TEST

static void *sandbox_before(void *unused)
{
    (void)unused;
    put_up_sandbox();
    story_init(&story, NULL);
    ck_assert_uint_eq(times(story.record.logged, "warning: the kernel gives no asynchronous I/O"), 1);
    story_connect(&story);
    story_sends(&story, "0", "3", "-1 sealed 4096", "3 eventfd", "7 eventfd");
    story_expect(&story, "memory 4096; ready; peer 7 1");
    rings_arrive(7);
    ck_assert_uint_eq(times(story.record.logged, "\n"), 1);
    return NULL;
}

START_TEST(P16_a_sandbox_from_before_loses_no_ring)
{
    in_a_thread(sandbox_before, NULL);
}
END_TEST
#endif

/* Mappings -------------------------------------------------------------------------------------------------------- */

#define LIMIT_MAX 200000

static long mapping_limit(void)
{
    long limit = LIMIT_MAX + 1;
    FILE *file = fopen("/proc/sys/vm/max_map_count", "re");

    if (file) {
        if (fscanf(file, "%ld", &limit) != 1) {
            limit = LIMIT_MAX + 1;
        }
        fclose(file);
    }
    return limit;
}

/* Pages of which every other may be read: each is a mapping. */
struct comb {
    uint8_t *start;
    size_t bytes;
    size_t teeth;
};

static int tooth(const struct comb *comb, size_t number, int protection)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    return mprotect(comb->start + (2 * number + 1) * page, page, protection);
}

static void comb_init(struct comb *comb, long limit)
{
    comb->bytes = (size_t)(limit + 2) * (size_t)sysconf(_SC_PAGESIZE);
    comb->teeth = 0;
    comb->start = mmap(NULL, comb->bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    ck_assert_ptr_ne(comb->start, MAP_FAILED);
}

/* To the limit, but for two mappings for each of @spare. */
static void comb_fill(struct comb *comb, size_t spare)
{
    while (tooth(comb, comb->teeth, PROT_READ) == 0) {
        comb->teeth++;
    }
    ck_assert_int_eq(errno, ENOMEM);
    for (; spare > 0; spare--) {
        ck_assert_int_eq(tooth(comb, --comb->teeth, PROT_NONE), 0);
    }
}

/* Another READY with @spare; what it says is the answer. */
static char *ready_at_the_limit(struct comb *comb, size_t spare)
{
    char *said;

    story_connect(&story);
    story_sends(&story, "0", "5", "-1 sealed 4096");
    comb_fill(comb, spare);
    story_settle(&story);
    ck_assert_int_eq(tooth(comb, --comb->teeth, PROT_NONE), 0); /* room for the test's own memory */
    said = g_strdup(story.record.said->str);
    g_string_truncate(story.record.said, 0);
    return said;
}

static void all_is_as_it_was(const uint8_t *memory)
{
    ck_assert_int_lt(story.error, 0);
    ck_assert_ptr_eq(ivflat_device_memory(story.dev), memory);
    ck_assert_str_eq((const char *)memory, "from the first server");
    ck_assert_int_eq(ivflat_device_id(story.dev), 3);
    ck_assert_uint_eq(ivflat_device_peer_vectors(story.dev, 7), 1);
    story_ring(&story, 7, 0);
    ck_assert_uint_eq(story_rung(&story, 7, 0), 1);
}

/* From the limit on, two more mappings are left free each time, until it goes well.  What fails before memory_attached()
 * could not be mapped, what fails after it could not be moved. */
START_TEST(P18_a_move_that_fails_keeps_the_memory)
{
    uint32_t not_mapped = 0, not_moved = 0;
    struct comb comb;
    uint8_t *memory;
    char *said;

    story_begin(&story, NULL);
    story_sends(&story, "0", "3", "-1 sealed 4096", "7 eventfd");
    story_expect(&story, "memory 4096; ready; peer 7 1");
    memory = ivflat_device_memory(story.dev);
    strcpy((char *)memory, "from the first server");
    comb_init(&comb, mapping_limit());
    for (size_t spare = 0;; spare++) {
        bool mapped;

        ck_assert_uint_lt(spare, 16);
        story_close(&story);
        g_string_truncate(story.record.said, 0);
        said = ready_at_the_limit(&comb, spare);
        if (strstr(said, "ready")) {
            break;
        }
        mapped = g_str_has_prefix(said, "memory 4096; ");
        not_mapped += !mapped;
        not_moved += mapped;
        ck_assert_msg(strstr(said, "down system") || strstr(said, "down nomem"), "%s", said);
        g_free(said);
        all_is_as_it_was(memory);
    }
    ck_assert_str_eq(said, "memory 4096; peer 7 0; ready");
    g_free(said);
    ck_assert_str_eq((const char *)memory, "");
    ck_assert_uint_ge(not_mapped, 1);
    ck_assert_uint_ge(not_moved, 1);
    ck_assert_int_eq(munmap(comb.start, comb.bytes), 0);
}
END_TEST

/* A struct -------------------------------------------------------------------------------------------------------- */

/* The struct ends where the page does: what reads on dies. */
static void *at_page_end(const void *bytes, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);
    uint8_t *pages = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    ck_assert_ptr_ne(pages, MAP_FAILED);
    ck_assert_int_eq(mprotect(pages + page, page, PROT_NONE), 0);
    return memcpy(pages + page - size, bytes, size);
}

static void drop_pages(void *at, size_t size)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE);

    ck_assert_int_eq(munmap((uint8_t *)at + size - page, 2 * page), 0);
}

START_TEST(a_size_that_cannot_be_is_refused_unread)
{
    static const uint32_t sizes[] = {5000, 0xffffffff};
    struct record record;
    ivflat_config small = {.struct_size = sizes[_i]};
    ivflat_config *our_config;
    ivflat_hooks hooks, *our_hooks;
    ivflat_device *dev;

    record_init(&record);
    hooks = record_hooks(&record);
    our_config = at_page_end(&small, sizeof(small));
    ck_assert_int_eq(ivflat_device_new(&dev, our_config, &hooks), IVFLAT_ERR_INVALID);
    ck_assert_ptr_null(dev);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "ivflat_config.struct_size"));
    hooks.struct_size = sizes[_i];
    our_hooks = at_page_end(&hooks, sizeof(hooks));
    ck_assert_int_eq(ivflat_device_new(&dev, NULL, our_hooks), IVFLAT_ERR_INVALID);
    ck_assert_ptr_null(dev);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "ivflat_hooks.struct_size"));
    drop_pages(our_config, sizeof(small));
    drop_pages(our_hooks, sizeof(hooks));
    record_free(&record);
}
END_TEST

/* Why the mappings of this process cannot be used up; NULL: they can. */
static const char *not_at_the_limit(void)
{
    const char *preload = g_getenv("LD_PRELOAD");

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
    return "the sanitizer needs mappings of its own";
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
    return "the sanitizer needs mappings of its own";
#endif
    if (preload && strstr(preload, "vgpreload")) {
        return "valgrind keeps a list of mappings, which is shorter";
    }
    return mapping_limit() > LIMIT_MAX ? "vm.max_map_count is over 200000" : NULL;
}

int main(void)
{
    Suite *suite = suite_create("device: limits");
    const char *why = not_at_the_limit();
    TCase *tcase;

#ifdef __x86_64__
    tcase = suite_case(suite, "a sandbox");
    tcase_add_loop_test(tcase, P16_a_sandbox_that_comes_later_loses_no_ring, 0, 2);
    tcase_add_test(tcase, P16_a_sandbox_from_before_loses_no_ring);
#else
    printf("device: limits: the sandbox is skipped, its filter is written for x86-64\n");
#endif
    tcase = suite_case(suite, "mappings");
    if (why) {
        printf("device: limits: the limit of mappings is skipped: %s\n", why);
    } else {
        tcase_add_test(tcase, P18_a_move_that_fails_keeps_the_memory);
    }
    tcase = suite_case(suite, "a struct");
    tcase_add_loop_test(tcase, a_size_that_cannot_be_is_refused_unread, 0, 2);
    return suite_run(suite);
}
