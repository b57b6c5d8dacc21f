/* SPDX-License-Identifier: BSD-3-Clause */
/* Which case the firmware is to run: the test stores it in the last word of the shared memory's first page, before the
 * guest starts.  The peer to talk to is 0, the test. */
#ifndef CASES_H
#define CASES_H

#include <stdint.h>

#define CASE_OFFSET 0xffcu

enum {
    CASE_REGISTERS = 1, /* all registers at every width */
    CASE_ECHO,          /* asleep, answers every ring from main() */
    CASE_ACROSS,        /* a long loop over the border of two pages */
    CASE_RUNNING,       /* never asleep, answers from the handler until CASE_ROUNDS */
    CASE_PRIMASK,
    CASE_FAULTMASK,
    CASE_BASEPRI,
    CASE_LINES, /* enabled and pending, set and cleared by the guest */
    CASE_LATE,  /* rung again while in the handler */
    CASE_STACK, /* what lies on which stack, aligned or not */
    CASE_TICK,
    CASE_TICK_FLAG, /* the timer without its interrupt */
    CASE_SAY,
    CASE_READ_FAULT,
    CASE_WRITE_FAULT,
    CASE_FLASH_FAULT,
    CASE_JUMP_FAULT,
    CASE_UNALIGNED_FAULT,
    CASE_SVC_FAULT,
    CASE_RETURN_FAULT,
    CASE_LINK_FAULT,
    CASE_VTOR_FAULT,
    CASE_PRIORITY_FAULT
};

#define CASE_ROUNDS 500u

#ifdef __arm__
/* Counted by the handlers. */
extern volatile uint32_t rings, ticks, deepest;
/* The link register that the last one came with. */
extern volatile uint32_t handler_lr;
/* What the device's handler does besides; NULL: nothing. */
extern void (*volatile in_handler)(void);

void say(const char *text, uint32_t number);
void case_primask(void);
void case_faultmask(void);
void case_basepri(void);
void case_lines(void);
void case_late(void);
void case_stack(void);
void case_running(void);
void case_across(void);
void case_fault(uint32_t which);
#endif

#endif
