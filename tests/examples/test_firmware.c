/* SPDX-License-Identifier: BSD-3-Clause */
/* The emulator with a firmware of the tests' own, and the test as its peer 0, against a real server. */
#include <libivflat/ivflat.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "firmware/cases.h"
#include "program.h"
#include "support.h"

static ivflat_device *device;
static struct program *server, *guest;
static uint64_t rung[2];

static void on_interrupt(void *user, uint32_t vector, uint64_t count)
{
    (void)user;
    ck_assert_uint_lt(vector, 2);
    rung[vector] += count;
}

static void free_device(void *argument)
{
    ivflat_device_free(argument);
}

static void start_server(void)
{
    server = program_run(where("SERVER"), "-F", "-S", test_path("socket"), "-n", "2", "-l", "64K");
    program_tells(server, test_path("socket"));
}

static void join(void)
{
    ivflat_hooks hooks = {.struct_size = sizeof hooks, .interrupt = on_interrupt};

    ck_assert_int_eq(ivflat_device_new(&device, NULL, &hooks), 0);
    at_test_end(free_device, device);
    ck_assert_int_eq(ivflat_device_connect(device, test_path("socket")), 0);
    ck_assert_int_eq(ivflat_device_greet(device, PATIENCE_MS), 0);
    ck_assert_int_eq(ivflat_device_id(device), 0);
}

/* The guest is peer 1, and says so. */
static void start_case(uint32_t which)
{
    memset(rung, 0, sizeof rung);
    start_server();
    join();
    memcpy((char *)ivflat_device_memory(device) + CASE_OFFSET, &which, sizeof which);
    guest = program_run(where("EMULATOR"), test_path("socket"), where("CASES"));
    program_says(guest, "id 1");
}

static void live(void)
{
    ck_assert_int_eq(ivflat_device_wait(device, PATIENCE_MS), 1);
    ck_assert_int_eq(ivflat_device_dispatch(device), 0);
}

static void wait_rung(uint32_t vector, uint64_t times)
{
    while (rung[vector] < times)
        live();
}

static void ring_guest(void)
{
    while (ivflat_device_peer_vectors(device, 1) < 2)
        live();
    ivflat_device_write(device, IVFLAT_REG_DOORBELL, 4, 1 << 16);
}

static void stop_guest(void)
{
    ck_assert_int_eq(program_end(guest, SIGTERM), 0);
    ck_assert_int_eq(program_end(server, SIGTERM), 0);
}

START_TEST(registers_at_every_width)
{
    start_case(CASE_REGISTERS);
    for (int round = 0; round < 2; round++) {
        program_says(guest, "at 0: 1 0, 2 0, 4 0, 8 0 0");
        program_says(guest, "at 4: 1 0, 2 0, 4 0, 8 0 1");
        program_says(guest, "at 8: 1 0, 2 0, 4 1, 8 1 0");
        program_says(guest, "at 12: 1 0, 2 0, 4 0, 8 0 0");
        if (round == 0) {
            program_says(guest, "at 16: 1 0, 2 0, 4 0, 8 0 0");
            program_says(guest, "at 4088: 1 0, 2 0, 4 0, 8 0 0");
        }
    }
    program_says(guest, "end");
    wait_rung(1, 1);
    ck_assert_uint_eq(rung[0], 0);
    ck_assert_uint_eq(rung[1], 1);
    stop_guest();
}
END_TEST

START_TEST(out_of_wfi_1000_times)
{
    start_case(CASE_ECHO);
    program_says(guest, "asleep");
    for (uint64_t i = 1; i <= 1000; i++) {
        ring_guest();
        wait_rung(0, i);
        ck_assert_uint_eq(rung[0], i);
    }
    stop_guest();
}
END_TEST

START_TEST(out_of_running_code_500_times_with_all_intact)
{
    start_case(CASE_RUNNING);
    program_says(guest, "running");
    for (uint64_t i = 1; i <= CASE_ROUNDS; i++) {
        ring_guest();
        wait_rung(0, i);
        ck_assert_uint_eq(rung[0], i);
    }
    program_says(guest, "intact 1");
    program_says(guest, "end");
    stop_guest();
}
END_TEST

