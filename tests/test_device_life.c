/* SPDX-License-Identifier: BSD-3-Clause */
/* A device's making and end: what the caller may hand in, and what it gets for what it may not. */
#include "story.h"

#include <stddef.h>
#include <string.h>

static struct record record;

static void drop_record(void *unused)
{
    (void)unused;
    record_free(&record);
}

static ivflat_hooks all_hooks(void)
{
    record_init(&record);
    at_test_end(drop_record, NULL);
    return record_hooks(&record);
}

/* An error with no device, and a sentence that has @words in it. */
static void expect_refused(const ivflat_config *config, const ivflat_hooks *hooks, int32_t error, const char *words)
{
    ivflat_device *dev = (ivflat_device *)&dev;

    ck_assert_int_eq(ivflat_device_new(&dev, config, hooks), error);
    ck_assert_ptr_null(dev);
    ck_assert_msg(strstr(ivflat_last_error(), words), "\"%s\" is not in: %s", words, ivflat_last_error());
}

static void expect_taken(const ivflat_config *config, const ivflat_hooks *hooks)
{
    ivflat_device *dev;

    ck_assert_msg(ivflat_device_new(&dev, config, hooks) == 0, "%s", ivflat_last_error());
    ck_assert_ptr_nonnull(dev);
    ivflat_device_free(dev);
}

START_TEST(a_device_without_a_link)
{
    ivflat_hooks hooks = all_hooks();
    ivflat_device *dev;

    ck_assert_int_eq(ivflat_device_new(&dev, NULL, &hooks), 0);
    ck_assert_uint_eq(ivflat_device_link(dev), IVFLAT_LINK_DOWN);
    ck_assert_int_eq(ivflat_device_id(dev), -1);
    ck_assert_uint_eq(ivflat_device_memory_size(dev), 0);
    ck_assert_ptr_null(ivflat_device_memory(dev));
    ck_assert_uint_eq(ivflat_device_peer_vectors(dev, 0), 0);
    ck_assert_int_eq(ivflat_device_next_peer(dev, -1), -1);
    ck_assert_uint_eq(ivflat_device_wants(dev), 0);
    ck_assert_int_ge(ivflat_device_get_fd(dev), 0);
    ck_assert_int_eq(ivflat_device_wait(dev, 0), 0);
    ck_assert_int_eq(ivflat_device_dispatch(dev), 0);
    ck_assert_uint_eq(ivflat_device_read(dev, IVFLAT_REG_IVPOSITION, 4), 0xffffffff);
    for (uint32_t which = 0; which < 10; which++) {
        ck_assert_uint_eq(ivflat_device_counter(dev, which), 0);
    }
    ivflat_device_free(dev);
    record_expect(&record, "");
}
END_TEST

START_TEST(only_no_interrupts_does_without_hooks)
{
    ivflat_config config = {.struct_size = sizeof(config), .no_interrupts = 1};

    expect_taken(&config, NULL);
    expect_refused(NULL, NULL, IVFLAT_ERR_INVALID, "ivflat_hooks.interrupt");
    config.no_mapping = 1;
    expect_refused(&config, NULL, IVFLAT_ERR_INVALID, "ivflat_hooks.memory_attached");
}
END_TEST

START_TEST(a_required_hook_is_missing)
{
    ivflat_config config = {.struct_size = sizeof(config), .revision0 = 1};
    ivflat_hooks hooks = all_hooks();

    hooks.interrupt = NULL;
    expect_refused(NULL, &hooks, IVFLAT_ERR_INVALID, "ivflat_hooks.interrupt");
    expect_taken(&config, &hooks);
    hooks.line = NULL;
    expect_refused(&config, &hooks, IVFLAT_ERR_INVALID, "ivflat_hooks.line");
    config.no_interrupts = 1;
    expect_taken(&config, &hooks);
    config.no_mapping = 1;
    expect_taken(&config, &hooks);
    hooks.memory_attached = NULL;
    expect_refused(&config, &hooks, IVFLAT_ERR_INVALID, "ivflat_hooks.memory_attached");
}
END_TEST

