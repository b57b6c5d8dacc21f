/* SPDX-License-Identifier: BSD-3-Clause */
/* A fuzz target's bytes, taken one after the other; zeros when they are used up. */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* What must be true of every input. */
#define MUST(condition)                                                                                                \
    do {                                                                                                               \
        if (!(condition)) {                                                                                            \
            fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition);                                    \
            abort();                                                                                                   \
        }                                                                                                              \
    } while (0)

struct input {
    const uint8_t *bytes;
    size_t left;
};

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static inline bool input_has(const struct input *input)
{
    return input->left > 0;
}

static inline uint8_t take_byte(struct input *input)
{
    if (input->left == 0) {
        return 0;
    }
    input->left--;
    return *input->bytes++;
}

/* Little-endian, of @count bytes. */
static inline uint64_t take_number(struct input *input, unsigned count)
{
    uint64_t number = 0;

    for (unsigned i = 0; i < count; i++) {
        number |= (uint64_t)take_byte(input) << (8 * i);
    }
    return number;
}

/* A message's number, as a server sends them or as none would. */
static inline int64_t take_message(struct input *input, uint8_t kind, int32_t own_id)
{
    switch (kind & 7) {
    case 0:
        return 0;
    case 1:
        return -1;
    case 2:
        return own_id;
    case 3:
        return take_byte(input) & 7;
    case 4:
        return (int64_t)take_number(input, 2);
    case 5:
        return 65535 + (take_byte(input) & 1);
    case 6:
        return -(int64_t)take_byte(input);
    default:
        return (int64_t)take_number(input, 8);
    }
}

#endif
