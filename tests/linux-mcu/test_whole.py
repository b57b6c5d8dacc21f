# SPDX-License-Identifier: BSD-3-Clause
"""The whole of it, as people run it."""
import re
import signal
import subprocess

from example import Example


class Whole(Example):
    def totals(self, said):
        """{station: numbers} of the last lines of Linux's serial port."""
        return {int(m[1]): [int(number) for number in m.groups()[1:]] for m in re.finditer(
            r"^linux +\| linux: station (\d+) boot (\d+): done: next (\d+), lost (\d+), wrong (\d+), alarms \d+$", said,
            re.M)}

    def check(self, said, samples):
        ok = re.search(r"^ok: (\d+) samples to Linux and (\d+) answers to the stations, 0 wrong, (\d+) lost",
                       said.splitlines()[-1])
        self.assertTrue(ok, said)
        # Each of two stations before, between and after two deaths; and one while the other was dead.
        self.assertGreaterEqual(int(ok[1]), 6 * samples + samples // 2, said)
        self.assertLessEqual(int(ok[3]), 2, said)
        totals = self.totals(said)
        self.assertEqual(sorted(totals), [1, 2], said)
        self.assertEqual([totals[1][0], totals[2][0]], [2, 1], "the lives of the stations:\n" + said)
        self.assertEqual([totals[1][3], totals[2][3]], [0, 0], said)
        for station, numbers in totals.items():
            self.assertRegex(said, rf"(?m)^station {station} \| .*: done: sent {numbers[1]}, answered ")

    def test_all_talk_and_two_are_killed(self):
        code, said = self.run_example("--verbose")
        self.assertEqual(code, 0, said)
        self.check(said, 1000)
        # What is spoken of ran: four kinds of program, of which two had to start again.
        for program, starts in (("qemu-system-aarch64", 2), ("-M lm3s6965evb", 2), ("ivflat-unicorn", 1),
                                ("ivflat-client", 1), ("ivflat-server", 1)):
            self.assertEqual(len(re.findall(rf"(?m)^[\w ]+ \$ .*{program}", said)), starts, said)
        self.assertRegex(said, r"(?m)^linux +\| linux: done: interrupts: mail \d{2,}, room \d{2,}, table [1-9]\d*, "
                               r"alarm [1-9]")

    def test_on_another_board_with_another_memory_and_a_server_that_is_up(self):
        socket = self.server("-n", 4, "-l", "1M")
        words = ["--server", socket, "--memory", "1M", "--board", "mps2-an385", "--samples", 200]
        code, said = self.run_example(*words)
        self.assertEqual(code, 0, said)
        self.check(said, 200)
        self.fails("FAILED: server: its memory has been used before", *words)

    def test_another_emulator_at_the_same_server(self):
        socket = self.server("-n", 4)
        third = subprocess.Popen([self.built.unicorn, socket, self.built.unicorn_firmware.with_name("station-3.bin")],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(third.stdout.close)
        self.addCleanup(third.wait)
        self.addCleanup(third.kill)
        code, said = self.run_example("--server", socket, "--samples", 200)
        self.assertEqual(code, 0, said)
        total = re.search(r"station 3 boot 1: done: next (\d+), lost [01], wrong 0", said)
        self.assertTrue(total, said)
        third.send_signal(signal.SIGTERM)
        self.assertIn(f"station 3 boot 1: done: sent {total[1]}, ", third.stdout.read())

    def test_a_sample_that_was_written_over_is_found(self):
        said = self.fails("FAILED: linux: station 1 boot 2: WRONG: ", "--spoil", "--samples", 200)
        self.assertNotIn("\nok:", said)
