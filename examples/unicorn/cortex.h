/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A Cortex-M3 made of the Unicorn engine, which executes instructions and stops at WFI, and of the exceptions that it
 * does not know: entry and return are ours.
 */
#ifndef CORTEX_H
#define CORTEX_H

#include <stdbool.h>
#include <stdint.h>
#include <unicorn/unicorn.h>

#include "nvic.h"

struct cortex {
    uc_engine *engine;
    struct nvic nvic;
    bool sleeping;    /* in WFI: do not run until nvic_next() has something */
    uint32_t blocks;  /* straight pieces of code that this slice may still run */
    bool interrupted; /* we stopped the engine, rather than WFI */
    uint32_t stopped; /* in front of which piece of code */
    uint32_t trap;    /* the engine's number of an exception that it left to us */
    char fault[160];  /* what the guest did wrong: one sentence */
};

/* Gives back false when there is no engine. */
bool cortex_open(struct cortex *cpu);
void cortex_close(struct cortex *cpu);

/* From the vector table at address 0: stack and first instruction. */
void cortex_reset(struct cortex *cpu);

/* Takes what interrupt there is, and runs until WFI or a bounded while.  False: see fault. */
bool cortex_run(struct cortex *cpu);

/* Stops the guest here: what it did has no meaning. */
void cortex_fault(struct cortex *cpu, const char *what, uint64_t address);

#endif
