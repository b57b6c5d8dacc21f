/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The guest of the figures: asleep but for its handler, which does what the host has ordered.
 *
 * Orders come through the shared memory, 64 bytes for each id, and the host rings when it has written one; who polled a
 * serial port instead would keep QEMU's lock busy meanwhile.  The host has vector 0 rung when an order is taken up, or,
 * of PING and FLOOD, carried out.
 */
#include <stdint.h>

#include "board.h"
#include "console.h"
#include "cpu.h"
#include "ivflat-guest.h"
#include "line.h"

enum { COUNT, ANSWER, PING, FLOOD };

struct order {
    uint32_t number; /* changes with each order */
    uint32_t what;
    uint32_t peer, vector; /* to be rung */
    uint32_t count;        /* so many times */
    uint32_t host;         /* the host's id */
    uint32_t taken;        /* interrupts since the order, written by us */
    uint32_t done;         /* the last order that the host needs not wait for any more, likewise */
};

static volatile struct order *shared;
static struct order order;

static void ring(void)
{
    ivflat_guest_doorbell(BOARD_MMR, order.peer, order.vector);
}

static void tell_host(void)
{
    shared->done = order.number;
    ivflat_guest_doorbell(BOARD_MMR, order.host, 0);
}

static void flood(void)
{
    for (uint32_t i = 0; i < order.count; i++)
        ring();
}

static void begin(void)
{
    order = *shared;
    order.taken = 0;
    shared->taken = 0;
    if (order.what == FLOOD)
        flood();
    if (order.what == PING)
        ring();
    else
        tell_host();
}

static void rung(void)
{
    shared->taken = ++order.taken;
    if (order.what == PING && order.taken == order.count)
        tell_host();
    else if (order.what == PING || order.what == ANSWER)
        ring();
}

void device_isr(void)
{
    if (shared->number != order.number)
        begin();
    else
        rung();
}

int main(void)
{
    struct line line = {{0}, 0};
    uint32_t id = ivflat_guest_wait_id(BOARD_MMR);

    shared = (volatile struct order *)(BOARD_MEMORY + id * 64);
    cpu_enable_irq(BOARD_IRQ, CPU_PULSE);
    console_open();
    line_add(&line, "id ", id);
    console_line(line.text);
    for (;;)
        __asm__ volatile("wfi");
}