/* With the one hook that is required, each other may be NULL: a life with all that can happen. */
START_TEST(every_other_hook_may_be_missing)
{
    ivflat_hooks hooks = {.struct_size = sizeof(hooks), .interrupt = record_hooks(&record).interrupt};
    struct raw_message messages[] = {
        raw_parse("0", 3),         raw_parse("3", 3), raw_parse("-1 memory 4096", 3), raw_parse("3 eventfd:2", 3),
        raw_parse("4 eventfd", 3), raw_parse("4", 3), raw_parse("5 socket", 3),       raw_parse("99999 eventfd", 3)};
    ivflat_device *dev;

    hooks.user = &record;
    record_init(&record);
    ck_assert_int_eq(ivflat_device_new(&dev, NULL, &hooks), 0);
    ck_assert_int_eq(ivflat_device_begin(dev), 0);
    for (size_t i = 0; i < sizeof(messages) / sizeof(messages[0]); i++) {
        ivflat_device_feed(dev, messages[i].bytes, 8, messages[i].fds, messages[i].fd_count);
        ivflat_device_dispatch(dev);
        for (uint32_t j = 0; j < messages[i].fd_count; j++) {
            close_fd(messages[i].ends[j]);
        }
    }
    ck_assert_uint_eq(ivflat_device_link(dev), IVFLAT_LINK_DOWN);
    ivflat_device_write(dev, 0xd, 4, 1);
    ivflat_device_write(dev, 0xc, 4, 0x00040000);
    ivflat_device_free(dev);
    record_expect(&record, "interrupt 0 2");
    record_free(&record);
}
END_TEST

/* GROWTH ---------------------------------------------------------------------------------------------------------- */

/* The first release's, by hand: they never change. */
#define FIRST_CONFIG 48
#define FIRST_HOOKS  (16 + 12 * 8)

START_TEST(struct_size_below_the_first_releases)
{
    static const uint32_t sizes[] = {0, 1, 4, 47};
    ivflat_config config = {0};
    ivflat_hooks hooks = all_hooks();

    ck_assert_uint_eq(sizeof(ivflat_config), FIRST_CONFIG);
    config.struct_size = sizes[_i];
    expect_refused(&config, &hooks, IVFLAT_ERR_INVALID, "ivflat_config.struct_size");
    config.struct_size = FIRST_CONFIG;
    hooks.struct_size = sizes[_i];
    expect_refused(&config, &hooks, IVFLAT_ERR_INVALID, "ivflat_hooks.struct_size");
    hooks.struct_size = FIRST_HOOKS - 1;
    expect_refused(&config, &hooks, IVFLAT_ERR_INVALID, "ivflat_hooks.struct_size");
    hooks.struct_size = FIRST_HOOKS;
    expect_taken(&config, &hooks);
}
END_TEST

START_TEST(a_longer_struct_is_taken_when_the_rest_is_zero)
{
    struct {
        ivflat_config known;
        uint8_t later[16];
    } config = {.known = {.struct_size = sizeof(config), .max_vectors = 1}};
    struct {
        ivflat_hooks known;
        void *later[2];
    } hooks = {.known = all_hooks()};

    hooks.known.struct_size = sizeof(hooks);
    expect_taken(&config.known, &hooks.known);
    config.later[15] = 1;
    expect_refused(&config.known, &hooks.known, IVFLAT_ERR_INVALID, "ivflat_config");
    config.known.struct_size -= 1;
    expect_taken(&config.known, &hooks.known);
    hooks.later[0] = &hooks;
    expect_refused(&config.known, &hooks.known, IVFLAT_ERR_INVALID, "ivflat_hooks");
}
END_TEST

START_TEST(a_field_out_of_range_is_named)
{
    static const struct {
        size_t offset;
        uint32_t value;
        const char *name;
    } wrong[] = {
        {offsetof(ivflat_config, max_vectors), 65537, "max_vectors"},
        {offsetof(ivflat_config, max_vectors), UINT32_MAX, "max_vectors"},
        {offsetof(ivflat_config, no_interrupts), 2, "no_interrupts"},
        {offsetof(ivflat_config, revision0), 2, "revision0"},
        {offsetof(ivflat_config, no_mapping), 2, "no_mapping"},
        {offsetof(ivflat_config, require_sealed), 7, "require_sealed"},
        {offsetof(ivflat_config, trusted_peers), UINT32_MAX, "trusted_peers"},
        {offsetof(ivflat_config, reserved), 1, "reserved"},
    };
    ivflat_config config = {.struct_size = sizeof(config)};
    ivflat_hooks hooks = all_hooks();

    memcpy((uint8_t *)&config + wrong[_i].offset, &wrong[_i].value, 4);
    expect_refused(&config, &hooks, IVFLAT_ERR_INVALID, wrong[_i].name);
}
END_TEST

