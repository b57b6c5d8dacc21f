/* SPDX-License-Identifier: BSD-3-Clause */
/* An embedder that believes nothing: its hooks check what they are told against what they were told before, and the
 * header's promises.  It takes, refuses and calls back as the input says. */
#ifndef FUZZ_ORACLE_H
#define FUZZ_ORACLE_H

#include <libivflat/ivflat.h>

#include <stdbool.h>
#include <stdint.h>

/* What the hooks do, by bits. */
enum {
    TAKES_VECTORS = 1,
    BINDS_DOORBELLS = 2,
    REFUSES_MEMORY = 4,
    CALLS_BACK = 8,      /* what is marked [hook] */
    CALLS_FORBIDDEN = 16 /* what is not */
};

/* What the library is inside of; hooks come then only. */
enum call { CALL_NONE, CALL_GUEST, CALL_LINK, CALL_DISPATCH, CALL_RESET };

/* A device with every hook; NULL when the library refuses the configuration. */
ivflat_device *oracle_new(const ivflat_config *config, uint8_t behaviour);
void oracle_free(ivflat_device *dev);

/* Around each call. */
void oracle_enter(enum call call);
void oracle_leave(ivflat_device *dev);

/* The peers that the device has are those that the hooks were told of.  Slow, so not after each call. */
void oracle_check_peers(const ivflat_device *dev);

/* The behaviour from now on. */
void oracle_behave(uint8_t behaviour);

#endif
