# SPDX-License-Identifier: BSD-3-Clause
"""Ended from outside, or a side of it: nothing stays behind."""
import fcntl
import os
import signal

from example import LIMIT, Example, processes
from host.common import cache


class Ended(Example):
    def ended_by(self, number, at):
        child = self.start()
        self.until(child, at)
        child.send_signal(number)
        child.stdout.read()
        return child.wait(LIMIT)

    def test_by_sigterm_while_all_talk(self):
        self.assertEqual(self.ended_by(signal.SIGTERM, "samples 0 to 499 right"), 128 + signal.SIGTERM)
        self.nothing_left()

    def test_by_ctrl_c_while_linux_boots(self):
        self.assertEqual(self.ended_by(signal.SIGINT, "up, with id"), 128 + signal.SIGINT)
        self.nothing_left()

    def test_by_ctrl_c_while_a_side_is_dead(self):
        self.assertEqual(self.ended_by(signal.SIGINT, "was killed"), 128 + signal.SIGINT)
        self.nothing_left()

    def test_killed_itself(self):
        self.assertEqual(self.ended_by(signal.SIGKILL, "linux: up"), -signal.SIGKILL)
        self.gone()

    def test_a_reader_that_goes_away(self):
        child = self.start()
        self.until(child, "linux: up")
        child.stdout.close()
        self.assertEqual(child.wait(LIMIT), 1)
        self.nothing_left()


class Another(Example):
    def test_a_run_that_prepares_is_waited_for(self):
        with open(cache() / "lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            child = self.start("--prepare")
            self.until(child, "waiting for another run that prepares")
        child.stdout.read()
        self.assertEqual(child.wait(LIMIT), 0)
        self.nothing_left()


class SideDies(Example):
    def dies(self, text, sentence):
        """Whoever has @text in its command line is killed while all talk."""
        child = self.start()
        self.until(child, "samples 0 to 499 right")
        victim, = [pid for pid in processes(str(self.tmp)) if pid in processes(text)]
        os.kill(victim, signal.SIGKILL)
        last = child.stdout.read().splitlines()[-1]
        self.assertEqual(child.wait(LIMIT), 1)
        self.assertIn(f"FAILED: {sentence}: it was ended by signal 9", last)
        self.nothing_left()

    def test_the_server(self):
        self.dies("ivflat-server", "server")

    def test_linux(self):
        self.dies("qemu-system-aarch64", "linux")

    def test_unicorn(self):
        self.dies("ivflat-unicorn", "station 2")
