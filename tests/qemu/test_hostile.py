# SPDX-License-Identifier: BSD-3-Clause
"""
A guest, a server and peers that do anything at all, under AddressSanitizer: for three seconds by the numbers that seed
1 gives, or with --long for a minute by others.  IVFLAT_QEMU_SEED=N repeats a run as far as its decisions go.
"""
import os
import random
import socket
import time

from guest import TESTS, Guest, GuestCase, firmware
from harness import fds
from harness.fake import count, eventfd, number
from harness.peer import Peer
from harness.wait import PATIENCE
from link_case import FRONT, IVPOSITION, LinkCase

SIZE = 1 << 16
VECTORS = 3
SECONDS, LONG_SECONDS = 3, 60


class Seeded:
    """How long, and by which numbers."""

    builds = ("asan",)
    timeout = 400

    def begin(self):
        unlike = int.from_bytes(os.urandom(4), "big") if self.long else 1
        self.seed = int(os.environ.get("IVFLAT_QEMU_SEED") or unlike)
        self.random = random.Random(self.seed)
        self.end = time.monotonic() + (LONG_SECONDS if self.long else SECONDS)
        print(f"{self.id()} on {self.board.name}: IVFLAT_QEMU_SEED={self.seed}", flush=True)

    def more(self):
        return time.monotonic() < self.end


