/* SPDX-License-Identifier: BSD-3-Clause */
/* The message ring for copying, on the host: alone, between processes, and against another side that lies. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "../../examples/firmware/ivflat-ring.h"
#include "support.h"

enum { SLOTS = 4, BYTES = 128 + 64 * SLOTS, GUARD = 64 };

/* The layout by hand, not by the header's macros. */
struct layout {
    uint32_t head, pad0[15];
    uint32_t tail, pad1[15];
    struct {
        uint32_t length, check, data[14];
    } slot[SLOTS];
};

static struct layout *memory;
static struct ivflat_ring writer, reader;
static uint8_t data[IVFLAT_RING_MAX + GUARD];
static uint32_t length;

static void unmap(void *argument)
{
    munmap(argument, BYTES);
}

static void open_both(void)
{
    ck_assert_int_eq(ivflat_ring_open_writer(&writer, memory, SLOTS), IVFLAT_RING_DONE);
    ck_assert_int_eq(ivflat_ring_open_reader(&reader, memory, SLOTS), IVFLAT_RING_DONE);
}

static void set_up(void)
{
    memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert_ptr_ne(memory, MAP_FAILED);
    at_test_end(unmap, memory);
    memset(data, 0xaa, sizeof data);
    open_both();
}

static int32_t get(void)
{
    return ivflat_ring_get(&reader, data, &length);
}

static void assert_untouched(uint32_t from)
{
    uint32_t touched = 0;

    for (uint32_t i = from; i < sizeof data; i++)
        touched += data[i] != 0xaa;
    ck_assert_uint_eq(touched, 0);
}

START_TEST(zeros_are_an_empty_ring)
{
    set_up();
    ck_assert_uint_eq(sizeof *memory, BYTES);
    ck_assert_uint_eq(IVFLAT_RING_BYTES(SLOTS), BYTES);
    ck_assert_int_eq(get(), IVFLAT_RING_WAIT);
    assert_untouched(0);
}
END_TEST

START_TEST(every_length_arrives_as_it_was_put)
{
    uint8_t out[IVFLAT_RING_MAX];

    set_up();
    for (uint32_t size = 0; size <= IVFLAT_RING_MAX; size++) {
        for (uint32_t i = 0; i < size; i++)
            out[i] = (uint8_t)(size * 5 + i);
        memset(data, 0xaa, sizeof data);
        ck_assert_int_eq(ivflat_ring_put(&writer, out, size), IVFLAT_RING_DONE);
        ck_assert_int_eq(get(), IVFLAT_RING_DONE);
        ck_assert_uint_eq(length, size);
        ck_assert_mem_eq(data, out, size);
        assert_untouched(size);
    }
}
END_TEST

START_TEST(what_is_too_long_or_no_power_of_two_is_refused)
{
    struct ivflat_ring ring;

    set_up();
    ck_assert_int_eq(ivflat_ring_put(&writer, data, 57), IVFLAT_RING_INVALID);
    ck_assert_int_eq(get(), IVFLAT_RING_WAIT);
    ck_assert_int_eq(ivflat_ring_open_writer(&ring, memory, 0), IVFLAT_RING_INVALID);
    ck_assert_int_eq(ivflat_ring_open_reader(&ring, memory, 3), IVFLAT_RING_INVALID);
}
END_TEST

START_TEST(full_is_full_until_one_is_read)
{
    set_up();
    for (int i = 0; i < SLOTS; i++)
        ck_assert_int_eq(ivflat_ring_put(&writer, "x", 1), IVFLAT_RING_DONE);
    ck_assert_int_eq(ivflat_ring_put(&writer, "y", 1), IVFLAT_RING_WAIT);
    ck_assert_uint_eq(ivflat_ring_unread(&writer), SLOTS);
    ck_assert_int_eq(get(), IVFLAT_RING_DONE);
    ck_assert_int_eq(ivflat_ring_put(&writer, "y", 1), IVFLAT_RING_DONE);
    for (int i = 0; i < SLOTS; i++)
        ck_assert_int_eq(get(), IVFLAT_RING_DONE);
    ck_assert_uint_eq(data[0], 'y');
    ck_assert_int_eq(get(), IVFLAT_RING_WAIT);
}
END_TEST

