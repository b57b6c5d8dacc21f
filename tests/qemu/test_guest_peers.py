# SPDX-License-Identifier: BSD-3-Clause
"""A machine with everybody else who speaks ivshmem: servers, peers and clients, ours and QEMU's."""
import os
import struct

from guest import GREETING, GuestCase
from harness.wait import Deadline
from pci_peer import PciPeer, missing

SIZE = 4 << 20
VECTORS = 4

# Of the firmware's lines from the board's own on: whatever a test uses has to be nobody else's on each board.
LINES = (0, 1, 3, 4)


class Servers(GuestCase):
    def check(self, server):
        """Registers, memory, interrupt, rings of a machine that is the second to join @server."""
        peer = self.peer(server, vectors=VECTORS)
        guest = self.guest(server, hears=2 * VECTORS)
        self.assertEqual((peer.id, guest.id), (0, 1))
        guest.does("registers", 1, 0)
        self.assertEqual(peer.rung(2), 1)
        guest.does("widths", SIZE)
        guest.does("fill", SIZE, 1)
        guest.does("interrupts", 1, 10, VECTORS)
        self.exchange(guest, peer)

    def exchange(self, guest, peer):
        """Words and rings, both ways; all vectors come by the one line."""
        peer.wait_for(guest.id, VECTORS)
        guest.type("echo", peer.id, VECTORS, 1)
        guest.says("echo: ready")
        for vector in range(VECTORS):
            struct.pack_into("<I", peer.memory, 0, 0x1000 + vector)
            peer.ring(guest.id, vector)
            self.assertEqual(peer.rung(0), 1)
            self.assertEqual(struct.unpack_from("<I", peer.memory, 4)[0], 0xffffffff ^ 0x1000 + vector)
        self.assertRegex(guest.serial.line(), rf"^lines {10 + VECTORS} 0")

    def test_our_server(self):
        self.check(self.server(vectors=VECTORS))

    def test_qemus_own_server(self):
        self.check(self.stock_server(vectors=VECTORS))

    def test_qemus_own_server_and_two_machines_that_hear_of_each_other_late(self):
        server = self.stock_server()
        first = self.guest(server)
        second = self.guest(server)
        first.type("stream", 0, 1, 1000, 1)
        second.type("stream", 1, 0, 1000, 1)
        for guest in (first, second):
            guest.until(r"^sent 1000, received 1000, bad 0, broken 0,")

    def test_a_server_that_is_gone_takes_nothing_from_those_who_know_each_other(self):
        server = self.server(vectors=VECTORS)
        peer = self.peer(server, vectors=VECTORS)
        guest = self.guest(server, hears=2 * VECTORS)
        guest.does("interrupts", 1, 10, VECTORS)
        peer.wait_for(guest.id, VECTORS)
        server.end()
        self.exchange(guest, peer)


class Lines(GuestCase):
    def test_each_vector_raises_the_line_that_it_was_given(self):
        server = self.server(vectors=8)
        peer = self.peer(server, vectors=8)
        irq = self.board.irq
        guest = self.guest(server, hears=16, irq=None, irqs=f"{irq}-{irq + 1}:{irq + 3}:{irq + 4}")
        peer.wait_for(guest.id, 8)
        guest.type("echo", peer.id, 9, sum(1 << line for line in LINES))
        guest.says("echo: ready")
        for vector in (3, 2, 1, 0, 0, 1, 3, 3, 3):
            peer.ring(guest.id, vector)
            self.assertEqual(peer.rung(LINES[vector]), 1)
        self.assertRegex(guest.serial.line(), r"^lines 2 2 0 1 4\b")


class Peers(GuestCase):
    """The machine answers by a ring of vector 0, and by the inverse of the memory's first word in its second."""

    def type(self, program, line):
        program.child.stdin.write(line.encode() + b"\n")
        program.child.stdin.flush()

    def test_our_client(self):
        server = self.server(vectors=2)
        guest = self.guest(server, hears=2)
        guest.type("echo", 1, 2, 1)
        guest.says("echo: ready")
        client = self.process(os.path.join(self.library, "ivflat-client"), "-j", "-S", server.path, said=False)
        guest.hears(GREETING + 4)
        self.type(client, "write 0 ping")
        for vector in (0, 1):
            self.type(client, f"ring 0 {vector}")
            client.lines.until('"event":"interrupt","vector":0,"count":1')
        self.type(client, "read 0 8")
        client.lines.until((b"ping" + bytes(0xff - byte for byte in b"ping")).hex())
        self.assertRegex(guest.serial.line(), "^lines 2 ")

    def test_qemus_own_client(self):
        server = self.server(vectors=2)
        # stdbuf: else it keeps what it says until it is asked something.
        program = self.program("contrib/ivshmem-client/ivshmem-client")
        client = self.process("stdbuf", "-oL", program, "-v", "-S", server.path, said=False)
        client.lines.until("our_id=0")
        guest = self.guest(server, hears=4)
        guest.type("echo", 0, 2, 1)
        guest.says("echo: ready")
        client.lines.until("new vector 1 .* for peer id 1")
        for vector in (0, 1):
            self.type(client, f"int 1 {vector}")
            client.lines.until("receive notification from peer_id=0 vector=0")
        self.assertRegex(guest.serial.line(), "^lines 2 ")

    def test_qemus_own_device_on_pci(self):
        if missing():
            self.skipTest(missing())
        server = self.server(vectors=VECTORS)
        peer = PciPeer(server.path, VECTORS, self.path("pci"))
        self.addCleanup(peer.close)
        self.assertEqual(peer.id, 0)
        guest = self.guest(server, hears=2 * VECTORS)
        guest.type("echo", 0, VECTORS, 1)
        guest.says("echo: ready")
        self.meet(server, peer)
        for vector in range(VECTORS):
            peer.store(0, 0x2000 + vector)
            peer.ring(guest.id, vector)
            self.assertEqual(peer.wait_heard(), [0])
            self.assertEqual(peer.load(4), 0xffffffff ^ 0x2000 + vector)
        self.assertRegex(guest.serial.line(), rf"^lines {VECTORS} ")
        guest.does("widths", SIZE)
        self.assertEqual(peer.load(SIZE - 4), 0x89abcdef)
        guest.does("registers", 1, 0)
        self.assertEqual(peer.wait_heard(), [2])

    def meet(self, server, peer):
        """Until the PC has heard of the machine: it hears of a third later, and rings that."""
        third = self.peer(server, vectors=VECTORS)
        deadline = Deadline()
        while not third.is_rung(VECTORS - 1):
            self.assertTrue(deadline.left())
            peer.ring(third.id, VECTORS - 1)
