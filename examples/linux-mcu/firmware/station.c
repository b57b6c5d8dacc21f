/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A station: reads a sensor now and then, sends what it read to Linux, and checks what Linux answers.  In between it
 * sleeps in WFI.  It may be started again at any time: the rings go on where it left them.
 */
#include "board.h"
#include "console.h"
#include "cpu.h"
#include "exchange.h"
#include "ivflat-guest.h"
#include "line.h"

#ifndef STATION
#define STATION 1 /* which of the stations this is, 1 to EXCHANGE_STATIONS */
#endif

enum {
    BURST = 16,       /* samples at most each time that the timer ticks */
    IMPATIENCE = 100, /* ticks without room in the ring until we say so */
    PROGRESS = 500    /* answers between two lines */
};

static struct ivflat_ring samples, answers;
static uint32_t boot, sent, answered, lost, old, wrong, alarms, waited, linux_boots;
static volatile uint32_t rung, ticked, interrupts;

static struct exchange_table *table(void)
{
    return (struct exchange_table *)BOARD_MEMORY;
}

static struct exchange_entry *own(void)
{
    return &table()->station[STATION - 1];
}

void device_isr(void)
{
    interrupts++;
    rung = 1;
}

void tick_isr(void)
{
    ticked = 1;
    rung = 1;
}

static struct line begin_line(void)
{
    struct line line = {{0}, 0};

    line_add(&line, "station ", STATION);
    line_add(&line, " boot ", boot);
    line_add_text(&line, ": ", 2);
    return line;
}

static void say(const char *text)
{
    struct line line = begin_line();

    line_add_text(&line, text, sizeof line.text);
    console_line(line.text);
}

static void ring(uint32_t here, uint32_t vector)
{
    if (here != 0)
        ivflat_guest_doorbell(BOARD_MMR, here - 1, vector);
}

static void ring_linux(uint32_t vector)
{
    ring(exchange_load(&table()->linux_side.here), vector);
}

static void ring_host(uint32_t vector)
{
    ring((uint32_t)exchange_host_id(exchange_load(&table()->host.id)) + 1, vector);
}

static uint32_t fill(struct exchange_sample *sample, uint32_t number)
{
    uint32_t length;

    sample->station = STATION;
    sample->boot = boot;
    sample->number = number;
    sample->readings = (uint16_t)exchange_readings(number);
    for (uint32_t i = 0; i < sample->readings; i++)
        sample->reading[i] = exchange_reading(STATION, number, i);
    length = exchange_sample_length(sample->readings);
    sample->check = exchange_check(sample, length);
    return length;
}

static void raise_alarm(void)
{
    alarms++;
    ring_linux(EXCHANGE_ALARM);
    ring_host(EXCHANGE_ALARM);
}

/* 1: it was sent. */
static uint32_t send_sample(void)
{
    struct exchange_sample sample;
    uint32_t length = fill(&sample, sent);

    if (ivflat_ring_put(&samples, &sample, length) != IVFLAT_RING_DONE)
        return 0;
    sent++;
    if (exchange_is_alarm(exchange_mean(&sample)))
        raise_alarm();
    return 1;
}

static void send_samples(void)
{
    uint32_t some = 0;

    while (some < BURST && send_sample())
        some++;
    if (waited >= IMPATIENCE && some > 0)
        say("there is room again");
    waited = some > 0 ? 0 : waited + 1;
    if (waited == IMPATIENCE)
        say("nobody reads my samples: I wait");
    /* When nobody came for the last ones, too: a doorbell to a machine that is not there is gone. */
    if (ivflat_ring_unread(&samples) != 0)
        ring_linux(EXCHANGE_MAIL);
}

static void say_progress(const char *text)
{
    struct line line = begin_line();

    line_add_text(&line, text, sizeof line.text);
    line_add(&line, "sent ", sent);
    line_add(&line, ", answered ", answered);
    line_add(&line, ", lost ", lost);
    line_add(&line, ", wrong ", wrong);
    console_line(line.text);
}

