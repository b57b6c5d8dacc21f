/* SPDX-License-Identifier: BSD-3-Clause */
/* The demonstration: all work is done in main(), which sleeps until somebody rings. */
#include "board.h"
#include "console.h"
#include "cpu.h"
#include "demo.h"
#include "ivflat-guest.h"
#include "line.h"

static void doorbell(uint32_t peer, uint32_t vector);

static struct demo demo = {.doorbell = doorbell, .say = console_line};
static volatile uint32_t rung, ticked;

void device_isr(void)
{
    demo.interrupts++;
    rung = 1;
}

void tick_isr(void)
{
    ticked = 1;
    rung = 1;
}

static void doorbell(uint32_t peer, uint32_t vector)
{
    ivflat_guest_doorbell(BOARD_MMR, peer, vector);
}

static void say(const char *text, uint32_t number, const char *more)
{
    struct line line = {{0}, 0};

    line_add(&line, text, number);
    line_add_text(&line, more, sizeof line.text);
    console_line(line.text);
}

/* While we wait for others we look again every tick, and ring again who has not read: see ivflat-guest.h. */
static void run(void)
{
    cpu_tick(BOARD_TICK);
    for (demo_step(&demo); !demo_done(&demo) && !demo.broken; demo_step(&demo)) {
        ivflat_guest_sleep(&rung);
        if (ticked)
            demo_remind(&demo);
        ticked = 0;
    }
    cpu_tick(0);
}

int main(void)
{
    console_open();
    demo.id = ivflat_guest_wait_id(BOARD_MMR);
    say("peer ", demo.id, ": up");
    if (demo_open(&demo, (void *)BOARD_MEMORY) < 0) {
        say("peer ", demo.id, ": there is no place for my id in this demonstration");
        return 1;
    }
    cpu_enable_irq(BOARD_IRQ, CPU_PULSE);
    run();
    return 0;
}