START_TEST(no_instruction_runs_twice_where_two_pages_meet)
{
    start_case(CASE_ACROSS);
    program_says(guest, "wrong 0");
    program_says(guest, "end");
    stop_guest();
}
END_TEST

START_TEST(primask_holds_an_interrupt_back_and_wfi_ends_all_the_same)
{
    start_case(CASE_PRIMASK);
    program_says(guest, "masked: pending 1");
    program_says(guest, "masked: handled 0");
    program_says(guest, "cpsie: handled 1");
    program_says(guest, "cpsie: pending 0");
    program_says(guest, "msr: handled 2");
    program_says(guest, "end");
    stop_guest();
}
END_TEST

START_TEST(faultmask_holds_an_interrupt_back_until_it_is_cleared_or_the_handler_returns)
{
    start_case(CASE_FAULTMASK);
    program_says(guest, "masked: handled 0");
    program_says(guest, "cpsie: handled 1");
    program_says(guest, "set in the handler: handled 3");
    program_says(guest, "end");
    stop_guest();
}
END_TEST

START_TEST(basepri_holds_an_interrupt_back)
{
    start_case(CASE_BASEPRI);
    program_says(guest, "masked: handled 0");
    program_says(guest, "zero: handled 1");
    program_says(guest, "end");
    stop_guest();
}
END_TEST

START_TEST(a_line_is_enabled_and_made_pending_by_the_guest_too)
{
    start_case(CASE_LINES);
    program_says(guest, "enabled alone 1");
    program_says(guest, "off: pending 1");
    program_says(guest, "off: handled 0");
    program_says(guest, "cleared: handled 0");
    program_says(guest, "set: handled 1");
    program_says(guest, "no such lines 0");
    program_says(guest, "end");
    stop_guest();
}
END_TEST

START_TEST(rung_in_the_handler_it_runs_again_after_not_within)
{
    start_case(CASE_LATE);
    program_says(guest, "handled 2");
    program_says(guest, "deepest 1");
    program_says(guest, "end");
    stop_guest();
}
END_TEST

START_TEST(the_frame_lies_aligned_on_the_stack_in_use)
{
    start_case(CASE_STACK);
    program_says(guest, "aligned: kept 1");
    program_says(guest, "ipsr 56");       /* 16 + line 40 */
    program_says(guest, "lr 4294967289"); /* 0xfffffff9 */
    program_says(guest, "handler off by 0");
    program_says(guest, "not aligned: kept 1");
    program_says(guest, "handler off by 0");
    program_says(guest, "process stack: handled 4");
    program_says(guest, "lr 4294967293"); /* 0xfffffffd */
    program_says(guest, "handler on main stack 1");
    program_says(guest, "end");
    stop_guest();
}
END_TEST

START_TEST(the_timer_ends_wfi_and_stays_off_when_off)
{
    start_case(CASE_TICK);
    program_says(guest, "ticks 3");
    wait_rung(0, 1);
    ring_guest();
    program_says(guest, "awake again, ticks 3");
    program_says(guest, "end");
    stop_guest();
}
END_TEST

START_TEST(the_timers_flag_is_cleared_by_reading_and_reload_0_stops_it)
{
    start_case(CASE_TICK_FLAG);
    program_says(guest, "below the reload value 1");
    program_says(guest, "counts down 1");
    program_says(guest, "flag after its reading 0");
    program_says(guest, "value when stopped 0");
    program_says(guest, "flag when stopped 0");
    program_says(guest, "interrupts 0");
    program_says(guest, "end");
    stop_guest();
}
END_TEST

START_TEST(what_the_guest_says_cannot_command_a_terminal)
{
    start_case(CASE_SAY);
    program_says(guest, "a\tb?c?[2Jd????~ e");
    program_says(guest, "!");
    program_says(guest, "end");
    stop_guest();
}
END_TEST

