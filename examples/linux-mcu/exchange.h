/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What the Linux side and the stations (microcontrollers) have agreed on: where things lie in the shared memory, what a
 * message is, what each doorbell means.  Plain C11, no library: the firmware and the Linux program both include it.
 *
 *     byte 0       the table: who is there, an entry of 64 bytes each.  Linux, stations 1 to 4, the host
 *     byte 0x1000  for each station a ring of samples to Linux, and 0x2000 further one of answers from Linux
 *
 * Each word has one writer: that side's.  Fresh memory is all zeros.  Ids are the server's, and whoever starts again
 * gets another: so sides find each other by their place in the table, and look it up for each doorbell.
 */
#ifndef EXCHANGE_H
#define EXCHANGE_H

#include <stdint.h>

#include "ivflat-ring.h"

/* The doorbells' vectors. */
enum {
    EXCHANGE_MAIL = 0,  /* your ring has something for you */
    EXCHANGE_ROOM = 1,  /* I have read what you sent: there is room again */
    EXCHANGE_TABLE = 2, /* the table has changed: look at it */
    EXCHANGE_ALARM = 3, /* too hot: to Linux and to the host */
    EXCHANGE_VECTORS = 4
};

enum { EXCHANGE_STATIONS = 4, EXCHANGE_SLOTS = 64, EXCHANGE_BYTES = 0x1000 + EXCHANGE_STATIONS * 0x4000 };

struct exchange_entry {
    ivflat_ring_word here;  /* 0: nobody was here yet; else its id + 1 */
    ivflat_ring_word boots; /* how often it has started */
    ivflat_ring_word done;  /* a station's: it was told to stop, and all its samples were answered */
    ivflat_ring_word unused;
    ivflat_ring_word progress[2 * EXCHANGE_STATIONS]; /* Linux's: of each station the boot, and the next number in it */
    ivflat_ring_word reserved[4];
};
_Static_assert(sizeof(struct exchange_entry) == 64, "an entry is a cache line");

/* Text, so that a person can write it with ivflat-client: "0007run " says that id 7 watches, and all shall run. */
struct exchange_host {
    ivflat_ring_word id;    /* four hexadecimal digits */
    ivflat_ring_word order; /* "stop", or anything else */
    ivflat_ring_word reserved[14];
};

struct exchange_table {
    struct exchange_entry linux_side, station[EXCHANGE_STATIONS];
    struct exchange_host host;
};

struct exchange_sample {
    uint32_t check; /* of all that follows */
    uint16_t station, readings;
    uint32_t boot, number;
    int16_t reading[20]; /* hundredths of a degree; so many as `readings` says are sent */
};

struct exchange_answer {
    uint32_t check;
    uint32_t station, boot, number;
    int32_t mean;  /* of the sample's readings */
    int32_t valve; /* what the station shall do about it: per cent */
};
_Static_assert(sizeof(struct exchange_sample) == IVFLAT_RING_MAX, "a sample fits into a message");

static inline ivflat_ring_word *exchange_ring_at(void *memory, uint32_t station, uint32_t answers)
{
    return (ivflat_ring_word *)memory + (0x1000 + (station - 1) * 0x4000 + answers * 0x2000) / 4;
}

static inline uint32_t exchange_load(const ivflat_ring_word *word)
{
    return atomic_load_explicit(word, memory_order_acquire);
}

static inline void exchange_store(ivflat_ring_word *word, uint32_t value)
{
    atomic_store_explicit(word, value, memory_order_release);
}

/* The ring has a check of its own, against mixed-up slots.  This one is the sender's of what it meant: CRC-32. */
static inline uint32_t exchange_check(const void *message, uint32_t length)
{
    const uint8_t *byte = (const uint8_t *)message + 4;
    uint32_t crc = ~0u;

    for (uint32_t i = 4; i < length; i++) {
        crc ^= *byte++;
        for (uint32_t bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* The made-up sensor, which both sides know: up and down between 20 and 80 degrees, some noise, and now and then 95. */
static inline int16_t exchange_reading(uint32_t station, uint32_t number, uint32_t i)
{
    uint32_t step = number % 240, up = step < 120 ? step : 240 - step;
    uint32_t noise = (station * 7919u + number * 104729u + i * 1299709u) % 97;

    return (int16_t)(number % 300 == 299 ? 9500u : 2000 + up * 50 + noise);
}

static inline uint32_t exchange_readings(uint32_t number)
{
    return 1 + number % 20;
}

/* Its length; 0: no message may be so. */
static inline uint32_t exchange_sample_length(uint32_t readings)
{
    return readings >= 1 && readings <= 20 ? 16 + 2 * readings : 0;
}

static inline int32_t exchange_mean(const struct exchange_sample *sample)
{
    int32_t sum = 0;

    for (uint32_t i = 0; i < sample->readings; i++)
        sum += sample->reading[i];
    return sum / (int32_t)sample->readings;
}

/* Shut up to 30 degrees, open from 90. */
static inline int32_t exchange_valve(int32_t mean)
{
    return mean <= 3000 ? 0 : mean >= 9000 ? 100 : (mean - 3000) / 60;
}

static inline uint32_t exchange_is_alarm(int32_t mean)
{
    return mean > 9000;
}

static inline uint32_t exchange_word(const char *text)
{
    return (uint32_t)(uint8_t)text[0] | (uint32_t)(uint8_t)text[1] << 8 | (uint32_t)(uint8_t)text[2] << 16 |
           (uint32_t)(uint8_t)text[3] << 24;
}

/* The id in four hexadecimal digits; -1: they are none. */
static inline int32_t exchange_host_id(uint32_t digits)
{
    int32_t id = 0;

    for (uint32_t i = 0; i < 4; i++) {
        uint32_t digit = digits >> 8 * i & 0xff;
        int32_t value = digit >= '0' && digit <= '9'   ? (int32_t)(digit - '0')
                        : digit >= 'a' && digit <= 'f' ? (int32_t)(digit - 'a' + 10)
                                                       : -1;

        if (value < 0)
            return -1;
        id = id << 4 | value;
    }
    return id;
}
#endif
