/* SPDX-License-Identifier: BSD-3-Clause */
/* 8 bytes <-> number, and what belongs to a message. */
#include "support.h"

#include "wire.h"

#include <stdlib.h>
#include <string.h>

static struct ivf_wire wire;

/* Written by hand: the number, and its bytes as they travel. */
static const struct {
    int64_t number;
    uint8_t bytes[8];
} samples[] = {
    {0, {0, 0, 0, 0, 0, 0, 0, 0}},
    {1, {1, 0, 0, 0, 0, 0, 0, 0}},
    {-1, {255, 255, 255, 255, 255, 255, 255, 255}},
    {-2, {254, 255, 255, 255, 255, 255, 255, 255}},
    {65535, {255, 255, 0, 0, 0, 0, 0, 0}},
    {65536, {0, 0, 1, 0, 0, 0, 0, 0}},
    {0x0102030405060708, {8, 7, 6, 5, 4, 3, 2, 1}},
    {4294967295, {255, 255, 255, 255, 0, 0, 0, 0}},
    {INT64_MAX, {255, 255, 255, 255, 255, 255, 255, 127}},
    {INT64_MIN, {0, 0, 0, 0, 0, 0, 0, 128}},
};
#define SAMPLES ((int)(sizeof(samples) / sizeof(samples[0])))

START_TEST(P1_a_number_is_8_little_endian_bytes)
{
    uint8_t bytes[8];

    ivf_wire_encode(bytes, samples[_i].number);
    ck_assert_mem_eq(bytes, samples[_i].bytes, 8);
}
END_TEST

START_TEST(P1_8_little_endian_bytes_are_a_number)
{
    ivf_wire_begin(&wire);
    ck_assert(ivf_wire_add(&wire, samples[_i].bytes, 8));
    ck_assert_int_eq(ivf_wire_number(&wire), samples[_i].number);
}
END_TEST

/* Bit i of the loop's number says that the message is cut after byte i + 1: all 128 ways to cut it. */
START_TEST(P2_a_message_may_be_cut_anywhere)
{
    static const uint8_t bytes[8] = {8, 7, 6, 5, 4, 3, 2, 1};
    uint32_t from = 0;

    ivf_wire_begin(&wire);
    for (uint32_t at = 1; at <= 8; at++) {
        if (at == 8 || (_i & 1 << (at - 1))) {
            ck_assert_uint_eq(ivf_wire_wants(&wire), 8 - from);
            ck_assert_int_eq(ivf_wire_add(&wire, bytes + from, at - from), at == 8);
            from = at;
        }
    }
    ck_assert_int_eq(ivf_wire_number(&wire), 0x0102030405060708);
}
END_TEST

START_TEST(P2_the_next_message_begins_clean)
{
    static const uint8_t ones[8] = {255, 255, 255, 255, 255, 255, 255, 255};
    static const uint8_t three[8] = {3};
    int surplus[2];

    ivf_wire_begin(&wire);
    ivf_wire_latch(&wire, 5, surplus);
    ck_assert(ivf_wire_add(&wire, ones, 8));
    ivf_wire_begin(&wire);
    ck_assert_uint_eq(ivf_wire_wants(&wire), 8);
    ck_assert_int_eq(wire.fd, IVF_FD_NONE);
    ck_assert(ivf_wire_add(&wire, three, 8));
    ck_assert_int_eq(ivf_wire_number(&wire), 3);
}
END_TEST

/* The descriptor comes before byte _i + 1. */
START_TEST(P2_a_descriptor_with_any_piece_is_the_messages)
{
    static const uint8_t byte[1] = {0};
    int surplus[2];

    ivf_wire_begin(&wire);
    for (int at = 0; at < 8; at++) {
        if (at == _i) {
            ck_assert_uint_eq(ivf_wire_latch(&wire, 17, surplus), 0);
        }
        ivf_wire_add(&wire, byte, 1);
        ck_assert_int_eq(wire.fd, at < _i ? IVF_FD_NONE : 17);
    }
}
END_TEST

/* What a message keeps of what came with it, and what is handed back to be closed: by hand from P13 and P14. */
static const struct {
    int came[3]; /* 0: nothing more; IVF_FD_LOST: one was lost */
    int keeps;
    int closes; /* the sum of their numbers */
} latches[] = {
    {{0}, IVF_FD_NONE, 0},
    {{5}, 5, 0},
    {{IVF_FD_LOST}, IVF_FD_LOST, 0},
    {{5, 6}, IVF_FD_MANY, 11},
    {{5, 6, 7}, IVF_FD_MANY, 18},
    {{5, IVF_FD_LOST}, IVF_FD_LOST, 5},
    {{IVF_FD_LOST, 5}, IVF_FD_LOST, 5},
    {{IVF_FD_LOST, IVF_FD_LOST}, IVF_FD_LOST, 0},
    {{5, 6, IVF_FD_LOST}, IVF_FD_LOST, 11},
    {{5, IVF_FD_LOST, 7}, IVF_FD_LOST, 12},
    {{IVF_FD_LOST, 5, 6}, IVF_FD_LOST, 11},
};

static void check_latch(int index)
{
    int closes = 0;

    ivf_wire_begin(&wire);
    for (int i = 0; i < 3 && latches[index].came[i]; i++) {
        int surplus[2] = {0, 0};
        uint32_t count = ivf_wire_latch(&wire, latches[index].came[i], surplus);

        for (uint32_t j = 0; j < count; j++) {
            closes += surplus[j];
        }
    }
    ck_assert_int_eq(wire.fd, latches[index].keeps);
    ck_assert_int_eq(closes, latches[index].closes);
}

START_TEST(P13_a_second_descriptor_leaves_none)
{
    for (int i = 0; i < 5; i++) {
        check_latch(i);
    }
}
END_TEST

START_TEST(P14_a_lost_descriptor_is_not_none)
{
    for (int i = 5; i < (int)(sizeof(latches) / sizeof(latches[0])); i++) {
        check_latch(i);
    }
}
END_TEST

/* Descriptor 0 is one like any other: a process may have closed its standard input. */
START_TEST(P2_descriptor_0_counts)
{
    int surplus[2] = {-1, -1};

    ivf_wire_begin(&wire);
    ck_assert_uint_eq(ivf_wire_latch(&wire, 0, surplus), 0);
    ck_assert_int_eq(wire.fd, 0);
    ck_assert_uint_eq(ivf_wire_latch(&wire, 4, surplus), 2);
    ck_assert_int_eq(surplus[0] + surplus[1], 4);
    ck_assert_int_eq(abs(surplus[0] - surplus[1]), 4);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("wire");
    TCase *tcase = suite_case(suite, "number");

    tcase_add_loop_test(tcase, P1_a_number_is_8_little_endian_bytes, 0, SAMPLES);
    tcase_add_loop_test(tcase, P1_8_little_endian_bytes_are_a_number, 0, SAMPLES);
    tcase = suite_case(suite, "pieces");
    tcase_add_loop_test(tcase, P2_a_message_may_be_cut_anywhere, 0, 128);
    tcase_add_test(tcase, P2_the_next_message_begins_clean);
    tcase_add_loop_test(tcase, P2_a_descriptor_with_any_piece_is_the_messages, 0, 8);
    tcase_add_test(tcase, P2_descriptor_0_counts);
    tcase_add_test(tcase, P13_a_second_descriptor_leaves_none);
    tcase_add_test(tcase, P14_a_lost_descriptor_is_not_none);
    return suite_run(suite);
}