/* Nothing happens for a while; what of it the guest used, in nanoseconds.  A wait for something that must not come. */
static long long cpu_while_quiet(int ms)
{
    long long before = program_cpu_ns(guest);
    struct pollfd fds = {.fd = guest->out, .events = POLLIN};

    ck_assert_int_eq(poll(&fds, 1, ms), 0);
    return program_cpu_ns(guest) - before;
}

/* The answer comes just before WFI; the guest is asleep once a look finds that it uses nothing. */
static void until_asleep(void)
{
    for (int look = 0; cpu_while_quiet(5) > 0; look++)
        ck_assert_int_lt(look, PATIENCE_MS / 5);
}

START_TEST(a_guest_in_wfi_uses_no_processor_time)
{
    long long quiet = 0;

    start_case(CASE_ECHO);
    program_says(guest, "asleep");
    for (uint64_t i = 1; i <= 10; i++) {
        ring_guest();
        wait_rung(0, i);
        until_asleep();
        quiet += cpu_while_quiet(30);
    }
    /* 300 ms of quiet: a spin, or a poll that looks every millisecond, would use far more than this 1 ms. */
    ck_assert_int_lt(quiet, 1000000);
    stop_guest();
}
END_TEST

START_TEST(guest_and_test_go_on_when_the_server_is_killed)
{
    start_case(CASE_ECHO);
    program_says(guest, "asleep");
    ring_guest();
    wait_rung(0, 1);
    ck_assert_int_eq(program_end(server, SIGKILL), 128 + SIGKILL);
    program_tells(guest, "server");
    program_says(guest, "ivflat-unicorn: the link is down, the guest goes on with the peers that it has");
    while (ivflat_device_link(device) != IVFLAT_LINK_DOWN) {
        ivflat_device_wait(device, PATIENCE_MS);
        ivflat_device_dispatch(device);
    }
    for (uint64_t i = 2; i <= 100; i++) {
        ivflat_device_write(device, IVFLAT_REG_DOORBELL, 4, 1 << 16);
        wait_rung(0, i);
    }
    until_asleep();
    ck_assert_int_eq(program_end(guest, SIGTERM), 0);
}
END_TEST

static const struct {
    uint32_t which;
    const char *sentence;
} faults[] = {
    {CASE_READ_FAULT, "ivflat-unicorn: the guest read what is not there at 0x50000000, pc 0x0000"},
    {CASE_WRITE_FAULT, "ivflat-unicorn: the guest wrote to what cannot be written at 0x50000004, pc 0x0000"},
    {CASE_FLASH_FAULT, "ivflat-unicorn: the guest wrote to what cannot be written at 0x00000010, pc 0x0000"},
    {CASE_JUMP_FAULT, "ivflat-unicorn: the guest jumped to no code at 0x60000000, pc 0x60000000"},
    {CASE_UNALIGNED_FAULT, "ivflat-unicorn: the guest accessed a device unaligned at 0x400ff006, pc 0x0000"},
    {CASE_SVC_FAULT, "ivflat-unicorn: the guest took an exception that this emulator does not have at 0x00000002"},
    {CASE_RETURN_FAULT, "ivflat-unicorn: the guest returned from no exception at 0xfffffff9"},
    {CASE_LINK_FAULT,
     "ivflat-unicorn: the guest returned from an exception to where this emulator cannot at 0xfffffff1"},
    {CASE_VTOR_FAULT, "ivflat-unicorn: the guest stored to a system register that this emulator does not have at "
                      "0xe000ed08"},
    {CASE_PRIORITY_FAULT, "ivflat-unicorn: the guest stored to a system register that this emulator does not have at "
                          "0xe000e428"},
};

START_TEST(what_has_no_meaning_ends_with_its_address_and_3)
{
    start_case(faults[_i].which);
    program_tells(guest, faults[_i].sentence);
    ck_assert_int_eq(program_end(guest, 0), 3);
}
END_TEST

static void refused(const char *socket, const char *firmware, const char *sentence, int status)
{
    struct program *program = program_run(where("EMULATOR"), socket, firmware);

    program_tells(program, sentence);
    ck_assert_ptr_null(program_line(program));
    ck_assert_int_eq(program_end(program, 0), status);
}

