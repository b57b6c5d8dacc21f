# SPDX-License-Identifier: BSD-3-Clause
"""What the other tests lean on: peer and server of Python agree with the real ones, and nothing is left behind."""
import os
import signal
import subprocess
import unittest

from harness import fake, fds, runner
from harness.case import Case
from harness.vm import Vm
from harness.wait import TooLate


class WithoutQemu(Case):
    builds = ()
    boards = ()

    def test_two_peers_meet_at_the_real_server(self):
        server = self.server(vectors=3, size="64K")
        one, two = self.peer(server, 3), self.peer(server, 3)
        one.wait_for(two.id, 3)
        one.ring(two.id, 2)
        one.ring(two.id, 2)
        self.assertEqual(two.rung(2), 2)
        self.assertFalse(two.is_rung(0))
        one.memory[:4] = b"seen"
        self.assertEqual((two.memory[:4], two.size), (b"seen", 65536))
        two.connection.close()
        one.wait_gone(two.id)

    def test_a_peer_takes_what_the_scripted_server_says(self):
        server = self.fake()
        pid = os.fork()
        if pid == 0:
            client = server.accept()
            table = server.greet(client, own=5, vectors=2, others=(9,))
            fake.wait_rung(table[9][1])
            client.send(9)
            os._exit(0)
        peer = self.peer(server, 2)
        peer.wait_for(9, 2)
        peer.ring(9, 1)
        peer.wait_gone(9)
        os.waitpid(pid, 0)
        self.assertEqual((peer.id, peer.version, peer.peers), (5, 0, {}))

    def test_descriptors_are_told_apart(self):
        before = fds.count(os.getpid())
        opened = [fake.eventfd(), fake.memory(4096), *os.pipe()]
        more = fds.count(os.getpid()) - before
        self.assertEqual(dict(more), {"eventfd": 1, "memfd": 1, "pipe": 2})
        for fd in opened:
            os.close(fd)

    def test_a_program_that_says_nothing_is_waited_for_only_so_long(self):
        sleeper = self.process("sleep", "1000", said=False)
        with self.assertRaisesRegex(TooLate, "sleep said nothing"):
            sleeper.lines.line(0.05)


class Machines(Case):
    builds = ("10.0",)

    def machine(self):
        vm = Vm(self.program("qemu-system-arm"), self.board, folder=self.folder)
        self.addCleanup(vm.close)
        return vm.ready()

    def test_one_that_died_did_not_end_well(self):
        vm = self.machine()
        vm.process.end(signal.SIGABRT)
        self.assertIn("signal 6", vm.fault())

    def test_one_in_which_a_sanitizer_found_something_did_not_end_well(self):
        vm = self.machine()
        with open(vm.process.path, "a") as file:
            file.write("==1==ERROR: AddressSanitizer: heap-use-after-free\n")
        self.assertEqual(vm.quit(), 0)
        self.assertIn("heap-use-after-free", vm.fault())

    def test_one_that_quits_or_is_ended_by_the_test_ended_well(self):
        first, second = self.machine(), self.machine()
        self.assertEqual(first.quit(), 0)
        second.close()
        self.assertEqual((first.fault(), second.fault()), (None, None))


class Leaves(unittest.TestCase):
    timeout = 30

    def runTest(self):
        subprocess.Popen(["setsid", "sleep", "1000"])


class Hangs(unittest.TestCase):
    timeout = 0.2

    def runTest(self):
        subprocess.run(["setsid", "sleep", "1000"], check=False)


class Runner(unittest.TestCase):
    def outcome(self, test):
        running = runner.Running("name", test)
        count, active = runner.Runner(1), [running]
        outcomes = []
        count.report = lambda _, outcome: outcomes.append(outcome)
        while active:
            active = count.step(active)
        return outcomes[0]

    def test_what_a_test_leaves_running_is_a_failure(self):
        outcome = self.outcome(Leaves())
        self.assertEqual(outcome.word, "FAILED")
        self.assertIn("left running: ", outcome.text)

    def test_a_test_that_hangs_is_ended(self):
        outcome = self.outcome(Hangs())
        self.assertEqual(outcome.word, "FAILED")
        self.assertIn("too long", outcome.text)


def load_tests(loader, _tests, _pattern):
    """Not the two that are to fail."""
    return unittest.TestSuite(loader.loadTestsFromTestCase(case) for case in (WithoutQemu, Machines, Runner))
