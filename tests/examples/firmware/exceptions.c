/* SPDX-License-Identifier: BSD-3-Clause */
/* What an exception must and must not do to who is interrupted. */
#include "board.h"
#include "cases.h"
#include "console.h"
#include "ivflat-guest.h"

static void ring_self(void)
{
    ivflat_guest_doorbell(BOARD_MMR, ivflat_guest_id(BOARD_MMR), 0);
}

/* A ring before our own vectors are set up is gone.  So ring until one arrives, and let those after it arrive too. */
static void settle(void)
{
    do
        ring_self();
    while (rings == 0);
    for (volatile uint32_t i = 0; i < 50000; i++)
        ;
    rings = 0;
    deepest = 0;
}

static uint32_t pending(void)
{
    return *(volatile uint32_t *)(0xe000e200u + BOARD_IRQ / 32 * 4) >> BOARD_IRQ % 32 & 1;
}

/* Masked: a ring ends the WFI and stays pending.  Then the shortest door that can be open lets it in. */
void case_primask(void)
{
    settle();
    __asm__ volatile("cpsid i" ::: "memory");
    ring_self();
    __asm__ volatile("wfi" ::: "memory");
    say("masked: pending ", pending());
    say("masked: handled ", rings);
    __asm__ volatile("cpsie i\n\tcpsid i" ::: "memory");
    say("cpsie: handled ", rings);
    say("cpsie: pending ", pending());
    ring_self();
    __asm__ volatile("wfi\n\tmsr primask, %0\n\tmsr primask, %1" ::"r"(0), "r"(1) : "memory");
    say("msr: handled ", rings);
    __asm__ volatile("cpsie i" ::: "memory");
}

/* FAULTMASK holds back what PRIMASK does, and ends by itself when a handler returns that set it. */
static void mask_faults(void)
{
    __asm__ volatile("cpsid f" ::: "memory");
}

void case_faultmask(void)
{
    settle();
    __asm__ volatile("cpsid f" ::: "memory");
    ring_self();
    while (!pending())
        ;
    say("masked: handled ", rings);
    __asm__ volatile("cpsie f\n\tcpsid f" ::: "memory");
    say("cpsie: handled ", rings);
    in_handler = mask_faults;
    ring_self();
    __asm__ volatile("wfi\n\tcpsie f\n\tnop" ::: "memory");
    while (rings < 2)
        ;
    ring_self();
    while (rings < 3)
        ;
    say("set in the handler: handled ", rings);
}

void case_basepri(void)
{
    settle();
    __asm__ volatile("msr basepri, %0" ::"r"(0x20) : "memory");
    ring_self();
    while (!pending())
        ;
    say("masked: handled ", rings);
    __asm__ volatile("msr basepri, %0\n\tnop" ::"r"(0) : "memory");
    say("zero: handled ", rings);
}

/* The device's line at set-enable 0x100, clear-enable 0x180, set-pending 0x200 or clear-pending 0x280. */
static volatile uint32_t *line_at(uint32_t offset)
{
    return (volatile uint32_t *)(0xe000e000u + offset + BOARD_IRQ / 32 * 4);
}

void case_lines(void)
{
    const uint32_t bit = 1u << BOARD_IRQ % 32;

    settle();
    say("enabled alone ", *line_at(0x100) == bit && *line_at(0x180) == bit && *line_at(0x0fc) == 0);
    *line_at(0x180) = bit;
    *line_at(0x200) = bit;
    say("off: pending ", *line_at(0x200) == bit && *line_at(0x280) == bit);
    say("off: handled ", rings);
    *line_at(0x280) = bit;
    *line_at(0x100) = bit;
    say("cleared: handled ", rings);
    *line_at(0x200) = bit;
    while (rings == 0)
        ;
    say("set: handled ", rings);
    *line_at(0x110) = 0xffffffff;
    say("no such lines ", *line_at(0x110));
}

/* In its first run the handler rings again, and stays until that is pending. */
static void ring_in_handler(void)
{
    if (rings > 1)
        return;
    ring_self();
    while (!pending())
        ;
}

void case_late(void)
{
    settle();
    in_handler = ring_in_handler;
    ring_self();
    while (rings < 2)
        ;
    say("handled ", rings);
    say("deepest ", deepest);
}

static volatile uint32_t handler_ipsr, handler_sp;

static void look_around(void)
{
    uint32_t ipsr, sp;

    __asm__ volatile("mrs %0, ipsr\n\tmov %1, sp" : "=r"(ipsr), "=r"(sp));
    handler_ipsr = ipsr;
    handler_sp = sp;
}

/* Four bytes off the stack's alignment, in WFI; answers 1 when sp and all it points at are as before. */
static uint32_t kept_over_wfi(uint32_t off)
{
    uint32_t before, after, top;

    ring_self();
    __asm__ volatile("sub sp, sp, %3\n\t"
                     "push {%3}\n\t"
                     "mov %0, sp\n\t"
                     "wfi\n\tnop\n\t"
                     "mov %1, sp\n\t"
                     "pop {%2}\n\t"
                     "add sp, sp, %3"
                     : "=&r"(before), "=&r"(after), "=&r"(top)
                     : "r"(off)
                     : "memory");
    return before == after && top == off;
}