START_TEST(indices_wrap_at_the_end_of_32_bits)
{
    set_up();
    memory->head = memory->tail = 0xfffffffeu;
    open_both();
    for (uint8_t i = 0; i < 10; i++) {
        ck_assert_int_eq(ivflat_ring_put(&writer, &i, 1), IVFLAT_RING_DONE);
        ck_assert_int_eq(get(), IVFLAT_RING_DONE);
        ck_assert_uint_eq(data[0], i);
    }
    ck_assert_uint_eq(memory->head, 8);
    ck_assert_uint_eq(memory->tail, 8);
}
END_TEST

START_TEST(a_side_that_was_reset_goes_on_where_it_was)
{
    set_up();
    ivflat_ring_put(&writer, "a", 1);
    ivflat_ring_put(&writer, "b", 1);
    ck_assert_int_eq(get(), IVFLAT_RING_DONE);
    open_both();
    ck_assert_int_eq(ivflat_ring_put(&writer, "c", 1), IVFLAT_RING_DONE);
    ck_assert_int_eq(get(), IVFLAT_RING_DONE);
    ck_assert_uint_eq(data[0], 'b');
    ck_assert_int_eq(get(), IVFLAT_RING_DONE);
    ck_assert_uint_eq(data[0], 'c');
}
END_TEST

/* Each bit of length, check and data, turned over once. */
START_TEST(any_wrong_bit_is_found)
{
    set_up();
    for (uint32_t bit = 0; bit < (8 + 56) * 8; bit++) {
        uint32_t *word = &memory->slot[bit % SLOTS].length + bit / 32;

        ck_assert_int_eq(ivflat_ring_put(&writer, "01234567890123456789012345678901234567890123456789012345", 56),
                         IVFLAT_RING_DONE);
        *word ^= 1u << bit % 32;
        memset(data, 0xaa, sizeof data);
        ck_assert_int_eq(get(), IVFLAT_RING_DAMAGED);
        assert_untouched(0);
    }
    ck_assert_int_eq(ivflat_ring_put(&writer, "good", 4), IVFLAT_RING_DONE);
    ck_assert_int_eq(get(), IVFLAT_RING_DONE);
}
END_TEST

START_TEST(an_old_message_in_its_slot_is_no_new_one)
{
    set_up();
    ck_assert_int_eq(ivflat_ring_put(&writer, "old", 3), IVFLAT_RING_DONE);
    ck_assert_int_eq(get(), IVFLAT_RING_DONE);
    memory->head = 5; /* as if slots 1..3 and 0 again had been written */
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(get(), IVFLAT_RING_DAMAGED);
    ck_assert_int_eq(get(), IVFLAT_RING_WAIT);
}
END_TEST

START_TEST(an_impossible_index_is_said_and_nothing_is_read)
{
    static const uint32_t heads[] = {SLOTS + 1, 0x7fffffff, 0x80000000, 0xffffffff};

    set_up();
    for (size_t i = 0; i < sizeof heads / sizeof heads[0]; i++) {
        memory->head = heads[i];
        ck_assert_int_eq(get(), IVFLAT_RING_IMPOSSIBLE);
        assert_untouched(0);
        ck_assert_uint_eq(memory->tail, 0);
    }
    memory->tail = 1;
    ck_assert_int_eq(ivflat_ring_put(&writer, "x", 1), IVFLAT_RING_IMPOSSIBLE);
    ck_assert_uint_eq(memory->slot[0].length, 0);
}
END_TEST

