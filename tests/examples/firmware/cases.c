/* SPDX-License-Identifier: BSD-3-Clause */
#include "cases.h"

#include "board.h"
#include "console.h"
#include "cpu.h"
#include "ivflat-guest.h"
#include "line.h"

volatile uint32_t rings, ticks, deepest, handler_lr;
void (*volatile in_handler)(void);

static volatile uint32_t rung;

void device_isr(void)
{
    static volatile uint32_t depth;

    if (++depth > deepest)
        deepest = depth;
    handler_lr = (uint32_t)__builtin_return_address(0);
    rings++;
    rung = 1;
    if (in_handler)
        in_handler();
    depth--;
}

void tick_isr(void)
{
    ticks++;
}

void say(const char *text, uint32_t number)
{
    struct line line = {{0}, 0};

    line_add(&line, text, number);
    console_line(line.text);
}

static void say_loads(uint32_t offset)
{
    struct line line = {{0}, 0};
    uint32_t low, high;

    line_add(&line, "at ", offset);
    line_add(&line, ": 1 ", *(volatile uint8_t *)(BOARD_MMR + offset));
    line_add(&line, ", 2 ", *(volatile uint16_t *)(BOARD_MMR + offset));
    line_add(&line, ", 4 ", *(volatile uint32_t *)(BOARD_MMR + offset));
    __asm__ volatile("ldrd %0, %1, [%2]" : "=&r"(low), "=&r"(high) : "r"(BOARD_MMR + offset));
    line_add(&line, ", 8 ", low);
    line_add(&line, " ", high);
    console_line(line.text);
}

/* Narrow stores of what would ring vector 0 of peer 0, then a word that rings its vector 1. */
static void case_registers(void)
{
    for (uint32_t offset = 0; offset < 0x14; offset += 4)
        say_loads(offset);
    say_loads(0xff8);
    for (uint32_t byte = 0; byte < 16; byte++)
        *(volatile uint8_t *)(BOARD_MMR + byte) = 0;
    for (uint32_t half = 0; half < 16; half += 2)
        *(volatile uint16_t *)(BOARD_MMR + half) = 0;
    for (uint32_t word = 0; word < 12; word += 4)
        *(volatile uint32_t *)(BOARD_MMR + word) = 0xffffffff;
    *(volatile uint32_t *)(BOARD_MMR + 16) = 0;
    for (uint32_t offset = 0; offset < 0x10; offset += 4)
        say_loads(offset);
    ivflat_guest_doorbell(BOARD_MMR, 0, 1);
}

static void case_echo(void)
{
    console_line("asleep");
    for (;;) {
        ivflat_guest_sleep(&rung);
        ivflat_guest_doorbell(BOARD_MMR, 0, 0);
    }
}

/* Out of WFI three times by the timer, and then never again. */
static void case_tick(void)
{
    cpu_tick(12500);
    while (ticks < 3)
        __asm__ volatile("wfi");
    cpu_tick(0);
    say("ticks ", ticks);
    ivflat_guest_doorbell(BOARD_MMR, 0, 0);
    __asm__ volatile("wfi");
    say("awake again, ticks ", ticks);
}

/* What a terminal would obey, and a 0 in the middle. */
static void case_say(void)
{
    static const char bytes[] = "a\tb\0c\033[2Jd\x9b\x07\x7f\b~ e\r\n";

    for (uint32_t i = 0; i < sizeof bytes - 1; i++)
        *(volatile uint32_t *)BOARD_UART = (uint8_t)bytes[i];
    *(volatile uint32_t *)BOARD_UART = 0x100 | '!';
    console_line("");
}

static volatile uint32_t *const systick = (volatile uint32_t *)0xe000e010; /* control, reload, value */

static uint32_t flag(void)
{
    return systick[0] >> 16 & 1;
}

/* Ten milliseconds at a time; with a reload value of 0 the period that runs is the last. */
static void case_tick_flag(void)
{
    uint32_t first, second;

    systick[1] = 125000 - 1;
    systick[2] = 0;
    systick[0] = 5;
    first = systick[2];
    for (volatile uint32_t i = 0; i < 1000; i++)
        ;
    second = systick[2];
    say("below the reload value ", first < 125000);
    say("counts down ", second < first);
    while (!flag())
        ;
    say("flag after its reading ", flag());
    systick[1] = 0;
    while (!flag())
        ;
    say("value when stopped ", systick[2]);
    for (volatile uint32_t i = 0; i < 2000000; i++)
        ;
    say("flag when stopped ", flag());
    say("interrupts ", ticks);
}

static void run(uint32_t which)
{
    static void (*const cases[])(void) = {[CASE_REGISTERS] = case_registers,
                                          [CASE_ECHO] = case_echo,
                                          [CASE_RUNNING] = case_running,
                                          [CASE_ACROSS] = case_across,
                                          [CASE_PRIMASK] = case_primask,
                                          [CASE_FAULTMASK] = case_faultmask,
                                          [CASE_BASEPRI] = case_basepri,
                                          [CASE_LINES] = case_lines,
                                          [CASE_LATE] = case_late,
                                          [CASE_STACK] = case_stack,
                                          [CASE_TICK] = case_tick,
                                          [CASE_SAY] = case_say,
                                          [CASE_TICK_FLAG] = case_tick_flag};

    if (which < sizeof cases / sizeof cases[0] && cases[which])
        cases[which]();
    else
        case_fault(which);
}

int main(void)
{
    console_open();
    say("id ", ivflat_guest_wait_id(BOARD_MMR));
    cpu_enable_irq(BOARD_IRQ, CPU_PULSE);
    run(*(volatile uint32_t *)(BOARD_MEMORY + CASE_OFFSET));
    console_line("end");
    return 0;
}