void case_stack(void)
{
    static uint32_t process_stack[64];

    settle();
    in_handler = look_around;
    say("aligned: kept ", kept_over_wfi(4));
    say("ipsr ", handler_ipsr);
    say("lr ", handler_lr);
    say("handler off by ", handler_sp % 8);
    say("not aligned: kept ", kept_over_wfi(8));
    say("handler off by ", handler_sp % 8);
    __asm__ volatile("msr psp, %0\n\tmsr control, %1\n\tisb" ::"r"(&process_stack[64]), "r"(2) : "memory");
    (void)kept_over_wfi(4);
    (void)kept_over_wfi(8);
    __asm__ volatile("msr control, %0\n\tisb" ::"r"(0) : "memory");
    say("process stack: handled ", rings);
    say("lr ", handler_lr);
    say("handler on main stack ", handler_sp >= 0x20000000u && (handler_sp < (uint32_t)process_stack ||
                                                                handler_sp > (uint32_t)&process_stack[64]));
}

/* Spoils all that the hardware has saved for whoever was interrupted. */
static void answer_and_spoil(void)
{
    ivflat_guest_doorbell(BOARD_MMR, 0, 0);
    __asm__ volatile("mvn r0, #0\n\tmov r1, r0\n\tmov r2, r0\n\tmov r3, r0\n\tmov r12, r0\n\tadds r0, r0, r0" ::
                         : "r0", "r1", "r2", "r3", "r12", "cc");
}

/* Runs with known registers and flags, an IT block in the middle; answers 0 as soon as one is not what it was. */
static uint32_t is_intact(void)
{
    uint32_t good;

    __asm__ volatile("mov r0, #1\n\tmov r1, #2\n\tmov r2, #3\n\tmov r3, #4\n\tmov r12, #5\n\t"
                     "mov r4, #50\n\tmov %0, #1\n"
                     "1:\tcmp r0, #1\n\titttt eq\n\tcmpeq r1, #2\n\tcmpeq r2, #3\n\tcmpeq r3, #4\n\tcmpeq r12, #5\n\t"
                     "b 2f\n"
                     "2:\tit ne\n\tmovne %0, #0\n\tsubs r4, r4, #1\n\tb 3f\n"
                     "3:\tbne 1b"
                     : "=&r"(good)
                     :
                     : "r0", "r1", "r2", "r3", "r4", "r12", "cc", "memory");
    return good;
}

void case_running(void)
{
    uint32_t intact = 1;

    in_handler = answer_and_spoil;
    console_line("running");
    while (rings < CASE_ROUNDS)
        intact &= is_intact();
    say("intact ", intact);
}

/* Counts r0 down to 0 by a 32-bit instruction that lies on two of the engine's pages, of 1 KiB; gives back how many turns
 * that took. */
uint32_t turns(uint32_t count);
__asm__(".section .text.turns,\"ax\",%progbits\n\t.balign 1024\n\t.space 1022 - 6\n\t"
        ".global turns\n\t.type turns, %function\n\t.thumb_func\n"
        "turns:\n\tmovs r1, #0\n1:\tadds r1, #1\n\tnop\n\tsubs.w r0, r0, #1\n\tbne 1b\n\tmov r0, r1\n\tbx lr\n\t"
        ".text");

void case_across(void)
{
    uint32_t wrong = 0;

    for (uint32_t i = 0; i < 5000; i++)
        wrong += turns(40) != 40;
    say("wrong ", wrong);
}

static volatile uint32_t *at(volatile uintptr_t address)
{
    return (volatile uint32_t *)address;
}

/* 0xfffffff1: to another handler, of which there is none. */
static void return_wrong(void)
{
    __asm__ volatile("mvn r0, #14\n\tbx r0" ::: "r0");
}

static void return_to_handler(void)
{
    in_handler = return_wrong;
    for (;;)
        ring_self();
}

void case_fault(uint32_t which)
{
    static void (*const nowhere)(void) = (void (*)(void))0x60000001;

    if (which == CASE_READ_FAULT)
        (void)*at(0x50000000);
    else if (which == CASE_WRITE_FAULT)
        *at(0x50000004) = 1;
    else if (which == CASE_FLASH_FAULT)
        *at(0x00000010) = 1;
    else if (which == CASE_JUMP_FAULT)
        nowhere();
    else if (which == CASE_UNALIGNED_FAULT)
        (void)*at(BOARD_MMR + 6);
    else if (which == CASE_SVC_FAULT)
        __asm__ volatile("svc #0");
    else if (which == CASE_VTOR_FAULT)
        *at(0xe000ed08) = 0x20000000;
    else if (which == CASE_PRIORITY_FAULT)
        *(volatile uint8_t *)(0xe000e400 + BOARD_IRQ) = 0x20;
    else if (which == CASE_LINK_FAULT)
        return_to_handler();
    else if (which == CASE_RETURN_FAULT)
        __asm__ volatile("mvn r0, #6\n\tbx r0" ::: "r0"); /* 0xfffffff9, in no handler */
}