/* What the other side stores over our own index is not believed. */
START_TEST(our_own_index_is_ours)
{
    set_up();
    ivflat_ring_put(&writer, "a", 1);
    ivflat_ring_put(&writer, "b", 1);
    memory->tail = 2;
    ck_assert_int_eq(get(), IVFLAT_RING_DONE);
    ck_assert_uint_eq(data[0], 'a');
    ck_assert_uint_eq(memory->tail, 1);
    memory->head = 77;
    ck_assert_int_eq(ivflat_ring_put(&writer, "c", 1), IVFLAT_RING_DONE);
    ck_assert_uint_eq(memory->head, 3);
}
END_TEST

/* A process that stores nothing but random words, as fast as it can. */
static int scribble(void *argument)
{
    volatile uint32_t *words = argument;
    uint32_t random = 12345;

    for (uint32_t i = 0; i < 2000000; i++) {
        random = random * 1664525 + 1013904223;
        words[(random >> 8) % (BYTES / 4)] = (random & 7) == 0 ? random : words[0] + (random >> 29);
    }
    return 0;
}

START_TEST(a_hostile_side_costs_nothing_but_wrong_messages)
{
    struct ivflat_ring out;
    uint32_t too_long = 0;
    int child;

    set_up();
    ivflat_ring_open_writer(&out, memory, SLOTS);
    child = run_child(scribble, memory);
    for (uint32_t round = 0; round < 1000000; round++) {
        too_long += get() == IVFLAT_RING_DONE && length > IVFLAT_RING_MAX;
        ivflat_ring_put(&out, "xyz", 3);
    }
    ck_assert_uint_eq(too_long, 0);
    assert_untouched(IVFLAT_RING_MAX);
    ck_assert_int_eq(join_child(child), 0);
}
END_TEST

enum { MANY = 50000 };

static int write_many(void *argument)
{
    uint32_t message[3];

    (void)argument;
    for (uint32_t i = 0; i < MANY;) {
        message[0] = i;
        message[1] = ~i;
        message[2] = i * 2654435761u;
        if (ivflat_ring_put(&writer, message, 4 + i % 9) == IVFLAT_RING_DONE)
            i++;
        else
            sched_yield();
    }
    return 0;
}

static bool is_message(uint32_t number)
{
    uint32_t want[3] = {number, ~number, number * 2654435761u};

    return length == 4 + number % 9 && memcmp(data, want, length) == 0;
}

START_TEST(two_processes_pass_50000_messages_in_order)
{
    uint32_t seen = 0, wrong = 0;
    int child;

    set_up();
    child = run_child(write_many, NULL);
    while (seen < MANY && wrong == 0) {
        int32_t result = get();

        if (result == IVFLAT_RING_WAIT)
            sched_yield();
        else if (result == IVFLAT_RING_DONE)
            wrong += !is_message(seen++);
        else
            wrong++;
    }
    ck_assert_uint_eq(wrong, 0);
    ck_assert_int_eq(join_child(child), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("ring");
    TCase *ring = suite_case(suite, "ring");

    tcase_add_test(ring, zeros_are_an_empty_ring);
    tcase_add_test(ring, every_length_arrives_as_it_was_put);
    tcase_add_test(ring, what_is_too_long_or_no_power_of_two_is_refused);
    tcase_add_test(ring, full_is_full_until_one_is_read);
    tcase_add_test(ring, indices_wrap_at_the_end_of_32_bits);
    tcase_add_test(ring, a_side_that_was_reset_goes_on_where_it_was);
    tcase_add_test(ring, any_wrong_bit_is_found);
    tcase_add_test(ring, an_old_message_in_its_slot_is_no_new_one);
    tcase_add_test(ring, an_impossible_index_is_said_and_nothing_is_read);
    tcase_add_test(ring, our_own_index_is_ours);
    tcase_add_test(ring, a_hostile_side_costs_nothing_but_wrong_messages);
    tcase_add_test(ring, two_processes_pass_50000_messages_in_order);
    return suite_run(suite);
}