static uint32_t is_right(const struct exchange_answer *answer, uint32_t length)
{
    struct exchange_sample sample;

    if (length != sizeof *answer || answer->check != exchange_check(answer, sizeof *answer) ||
        answer->station != STATION || answer->number < answered + lost || answer->number >= sent)
        return 0;
    fill(&sample, answer->number);
    return answer->mean == exchange_mean(&sample) && answer->valve == exchange_valve(answer->mean);
}

/* A number that is left out was a sample that Linux had in its hands when it was ended. */
static void got_answer(const struct exchange_answer *answer, uint32_t length)
{
    if (length == sizeof *answer && answer->boot < boot) {
        old++; /* to the one before us */
        return;
    }
    if (!is_right(answer, length)) {
        wrong++;
        say("WRONG: an answer that is not what it should be");
        return;
    }
    lost = answer->number - answered;
    answered++;
    if (answered % PROGRESS == 0)
        say_progress("");
}

static void read_answers(void)
{
    struct exchange_answer answer;
    uint8_t message[IVFLAT_RING_MAX] = {0};
    uint32_t length = 0, some = 0;
    int32_t result;

    while ((result = ivflat_ring_get(&answers, message, &length)) != IVFLAT_RING_WAIT) {
        if (result == IVFLAT_RING_IMPOSSIBLE)
            break;
        for (uint32_t i = 0; i < sizeof answer; i++)
            ((uint8_t *)&answer)[i] = message[i];
        got_answer(&answer, result == IVFLAT_RING_DONE ? length : 0);
        some++;
    }
    if (some > 0)
        ring_linux(EXCHANGE_ROOM);
}

/* Somebody came, or came back, or gave an order. */
static void look_at_table(void)
{
    uint32_t boots = exchange_load(&table()->linux_side.boots), here = exchange_load(&table()->linux_side.here);
    struct line line = begin_line();

    if (boots == linux_boots)
        return;
    linux_boots = boots;
    line_add(&line, "Linux is there, with id ", here - 1);
    line_add(&line, ", boot ", boots);
    console_line(line.text);
}

static void join(uint32_t id)
{
    struct line line;

    boot = exchange_load(&own()->boots) + 1;
    ivflat_ring_open_writer(&samples, exchange_ring_at(table(), STATION, 0), EXCHANGE_SLOTS);
    ivflat_ring_open_reader(&answers, exchange_ring_at(table(), STATION, 1), EXCHANGE_SLOTS);
    exchange_store(&own()->done, 0);
    exchange_store(&own()->boots, boot);
    exchange_store(&own()->here, id + 1);
    line = begin_line();
    line_add(&line, "up, with id ", id);
    console_line(line.text);
    ring_linux(EXCHANGE_TABLE);
}

static uint32_t is_stopped(void)
{
    return exchange_load(&table()->host.order) == exchange_word("stop");
}

/* Until the host says stop, and all that was sent is answered. */
static void work(void)
{
    while (!is_stopped() || answered + lost < sent) {
        ivflat_guest_sleep(&rung);
        look_at_table();
        read_answers();
        if (ticked && !is_stopped())
            send_samples();
        else if (ticked && ivflat_ring_unread(&samples) != 0)
            ring_linux(EXCHANGE_MAIL);
        ticked = 0;
    }
}

static void leave(void)
{
    struct line line = begin_line();

    cpu_tick(0);
    line_add(&line, "answers to the boot before ", old);
    line_add(&line, ", alarms ", alarms);
    line_add(&line, ", interrupts ", interrupts);
    console_line(line.text);
    say_progress("done: ");
    exchange_store(&own()->done, 1);
    ring_linux(EXCHANGE_TABLE);
}

int main(void)
{
    console_open();
    cpu_enable_irq(BOARD_IRQ, CPU_PULSE);
    join(ivflat_guest_wait_id(BOARD_MMR));
    cpu_tick(BOARD_TICK);
    work();
    leave();
    return 0;
}
