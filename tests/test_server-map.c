/* SPDX-License-Identifier: BSD-3-Clause */
/* What is written down for the next process: of two slots one is always whole, whatever a killed process left. */
#include "support.h"

#include "server-map.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static struct ivf_map map;

static void write_text(const char *text)
{
    GByteArray *body = g_byte_array_append(g_byte_array_new(), (const uint8_t *)text, (guint)strlen(text));

    ck_assert_int_eq(ivf_map_write(&map, body), 0);
    g_byte_array_unref(body);
}

/* As another process would read it: NULL for none. */
static void expect(const char *text)
{
    struct ivf_map other;
    GByteArray *body;

    ck_assert_int_eq(ivf_map_open(&other, dup_fd(map.fd)), 0);
    body = ivf_map_read(&other);
    if (text) {
        ck_assert_ptr_nonnull(body);
        ck_assert_uint_eq(body->len, strlen(text));
        ck_assert(body->len == 0 || memcmp(body->data, text, body->len) == 0);
        g_byte_array_unref(body);
    } else {
        ck_assert_ptr_null(body);
    }
    ivf_map_close(&other);
}

/* Where a text is in the file: the slots are far apart, so holes are skipped. */
static off_t find(const char *text)
{
    char bytes[4096 + 64];
    off_t at = 0;

    while ((at = lseek(map.fd, at, SEEK_DATA)) >= 0) {
        ssize_t count = pread(map.fd, bytes, sizeof(bytes), at);
        const char *found = count > 0 ? memmem(bytes, (size_t)count, text, strlen(text)) : NULL;

        if (found) {
            return at + (found - bytes);
        }
        at += 4096;
    }
    ck_abort_msg("\"%s\" is not in the file", text);
    return -1;
}

START_TEST(the_newest_is_read)
{
    ck_assert_int_eq(ivf_map_create(&map), 0);
    expect(NULL);
    for (int i = 0; i < 5; i++) {
        char *text = g_strdup_printf("record %d", i);

        write_text(text);
        expect(text);
        g_free(text);
    }
    write_text("");
    expect("");
    ivf_map_close(&map);
}
END_TEST

START_TEST(a_half_written_one_gives_way_to_the_one_before)
{
    ck_assert_int_eq(ivf_map_create(&map), 0);
    write_text("the first record");
    write_text("the second record");
    ck_assert_int_eq(pwrite(map.fd, "X", 1, find("second record")), 1);
    expect("the first record");
    ck_assert_int_eq(pwrite(map.fd, "X", 1, find("first record")), 1);
    expect(NULL);
    ivf_map_close(&map);
}
END_TEST

/* Its front: the number by which it is known, its version, its length, its sum, one after the other. */
START_TEST(a_front_that_is_wrong_is_not_believed)
{
    static const struct {
        uint32_t offset;
        uint8_t byte;
    } wrong[] = {{0, 0}, {8, 77}, {16, 2}, {20, 255}, {23, 255}, {24, 0}};

    for (uint32_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        off_t front;

        ck_assert_int_eq(ivf_map_create(&map), 0);
        write_text("some record");
        expect("some record");
        front = find("some record") - 32;
        ck_assert_int_eq(pwrite(map.fd, &wrong[i].byte, 1, front + wrong[i].offset), 1);
        expect(NULL);
        ivf_map_close(&map);
    }
}
END_TEST

START_TEST(who_goes_on_writes_behind_what_is_there)
{
    struct ivf_map other;
    GByteArray *body;

    ck_assert_int_eq(ivf_map_create(&map), 0);
    write_text("one");
    write_text("two");
    write_text("three");
    ck_assert_int_eq(ivf_map_open(&other, dup_fd(map.fd)), 0);
    body = ivf_map_read(&other);
    ck_assert_int_eq(ivf_map_write(&other, body), 0);
    ck_assert_uint_eq(other.generation, 4);
    g_byte_array_unref(body);
    expect("three");
    ivf_map_close(&other);
    ivf_map_close(&map);
}
END_TEST

START_TEST(how_far_each_is_is_there_at_once)
{
    struct ivf_map other;

    ck_assert_int_eq(ivf_map_create(&map), 0);
    ck_assert_int_eq(ivf_map_open(&other, dup_fd(map.fd)), 0);
    ivf_map_tries(&map, 65535, 12);
    ck_assert_uint_eq(other.progress[65535].tried, 12);
    ck_assert_uint_eq(other.progress[65535].sent, 0);
    ivf_map_sent(&map, 65535, 10);
    ck_assert_uint_eq(other.progress[65535].tried, 10);
    ck_assert_uint_eq(other.progress[65535].sent, 10);
    ck_assert_uint_eq(other.progress[0].tried, 0);
    ivf_map_close(&other);
    ivf_map_close(&map);
    ivf_map_sent(&map, 0, 1); /* nobody keeps anything: nothing happens */
    ivf_map_tries(&map, 0, 1);
}
END_TEST

START_TEST(what_is_no_state)
{
    int ends[2];

    ck_assert_int_eq(ivf_map_open(&map, make_eventfd()), -EINVAL);
    ck_assert_int_eq(ivf_map_open(&map, make_memory(4096)), -EINVAL);
    make_pipe(ends);
    ck_assert_int_eq(ivf_map_open(&map, ends[0]), -EINVAL);
    ck_assert_int_eq(map.fd, -1);
    close_fd(ends[1]);
}
END_TEST

START_TEST(without_descriptors)
{
    fill_fds(0);
    ck_assert_int_eq(ivf_map_create(&map), -EMFILE);
    ck_assert_int_eq(ivf_map_write_list("text"), -EMFILE);
    fill_fds_undo();
    ck_assert_int_eq(map.fd, -1);
}
END_TEST

START_TEST(a_list_is_handed_on)
{
    int fd = ivf_map_write_list("3 +a\n4 +b\n");
    char *text;

    ck_assert_int_ge(fd, 0);
    ck_assert_int_eq(fcntl(fd, F_GETFD), 0); /* it outlives exec */
    text = ivf_map_read_list(fd);
    ck_assert_str_eq(text, "3 +a\n4 +b\n");
    ck_assert(!is_open(fd));
    g_free(text);
    ck_assert_ptr_null(ivf_map_read_list(make_eventfd()));
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("server-map");
    TCase *tcase = suite_case(suite, "map");

    tcase_add_test(tcase, the_newest_is_read);
    tcase_add_test(tcase, a_half_written_one_gives_way_to_the_one_before);
    tcase_add_test(tcase, a_front_that_is_wrong_is_not_believed);
    tcase_add_test(tcase, who_goes_on_writes_behind_what_is_there);
    tcase_add_test(tcase, how_far_each_is_is_there_at_once);
    tcase_add_test(tcase, what_is_no_state);
    tcase_add_test(tcase, without_descriptors);
    tcase_add_test(tcase, a_list_is_handed_on);
    return suite_run(suite);
}
