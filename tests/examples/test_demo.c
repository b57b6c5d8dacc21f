/* SPDX-License-Identifier: BSD-3-Clause */
/* The demonstration that firmware and host share: what it says and does when the shared memory is spoiled. */
#include <string.h>

#include "../../examples/firmware/demo.h"
#include "support.h"

static _Alignas(64) uint32_t memory[DEMO_BYTES / 4];
static struct demo demo;
static uint32_t doorbells, lines;
static char said[200];

static void on_doorbell(uint32_t peer, uint32_t vector)
{
    (void)peer, (void)vector;
    doorbells++;
}

static void on_line(const char *line)
{
    ck_assert_uint_lt(strlen(line), sizeof said);
    strcpy(said, line);
    lines++;
}

static void open_as(uint32_t id)
{
    memset(memory, 0, sizeof memory);
    memset(&demo, 0, sizeof demo);
    demo.id = id;
    demo.doorbell = on_doorbell;
    demo.say = on_line;
    ck_assert_int_eq(demo_open(&demo, memory), 0);
}

/* The words of the ring from one to the other, by hand: rings of 128 + 16 * 64 bytes, tail in word 16. */
static uint32_t *ring_from(uint32_t from, uint32_t to)
{
    return memory + (from * 3 + to) * 1152 / 4;
}

static void assert_stops(const char *sentence)
{
    demo_step(&demo);
    ck_assert_str_eq(said, sentence);
    ck_assert_uint_eq(demo.broken, 1);
    doorbells = 0;
    demo_step(&demo);
    ck_assert_uint_eq(doorbells, 0);
    ck_assert_uint_eq(lines, 1);
    ck_assert_int_eq(demo_done(&demo), 0);
}

START_TEST(a_writers_impossible_index_is_said_once_and_ends_it)
{
    open_as(1);
    ring_from(2, 1)[0] = 17; /* of 16 slots */
    assert_stops("peer 1: I stop, for the memory I share with peer 2 has an index that cannot be");
}
END_TEST

START_TEST(a_readers_impossible_index_is_said_once_and_ends_it)
{
    open_as(0);
    ring_from(0, 1)[16] = 1; /* nothing was written */
    assert_stops("peer 0: I stop, for the memory I share with peer 1 has an index that cannot be");
}
END_TEST

START_TEST(an_empty_memory_is_no_fault)
{
    open_as(0);
    demo_step(&demo);
    ck_assert_uint_eq(demo.broken, 0);
    ck_assert_uint_eq(lines, 0);
    ck_assert_uint_eq(doorbells, 2);
    ck_assert_uint_eq(ring_from(0, 1)[0], 16);
    ck_assert_uint_eq(ring_from(0, 2)[0], 16);
}
END_TEST

START_TEST(an_id_without_a_place_is_refused)
{
    memset(&demo, 0, sizeof demo);
    demo.id = 3;
    ck_assert_int_eq(demo_open(&demo, memory), -1);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("demo");
    TCase *broken = suite_case(suite, "broken");

    tcase_add_test(broken, a_writers_impossible_index_is_said_once_and_ends_it);
    tcase_add_test(broken, a_readers_impossible_index_is_said_once_and_ends_it);
    tcase_add_test(broken, an_empty_memory_is_no_fault);
    tcase_add_test(broken, an_id_without_a_place_is_refused);
    return suite_run(suite);
}
