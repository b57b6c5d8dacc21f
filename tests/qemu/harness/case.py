# SPDX-License-Identifier: BSD-3-Clause
"""What test classes derive from: run for each build and board that they name, with everything they start ended."""
import os
import tempfile
import unittest

from harness.boards import BOARDS
from harness.fake import FakeServer
from harness.peer import Peer
from harness.process import Process
from harness.server import Server, StockServer
from harness.vm import Vm


class Case(unittest.TestCase):
    """
    Class attributes that a test sets:

    builds   which QEMUs it runs on: "7.2", "10.0", "asan" (10.0 with sanitizers, and QEMU's own ivshmem-flat in it)
    boards   which of boards.py
    timeout  seconds until it is killed
    alone    nothing else runs beside it: what measures time

    Each pair of build and board is a test of its own, with self.build and self.board set.
    """

    builds = ("7.2", "10.0")
    boards = ("lm3s6965evb",)
    timeout = 120
    alone = False

    # What the command line sets: the folder of each build's programs, and of the library's; whether there is time.
    programs = {}
    builds_made = {}
    library = None
    long = False
    build = None
    board = None

    def setUp(self):
        # The runner removes it with all else of this test.  What runs as nobody has to reach what it is given there.
        self.folder = tempfile.mkdtemp(prefix="case-")
        os.chmod(self.folder, 0o755)
        self.started = 0

    def path(self, name):
        """A path in this test's own folder."""
        return os.path.join(self.folder, name)

    def new_name(self, kind):
        self.started += 1
        return f"{kind}{self.started}"

    def program(self, name, build=None):
        """A built program: qemu-system-arm, or contrib/ivshmem-server/ivshmem-server."""
        return os.path.join(self.programs[build or self.build], name)

    # What a test starts.

    def server(self, vectors=1, size="4M", name="server", options=()):
        server = Server(os.path.join(self.library, "ivflat-server"), self.path(name), vectors, size, options)
        self.addCleanup(server.close)
        return server

    def stock_server(self, vectors=1, size="4M", name="stock"):
        server = StockServer(self.program("contrib/ivshmem-server/ivshmem-server"), self.path(name), self.folder,
                             vectors, size)
        self.addCleanup(server.close)
        return server

    def fake(self, name="fake"):
        fake = FakeServer(self.path(name))
        self.addCleanup(fake.close)
        return fake

    def peer(self, server, vectors=1):
        peer = Peer(server.path, vectors)
        self.addCleanup(peer.close)
        return peer

    def process(self, *argv, said=True, **options):
        process = Process(argv, said=self.path(self.new_name("process")) if said else None, **options)
        self.addCleanup(process.close)
        return process

    def vm(self, *args, build=None, board=None, **options):
        """A machine; at the test's end it quits as a user makes it quit, and has to do so without a fault."""
        chosen = BOARDS[board] if isinstance(board, str) else board or self.board
        vm = Vm(self.program("qemu-system-arm", build), chosen, args, self.folder, self.new_name("vm"), **options)
        self.addCleanup(self.end_vm, vm)
        return vm

    def end_vm(self, vm):
        try:
            if vm.process.running():
                self.assertEqual(vm.quit(), 0, vm.said())
        finally:
            vm.close()
            if vm.fault():
                self.fail(vm.fault())

    def device(self, board=None, **properties):
        """The words -device ivflat,... for a board; properties named with _ for -, None leaves one out."""
        board = board or self.board
        given = {"registers": hex(board.registers), "memory": hex(board.memory), "irq": board.irq, **properties}
        words = [f"{key.replace('_', '-')}={value}" for key, value in given.items() if value is not None]
        return ["-device", ",".join(["ivflat", *words])]

    def refused(self, *args, status=1, **options):
        """What a QEMU says that has to refuse @args: it ends by itself, with 1."""
        vm = self.vm(*args, **options)
        self.assertEqual(vm.wait(), status, vm.said())
        return vm.said()