static const char *make_file(const char *name, const void *bytes, size_t size, size_t times)
{
    FILE *file = fopen(test_path(name), "wb");

    ck_assert_ptr_nonnull(file);
    for (size_t i = 0; i < times; i++)
        ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    ck_assert_int_eq(fclose(file), 0);
    return test_path(name);
}

START_TEST(no_server_is_1_and_no_firmware_is_2_with_a_sentence)
{
    static const char elf[16] = "\177ELF";
    static const uint32_t wild[] = {0x20010001, 9, 0, 0}, far[] = {0x20010000, 0x1001, 0, 0};

    refused(test_path("none"), where("CASES"), test_path("none"), 1);
    start_server();
    refused(test_path("socket"), test_path("nofile"), "cannot be read as a firmware", 2);
    refused(test_path("socket"), test_folder(), "cannot be read as a firmware", 2);
    refused(test_path("socket"), make_file("empty", elf, 16, 0), "is no firmware", 2);
    refused(test_path("socket"), make_file("elf", elf, 16, 1), "is no firmware", 2);
    refused(test_path("socket"), make_file("wild", wild, 16, 1), "is no firmware", 2);
    refused(test_path("socket"), make_file("far", far, 16, 1), "is no firmware", 2);
    refused(test_path("socket"), make_file("long", elf, 16, 0x40000 / 16 + 1), "is longer than the flash", 2);
    ck_assert_int_eq(program_end(server, SIGTERM), 0);
}
END_TEST

START_TEST(a_wrong_command_line_is_2_and_help_is_0)
{
    struct program *program = program_run(where("EMULATOR"), "x");

    program_tells(program, "usage: ivflat-unicorn SOCKET FIRMWARE.bin");
    ck_assert_int_eq(program_end(program, 0), 2);
    program = program_run(where("EMULATOR"), "--help");
    program_tells(program, "usage: ivflat-unicorn SOCKET FIRMWARE.bin");
    ck_assert_int_eq(program_end(program, 0), 0);
}
END_TEST

int main(void)
{
    Suite *suite = suite_create("firmware");
    TCase *unicorn = suite_case(suite, "unicorn");

    tcase_add_test(unicorn, registers_at_every_width);
    tcase_add_test(unicorn, out_of_wfi_1000_times);
    tcase_add_test(unicorn, out_of_running_code_500_times_with_all_intact);
    tcase_add_test(unicorn, no_instruction_runs_twice_where_two_pages_meet);
    tcase_add_test(unicorn, primask_holds_an_interrupt_back_and_wfi_ends_all_the_same);
    tcase_add_test(unicorn, faultmask_holds_an_interrupt_back_until_it_is_cleared_or_the_handler_returns);
    tcase_add_test(unicorn, basepri_holds_an_interrupt_back);
    tcase_add_test(unicorn, a_line_is_enabled_and_made_pending_by_the_guest_too);
    tcase_add_test(unicorn, rung_in_the_handler_it_runs_again_after_not_within);
    tcase_add_test(unicorn, the_frame_lies_aligned_on_the_stack_in_use);
    tcase_add_test(unicorn, the_timer_ends_wfi_and_stays_off_when_off);
    tcase_add_test(unicorn, the_timers_flag_is_cleared_by_reading_and_reload_0_stops_it);
    tcase_add_test(unicorn, what_the_guest_says_cannot_command_a_terminal);
    tcase_add_test(unicorn, a_guest_in_wfi_uses_no_processor_time);
    tcase_add_test(unicorn, guest_and_test_go_on_when_the_server_is_killed);
    tcase_add_loop_test(unicorn, what_has_no_meaning_ends_with_its_address_and_3, 0,
                        (int)(sizeof faults / sizeof faults[0]));
    tcase_add_test(unicorn, no_server_is_1_and_no_firmware_is_2_with_a_sentence);
    tcase_add_test(unicorn, a_wrong_command_line_is_2_and_help_is_0);
    return suite_run(suite);
}