START_TEST(the_hooks_reserved_field_is_0)
{
    ivflat_hooks hooks = all_hooks();

    hooks.reserved = 1;
    expect_refused(NULL, &hooks, IVFLAT_ERR_INVALID, "ivflat_hooks.reserved");
}
END_TEST

START_TEST(config_and_hooks_are_copied)
{
    ivflat_hooks hooks = all_hooks();
    ivflat_config config = {.struct_size = sizeof(config), .max_vectors = 1};
    ivflat_device *dev;

    ck_assert_int_eq(ivflat_device_new(&dev, &config, &hooks), 0);
    memset(&hooks, 0xee, sizeof(hooks));
    memset(&config, 0xee, sizeof(config));
    ck_assert_int_eq(ivflat_device_begin(dev), 0);
    ivflat_device_free(dev);
    record_expect(&record, "greeting; down asked");
}
END_TEST

/* NULL ------------------------------------------------------------------------------------------------------------ */

START_TEST(null_for_the_device)
{
    uint32_t mask = 5, status = 5;
    uint8_t byte = 0;
    int32_t fd = make_eventfd();

    ck_assert_int_eq(ivflat_device_new(NULL, NULL, NULL), IVFLAT_ERR_INVALID);
    ivflat_device_free(NULL);
    ivflat_device_reset(NULL);
    ck_assert_int_eq(ivflat_device_connect(NULL, "x"), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_device_adopt(NULL, make_eventfd()), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_device_greet(NULL, 0), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_device_begin(NULL), IVFLAT_ERR_INVALID);
    ck_assert_uint_eq(ivflat_device_wants(NULL), 0);
    ck_assert_int_eq(ivflat_device_feed(NULL, &byte, 1, &fd, 1), IVFLAT_ERR_INVALID);
    ck_assert_msg(!is_open(fd), "a descriptor that was given is closed");
    ivflat_device_end(NULL);
    ivflat_device_disconnect(NULL);
    ck_assert_int_eq(ivflat_device_get_fd(NULL), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_device_dispatch(NULL), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_device_wait(NULL, 0), IVFLAT_ERR_INVALID);
    ivflat_device_wake(NULL);
    ck_assert_uint_eq(ivflat_device_read(NULL, 8, 4), 0);
    ivflat_device_write(NULL, 12, 4, 1);
    ck_assert_uint_eq(ivflat_device_link(NULL), 0);
    ck_assert_int_eq(ivflat_device_id(NULL), -1);
    ck_assert_uint_eq(ivflat_device_memory_size(NULL), 0);
    ck_assert_ptr_null(ivflat_device_memory(NULL));
    ck_assert_uint_eq(ivflat_device_peer_vectors(NULL, 0), 0);
    ck_assert_int_eq(ivflat_device_next_peer(NULL, -1), -1);
    ck_assert_uint_eq(ivflat_device_counter(NULL, 0), 0);
    ivflat_device_get_state(NULL, &mask, &status);
    ck_assert_uint_eq(mask + status, 0);
    ivflat_device_set_state(NULL, 1, 1);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "NULL"));
}
END_TEST