class Things:
    """Descriptors of every kind, to be sent; a new one now and then, so that some are in use by nobody else."""

    def __init__(self, memory, choice):
        self.random, self.memory = choice, memory
        self.kinds = (self.ring, self.ring, self.ring, self.pipe_in, self.pipe_out, self.socket, self.file, self.folder,
                      self.mounts, self.blocking, self.full, self.shared, self.shared)
        self.kept = []

    def one(self):
        if len(self.kept) > 40:
            self.close()
        self.kept.append(self.random.choice(self.kinds)())
        return self.random.choice(self.kept)

    def some(self):
        return [self.one() for _ in range(self.random.choice((0, 0, 1, 1, 1, 1, 2, 5)))]

    @staticmethod
    def ring():
        return eventfd(1)

    @staticmethod
    def blocking():
        fd = eventfd()
        os.set_blocking(fd, True)
        return fd

    @staticmethod
    def full():
        fd = eventfd()
        os.write(fd, (2 ** 64 - 2).to_bytes(8, "little"))
        os.set_blocking(fd, True)
        return fd

    @staticmethod
    def pipe_in():
        end, other = os.pipe()
        os.close(other)
        return end

    @staticmethod
    def pipe_out():
        other, end = os.pipe()
        os.close(other)
        return end

    @staticmethod
    def socket():
        return socket.socket(socket.AF_UNIX, socket.SOCK_STREAM).detach()

    @staticmethod
    def file():
        return os.open("/proc/self/status", os.O_RDONLY)

    @staticmethod
    def folder():
        return os.open("/", os.O_RDONLY)

    @staticmethod
    def mounts():
        """A file that can be polled, as most cannot."""
        return os.open("/proc/self/mounts", os.O_RDONLY)

    def shared(self):
        return self.memory(self.random.choice((SIZE, SIZE, SIZE // 2, SIZE + 4096, 1, 0)))

    def close(self):
        for fd in self.kept:
            os.close(fd)
        self.kept = []


class Server(Seeded):
    """Random and half-right messages."""

    NUMBERS = (-1, -1, 0, 1, 2, 3, 5, 9, 65535, 65536, -2, 2 ** 32, 2 ** 63 - 1, -2 ** 63)

    def any_number(self):
        return self.random.choice((*self.NUMBERS, self.random.getrandbits(64) - 2 ** 63, self.random.randrange(65536)))

    def say(self, client, value, sent):
        """A message, whole or in pieces, and its descriptors with any of them."""
        data = number(value)
        if self.random.random() < 0.8:
            client.bytes(data, sent)
            return
        cut = self.random.randrange(1, 8)
        with_first = self.random.random() < 0.5
        client.bytes(data[:cut], sent if with_first else ())
        client.bytes(data[cut:], () if with_first else sent)

    def greet(self, client):
        """Mostly a right one."""
        greeting = [(0, []), (self.random.randrange(65536), []), (-1, [self.memory(self.fakes, SIZE)])]
        if self.random.random() < 0.4:
            greeting[self.random.randrange(3)] = (self.any_number(), self.things.some())
        for value, sent in greeting:
            self.say(client, value, sent)
        return greeting[1][0]

    def talk(self, client):
        own = self.greet(client)
        for _ in range(self.random.randrange(60)):
            kind = self.random.random()
            if kind < 0.5:
                self.say(client, self.random.randrange(8), [self.things.one()])
            elif kind < 0.7:
                self.say(client, own if -2 ** 63 <= own < 2 ** 63 else 0, [self.things.ring()])
            elif kind < 0.8:
                self.say(client, self.random.randrange(8), [])
            elif kind < 0.83:
                self.say(client, self.any_number(), self.things.some())
            elif kind < 0.84:
                client.bytes(bytes(self.random.getrandbits(8) for _ in range(self.random.randrange(1, 40))))
            else:
                self.act_as_guest()

    def act_as_guest(self):
        register, width = self.random.randrange(16), self.random.choice("bwlq")
        if self.random.random() < 0.3:
            self.read(self.machine, register, width)
        elif self.random.random() < 0.8:
            self.ring(self.machine, self.random.randrange(8), self.random.randrange(3))
        else:
            self.write(self.machine, register, self.random.getrandbits(8), width)

    def test_a_server_that_says_anything(self):
        self.begin()
        self.fakes = fake = self.fake()
        self.things = Things(self.sealed, self.random)
        self.addCleanup(self.things.close)
        self.machine = vm = self.vm(*self.joining(fake.path, reconnect=True, shmem_size=SIZE, vectors=8), qtest=True)
        fake.greet(fake.accept(), 5, 1, self.memory(fake, SIZE))
        self.until(vm, "messages", 4)
        before = fds.count(vm.pid)
        self.rounds = 0
        fake.clients.pop().close()
        while self.more():
            self.round(fake)
        self.well_again(vm, fake, before)

    def round(self, fake):
        client = fake.accept()
        try:
            self.talk(client)
        except OSError:
            pass  # it has had enough of us, as it should
        self.rounds += 1
        fake.clients.remove(client)
        client.close()
        self.sweep(fake)

    def sealed(self, size):
        fd = self.memory(self.fakes, size)
        self.fakes.made.remove(fd)
        return fd

    def sweep(self, fake):
        """What the fake server keeps for its end is needed no longer."""
        while fake.made:
            os.close(fake.made.pop())

    def well_again(self, vm, fake, before):
        """After all that a right server finds a device in order, with nothing left of the others."""
        client = fake.accept()
        # It came from the device that is done with the one before.
        messages = self.asked(vm, "messages")
        table = fake.greet(client, 4711, 1, self.memory(fake, SIZE), others=[9])
        self.until(vm, "messages", messages + 5)
        self.assertEqual(self.read(vm, IVPOSITION), 4711)
        self.ring(vm, 9)
        self.assertEqual(count(table[9][0]), 1)
        client.send(9)
        self.until(vm, "peers", 0)
        self.descriptors(vm, before)
        self.assertGreater(self.rounds, 5)


class ServerByPath(Server, LinkCase):
    way = "path"


class ServerByChardev(Server, LinkCase):
    way = "chardev"


class Machine(Seeded, GuestCase):
    """Code on the processor that accesses the registers at random, among peers that come, ring and go."""

    boards = ("lm3s6965evb", "virt")

    def test_a_guest_that_does_anything(self):
        # Ids come back at once, so that the guest finds those who visit.
        self.server_process = self.server(vectors=VECTORS, options=("--ids", "lowest"))
        self.peers = [self.peer(self.server_process, vectors=VECTORS) for _ in range(2)]
        self.guest = guest = self.start(self.server_process)
        self.heard = self.rung = 0
        self.begin()
        self.round()
        while self.more():
            self.round()
        self.add_up()
        guest.does("registers", guest.id, 0)

    def start(self, server):
        vm = self.vm(*self.device(path=server.path, id="front"), kernel=firmware(self.board, TESTS, "tests"))
        return Guest(vm, int(vm.serial.until(r"^id (\d+)$")[1]))

    def round(self):
        """The guest is at it while somebody comes, all ring it, and somebody goes."""
        self.guest.type("random", self.random.getrandbits(31), 20000)
        visitor = Peer(self.server_process.path, VECTORS)
        try:
            for peer in (*self.peers, visitor):
                peer.wait_for(self.guest.id, VECTORS)
                peer.ring(self.guest.id, self.random.randrange(VECTORS))
                self.rung += 1
            self.guest.says("random: ok")
            self.leave(visitor)
        finally:
            visitor.close()

    def leave(self, visitor):
        """When the machine has heard of it nobody rings the visitor any more."""
        visitor.connection.close()
        for peer in self.peers:
            peer.wait_for(visitor.id, VECTORS)
            peer.wait_gone(visitor.id)
        while self.asked("peers") != len(self.peers):
            self.assertLess(time.monotonic(), self.end + PATIENCE)
        self.heard += sum(map(count, visitor.vectors))

    def add_up(self):
        """Each ring that was sent has come, to a peer or to the guest itself."""
        self.heard += sum(count(fd) for peer in self.peers for fd in peer.vectors)
        expected = self.asked("rings-sent") - self.heard + self.rung
        # What the guest rang itself may be under way.
        while self.asked("rings-received") != expected:
            self.assertLess(time.monotonic(), self.end + PATIENCE)
        self.assertGreater(self.heard, 0)
        self.assertGreater(expected, self.rung)
        self.assertGreater(self.asked("bad-accesses"), 0)
        self.assertGreater(self.asked("rings-ignored"), 0)

    def asked(self, name):
        return self.guest.vm.get(FRONT, name)
