/* SPDX-License-Identifier: BSD-3-Clause */
/* The guest's end of the stream: asleep unless it was rung (R8: no ring is lost), or, where asked for, the tick says
 * that it is time to look and ring again (R7: a doorbell to a machine that was not there yet is gone). */
#include "board.h"
#include "commands.h"
#include "console.h"
#include "cpu.h"
#include "interrupts.h"
#include "ivflat-guest.h"
#include "line.h"
#include "stream.h"

static struct stream stream;

static void say_end(uint32_t interrupts)
{
    struct line line = {{0}, 0};

    line_add(&line, "sent ", stream.sent);
    line_add(&line, ", received ", stream.received);
    line_add(&line, ", bad ", stream.bad);
    line_add(&line, ", broken ", stream.broken);
    line_add(&line, ", interrupts ", interrupts);
    console_line(line.text);
}

static void run(void)
{
    for (;;) {
        if (stream_step(&stream) || ticked)
            ivflat_guest_doorbell(BOARD_MMR, stream.peer, 0);
        ticked = 0;
        if (stream_done(&stream))
            return;
        sleep_until_interrupted();
    }
}

void command_stream(const uint32_t *numbers)
{
    uint32_t before = taken_in_all();

    stream = (struct stream){.id = numbers[0], .peer = numbers[1], .count = numbers[2]};
    stream_open(&stream, (void *)BOARD_MEMORY);
    cpu_enable_irq(BOARD_IRQ, CPU_PULSE);
    cpu_tick(numbers[3] ? BOARD_TICK : 0);
    run();
    cpu_tick(0);
    say_end(taken_in_all() - before);
}
