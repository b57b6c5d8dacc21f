# SPDX-License-Identifier: BSD-3-Clause
"""Under KVM: doorbells go from the guest to the peer without QEMU, up to a bound; what KVM cannot take goes as ever."""
import mmap
import os
import struct
from pathlib import Path

from guest import made
from harness.boards import Board
from harness.case import Case
from harness.fake import eventfd, memory
from harness.vm import Vm
from harness.wait import Deadline, TooLate, readable

SOURCE = Path(__file__).resolve().parent / "firmware" / "x86" / "doorbells.S"
IMAGE = ["gcc", "-m32", "-nostdlib", "-static", "-Wl,-Ttext=0,--oformat=binary,-m,elf_i386,--build-id=none"]

# A PC without PCI; addresses as in doorbells.S.
PC = Board("microvm,x-option-roms=off", registers=0xc0000000, memory=0xc0100000,
           irq="/machine/ioapic/unnamed-gpio-in[10]", controller="ioapic")
FRONT = "/machine/peripheral/front"

# What the binding gives to KVM at most.
BOUND = 256


class Kvm(Case):
    builds = ("kvm",)

    def setUp(self):
        if not os.access("/dev/kvm", os.R_OK | os.W_OK):
            self.skipTest("/dev/kvm is not there, or not for us")
        super().setUp()

    def start(self, *args):
        image = made("doorbells.bin", IMAGE, [SOURCE])
        vm = Vm(self.program("qemu-system-x86_64"), PC, ["-accel", "kvm", "-bios", str(image), *args],
                self.folder, self.new_name("vm"))
        self.addCleanup(self.end_vm, vm)
        return vm

    def pc(self, server):
        """A PC with the device, which runs the guest."""
        vm = self.start(*self.device(PC, path=server.path, id="front"))
        vm.qmp("cont")
        return vm

    def ring(self, shared, peer, vector, times=1):
        """Has the guest ring, by way of the shared memory, and waits until it has."""
        struct.pack_into("<II", shared, 4, peer << 16 | vector, times)
        struct.pack_into("<I", shared, 0, 1)
        deadline = Deadline()
        while struct.unpack_from("<I", shared, 0)[0]:
            if not deadline.left():
                raise TooLate("the guest does not do what it is told")
            os.sched_yield()

    def heard(self, vm, messages):
        """Waits until the device has so many messages."""
        deadline = Deadline()
        while vm.get(FRONT, "messages") < messages:
            if not deadline.left():
                raise TooLate(f"{vm.get(FRONT, 'messages')} of {messages} messages")

    def test_a_doorbell_does_not_pass_through_qemu(self):
        server = self.server(vectors=2)
        peer = self.peer(server, vectors=2)
        vm = self.pc(server)
        self.heard(vm, 3 + 2 + 2)
        self.ring(peer.memory, peer.id, 1, times=1000)
        self.assertEqual(peer.rung(1), 1000)
        self.assertEqual(vm.get(FRONT, "rings-sent"), 0)
        self.assertFalse(peer.is_rung(0))

    def test_beyond_the_bound_it_does(self):
        server = self.server(vectors=64)
        peers = [self.peer(server, vectors=64) for _ in range(BOUND // 64 + 1)]
        vm = self.pc(server)
        self.heard(vm, 3 + 64 * (len(peers) + 1))
        self.ring(peers[0].memory, peers[0].id, 63)
        self.assertEqual(peers[0].rung(63), 1)
        self.assertEqual(vm.get(FRONT, "rings-sent"), 0)
        self.ring(peers[0].memory, peers[-1].id, 63)
        self.assertEqual(peers[-1].rung(63), 1)
        self.assertEqual(vm.get(FRONT, "rings-sent"), 1)

    def test_room_that_is_given_back_is_used_again(self):
        server = self.server(vectors=64)
        peers = [self.peer(server, vectors=64) for _ in range(BOUND // 64)]
        vm = self.pc(server)
        messages = 3 + 64 * (len(peers) + 1)
        self.heard(vm, messages)
        peers.pop(0).close()
        self.heard(vm, messages + 1)
        newcomer = self.peer(server, vectors=64)
        self.heard(vm, messages + 1 + 64)
        self.ring(newcomer.memory, newcomer.id, 63, times=3)
        self.assertEqual(newcomer.rung(63), 3)
        self.assertEqual(vm.get(FRONT, "rings-sent"), 0)

    def test_a_peer_that_left_is_not_rung(self):
        server = self.server()
        gone, peer = self.peer(server), self.peer(server)
        vm = self.pc(server)
        self.heard(vm, 3 + 3)
        kept = os.dup(gone.vectors[0])
        number = gone.id
        gone.close()
        self.heard(vm, 3 + 3 + 1)
        self.ring(peer.memory, number, 0)
        self.assertFalse(readable(kept, 0))
        self.assertEqual(vm.get(FRONT, "rings-ignored"), 1)
        os.close(kept)

    def test_a_pipe_is_not_for_kvm(self):
        fake = self.fake()
        vm = self.start(*self.device(PC, path=fake.path, id="front"))
        client = fake.accept()
        shared, pipe, vector = memory(), os.pipe(), eventfd()
        client.send(0)
        client.send(3)
        client.send(-1, shared)
        client.send(7, pipe[1])
        client.send(7, vector)
        vm.qmp("cont")
        self.heard(vm, 5)
        view = self.mapped(shared)
        self.ring(view, 7, 0)
        self.assertEqual(os.read(pipe[0], 16), struct.pack("=Q", 1))
        self.assertEqual(vm.get(FRONT, "rings-sent"), 1)
        self.ring(view, 7, 1, times=2)
        self.assertTrue(readable(vector, 0))
        self.assertEqual(vm.get(FRONT, "rings-sent"), 1)
        for fd in [shared, *pipe, vector]:
            os.close(fd)

    def mapped(self, fd):
        view = mmap.mmap(fd, os.fstat(fd).st_size)
        self.addCleanup(view.close)
        return view
