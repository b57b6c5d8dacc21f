# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of examples/kvm derive from: servers, machines and peers, each ended, all descriptors counted."""
import os
import re
import sys
import tempfile
import unittest
from pathlib import Path

sys.dont_write_bytecode = True
HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "qemu"), str(HERE)]

# The paths come first.
from harness.peer import Peer  # noqa: E402
from harness.process import Process  # noqa: E402
from harness.server import Server  # noqa: E402
from worker import Worker  # noqa: E402

SKIPPED = 77
EXITS = re.compile(r"came out of the guest: (\d+) doorbells, (\d+) other registers, (\d+) for the console, (\d+) for "
                   r"nothing; bound: (\d+) doorbells, (\d+) interrupts")


class Exits:
    """What the emulator says at its end."""

    def __init__(self, text):
        numbers = map(int, EXITS.search(text).groups())
        self.doorbells, self.registers, self.console, self.nothing, self.bound, self.interrupts = numbers


class Machine:
    """An emulator that runs, and its guest.  @lines: what it says."""

    def __init__(self, build, socket, *options, image="tests/kvm/worker.bin", env=None, verbose=True):
        words = [*(["--verbose"] if verbose else []), *options, socket, build / image]
        self.process = Process([build / "examples/kvm/ivflat-kvm", *words], env=env)
        self.lines = self.process.lines

    @property
    def pid(self):
        return self.process.pid

    def linked(self):
        """Waits for the link: its id."""
        return int(self.lines.until(r"linked as peer (\d+)$")[1])

    def ready(self):
        """Waits until the worker can be ordered: its id.  What rings it before is lost, its interrupts being off."""
        return int(self.lines.until(r"^id (\d+)$")[1])

    def knows(self, number, vectors=2):
        """Waits until it has heard of so many vectors of that peer, or with 0 that it left."""
        self.lines.until(rf"peer {number}: {vectors} vectors$")

    def end(self):
        """Ends it as a user does; what the guest came out for."""
        status = self.process.end()
        text = self.lines.rest()
        assert status == 0, f"{status}: {text}"
        return Exits(text)

    def close(self):
        self.process.close()


class Case(unittest.TestCase):
    build = None  # Meson's folder, from the command line

    def setUp(self):
        self.fds = len(os.listdir("/proc/self/fd"))
        self.addCleanup(self.count_fds)
        folder = tempfile.TemporaryDirectory(prefix="ivflat-kvm-")
        self.addCleanup(folder.cleanup)
        self.folder, self.servers = Path(folder.name), 0

    def count_fds(self):
        self.assertEqual(len(os.listdir("/proc/self/fd")), self.fds, "descriptors of the test itself")

    def server(self, vectors=2, size="1M", name=None, options=()):
        self.servers += 1
        path = self.folder / (name or f"server{self.servers}")
        server = Server(self.build / "libivflat/tools/ivflat-server", str(path), vectors, size, options)
        self.addCleanup(server.close)
        return server

    def peer(self, server, vectors=2):
        peer = Peer(server.path, vectors)
        self.addCleanup(peer.close)
        return peer

    def machine(self, server, *options, **words):
        machine = Machine(self.build, server.path, *options, **words)
        self.addCleanup(machine.close)
        return machine

    def preloaded(self, **words):
        """The environment in which KVM answers as without.c says."""
        names = {name: str(value) for name, value in words.items()}
        without = str(self.build / "tests/kvm/without.so")
        return {"LD_PRELOAD": without, "ASAN_OPTIONS": "verify_asan_link_order=0", **names}

    def worker(self, machine, host, vectors=2):
        """The machine's guest, which has heard of @host."""
        worker = Worker(host, machine.ready())
        host.wait_for(worker.id, vectors)
        worker.wake()
        return worker

    def refused(self, *words, status, env=None, before=()):
        """What an emulator says that has to end at once."""
        process = Process([*before, self.build / "examples/kvm/ivflat-kvm", *words], env=env)
        self.addCleanup(process.close)
        text = process.lines.rest().strip()
        self.assertEqual(process.wait(), status, text)
        return text


def main():
    """usage: test_NAME.py BUILD [WORDS OF UNITTEST...]"""
    if len(sys.argv) < 2:
        sys.exit(main.__doc__)
    if not os.access("/dev/kvm", os.R_OK | os.W_OK):
        print("skipped: /dev/kvm is not there, or not for us")
        sys.exit(SKIPPED)
    Case.build = Path(sys.argv.pop(1)).resolve()
    unittest.main(module="__main__", verbosity=2)