/* A bad path or descriptor, a number that nobody knows. */
START_TEST(arguments_that_are_none)
{
    ivflat_hooks hooks = all_hooks();
    ivflat_device *dev;
    char path[200];

    memset(path, 'x', sizeof(path));
    path[108] = '\0';
    ck_assert_int_eq(ivflat_device_new(&dev, NULL, &hooks), 0);
    ck_assert_int_eq(ivflat_device_connect(dev, NULL), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_device_connect(dev, ""), IVFLAT_ERR_INVALID);
    ck_assert_int_eq(ivflat_device_connect(dev, path), IVFLAT_ERR_INVALID);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "107"));
    path[107] = '\0';
    ck_assert_int_eq(ivflat_device_connect(dev, path), IVFLAT_ERR_SYSTEM); /* it fits, and nobody listens */
    ck_assert_uint_eq(ivflat_device_counter(dev, 7), 0);
    ck_assert_uint_eq(ivflat_device_counter(dev, UINT32_MAX), 0);
    ck_assert_uint_eq(ivflat_device_peer_vectors(dev, 65536), 0);
    ck_assert_uint_eq(ivflat_device_peer_vectors(dev, UINT32_MAX), 0);
    ck_assert_int_eq(ivflat_device_next_peer(dev, 65535), -1);
    ck_assert_int_eq(ivflat_device_next_peer(dev, INT32_MAX), -1);
    ck_assert_int_eq(ivflat_device_next_peer(dev, INT32_MIN), -1);
    ivflat_device_get_state(dev, NULL, NULL);
    ivflat_device_free(dev);
    record_expect(&record, "");
}
END_TEST

/* What the kernel does not give ----------------------------------------------------------------------------------- */

START_TEST(no_descriptors_for_a_device)
{
    ivflat_hooks hooks = all_hooks();
    ivflat_device *dev;

    fill_fds((uint32_t)_i);
    ck_assert_int_eq(ivflat_device_new(&dev, NULL, &hooks), IVFLAT_ERR_SYSTEM);
    ck_assert_ptr_null(dev);
    ck_assert_ptr_nonnull(strstr(ivflat_last_error(), "Too many open files"));
    fill_fds_undo();
}
END_TEST

START_TEST(no_address_space_for_the_memory)
{
    ivflat_config config = {.struct_size = sizeof(config), .memory_size = UINT64_MAX};
    ivflat_hooks hooks = all_hooks();
    ivflat_device *dev;

    expect_refused(&config, &hooks, IVFLAT_ERR_INVALID, "18446744073709551615");
    config.memory_size = (uint64_t)1 << 56;
    ck_assert_int_lt(ivflat_device_new(&dev, &config, &hooks), 0);
    ck_assert_ptr_null(dev);
}
END_TEST

/* An epoll, a wake-up and a timer; what a ring polls only where it rings so, which is nowhere under Valgrind. */
START_TEST(three_or_four_descriptors_a_device)
{
    ivflat_config config = {.struct_size = sizeof(config), .trusted_peers = (uint32_t)_i};
    ivflat_hooks hooks = all_hooks();
    uint32_t before = count_fds(), each = 0;
    ivflat_device *devices[5];

    for (uint32_t i = 0; i < 5; i++) {
        ck_assert_int_eq(ivflat_device_new(&devices[i], &config, &hooks), 0);
        each = i == 0 ? count_fds() - before : each;
        ck_assert_uint_eq(count_fds(), before + each * (i + 1));
    }
    ck_assert_msg(each == 3 || (each == 4 && !config.trusted_peers), "%u descriptors", each);
    for (uint32_t i = 0; i < 5; i++) {
        ivflat_device_free(devices[i]);
    }
    ck_assert_uint_eq(count_fds(), before);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("device: life");
    TCase *tcase = suite_case(suite, "new");

    tcase_add_test(tcase, a_device_without_a_link);
    tcase_add_test(tcase, only_no_interrupts_does_without_hooks);
    tcase_add_test(tcase, a_required_hook_is_missing);
    tcase_add_test(tcase, every_other_hook_may_be_missing);
    tcase = suite_case(suite, "structs that grow");
    tcase_add_loop_test(tcase, struct_size_below_the_first_releases, 0, 4);
    tcase_add_test(tcase, a_longer_struct_is_taken_when_the_rest_is_zero);
    tcase_add_loop_test(tcase, a_field_out_of_range_is_named, 0, 8);
    tcase_add_test(tcase, the_hooks_reserved_field_is_0);
    tcase_add_test(tcase, config_and_hooks_are_copied);
    tcase = suite_case(suite, "bad input");
    tcase_add_test(tcase, null_for_the_device);
    tcase_add_test(tcase, arguments_that_are_none);
    tcase = suite_case(suite, "the kernel refuses");
    tcase_add_loop_test(tcase, no_descriptors_for_a_device, 0, 3);
    tcase_add_test(tcase, no_address_space_for_the_memory);
    tcase_add_loop_test(tcase, three_or_four_descriptors_a_device, 0, 2);
    return suite_run(suite);
}
