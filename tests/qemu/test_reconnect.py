# SPDX-License-Identifier: BSD-3-Clause
"""A server that comes late, goes, and comes back: what the guest has mapped keeps its address, and nothing is left."""
import os
import re
import signal

from harness import fds
from harness.fake import count, eventfd, number
from link_case import FRONT, IVPOSITION, LinkCase, consumed

SIZE = 4 << 20
OWN, OTHER = 5, 9
LAST = SIZE - 4


class Reconnect:
    """With either way's own option."""

    def machine(self, path, **more):
        return self.vm(*self.joining(path, reconnect=True, **more), qtest=True)

    def words(self, vm):
        """The first and the last word of the guest's memory."""
        return [vm.qtest.readl(self.board.memory + offset) for offset in (0, LAST)]

    def set_words(self, vm, value):
        for offset in (0, LAST):
            vm.qtest.writel(self.board.memory + offset, value)

    @staticmethod
    def seen(peer):
        """The same words, by a peer."""
        return [int.from_bytes(peer.memory[offset:offset + 4], "little") for offset in (0, LAST)]

    def test_a_server_that_comes_late(self):
        path = self.path("server")
        vm = self.machine(path)
        self.assertEqual(self.asked(vm, "link"), "down")
        self.assertEqual(self.words(vm), [0, 0])
        self.set_words(vm, 1)
        self.assertEqual(self.words(vm), [1, 1])
        server = self.server(vectors=2)
        self.until(vm, "link", "ready")
        # The server's memory, and not what the guest wrote before.
        self.assertEqual(self.words(vm), [0, 0])
        peer = self.peer(server, vectors=2)
        self.set_words(vm, 2)
        self.assertEqual(self.seen(peer), [2, 2])
        self.until(vm, "peers", 1)
        self.ring(vm, peer.id, 1)
        self.assertEqual(peer.rung(1), 1)

    def test_a_server_that_is_killed_and_started_again(self):
        server = self.server(vectors=2)
        old = self.peer(server, vectors=2)
        vm = self.machine(server.path)
        self.until(vm, "peers", 1)
        self.set_words(vm, 3)
        server.process.kill(signal.SIGKILL)
        self.until(vm, "link", "down")
        # What was there stays: memory, peers and doorbells, both ways.
        self.set_words(vm, 4)
        self.assertEqual(self.seen(old), [4, 4])
        self.ring(vm, old.id, 1)
        self.assertEqual(old.rung(1), 1)
        again = self.server(vectors=2)
        self.until(vm, "link", "ready")
        self.assertEqual(self.words(vm), [0, 0])
        self.set_words(vm, 5)
        new = self.peer(again, vectors=2)
        self.assertEqual(self.seen(new), [5, 5])
        self.assertEqual(self.seen(old), [4, 4])
        self.until(vm, "peers", 1)
        self.ring(vm, new.id)
        self.assertEqual(new.rung(0), 1)
        self.assertFalse(old.is_rung(0))
        self.assertEqual(self.asked(vm, "link-losses"), 1)

    def test_another_id_and_other_peers(self):
        fake = self.fake()
        vm, client, old = self.joined(fake, OWN, each=2, others=[OTHER], reconnect=True)
        self.listen(vm)
        client.close()
        client = fake.accept()
        # Until it is greeted, everything is as it was.
        client.send(0)
        client.send(77)
        consumed(client)
        self.assertEqual(self.read(vm, IVPOSITION), OWN)
        self.ring(vm, OTHER, 1)
        self.assertEqual(count(old[OTHER][1]), 1)
        client.send(-1, self.memory(fake))
        self.until(vm, "own-id", 77)
        self.assertEqual(self.read(vm, IVPOSITION), 77)
        self.assertEqual(self.asked(vm, "peers"), 0)
        # The old ones are forgotten.
        self.ring(vm, OTHER, 1)
        os.write(old[OWN][0], number(1))
        new = fake.join(client, 77, 1)
        os.write(new[0], number(1))
        self.pulses(vm)
        self.quiet(vm)
        self.untouched(*old[OTHER])
        self.idle(vm)

    def test_memory_that_comes_again_is_advised_of_like_the_first(self):
        """As all of a guest's memory is; what is mapped over it has to be told again."""
        fake = self.fake()
        vm, client, _ = self.joined(fake, OWN, reconnect=True, extra=["-machine", "dump-guest-core=off"])
        first = self.kept(vm)
        self.assertLessEqual({"dd"}, first)
        client.close()
        fake.greet(fake.accept(), 6, 1, self.memory(fake))
        self.until(vm, "own-id", 6)
        self.assertEqual(self.kept(vm), first)

    @staticmethod
    def kept(vm):
        """The kernel's two-letter flags of the server's memory."""
        with open(f"/proc/{vm.pid}/smaps") as file:
            ours = re.search(r"/memfd:tests .*?^VmFlags: ([^\n]*)", file.read(), re.MULTILINE | re.DOTALL)
        return set(ours[1].split())

    def test_half_a_message_is_forgotten(self):
        fake = self.fake()
        vm, client, _ = self.joined(fake, OWN, reconnect=True)
        client.bytes(number(OTHER)[:5])
        consumed(client)
        client.close()
        fake.greet(fake.accept(), 6, 1, self.memory(fake))
        self.until(vm, "own-id", 6)

    def test_a_greeting_that_fails_changes_nothing_and_is_tried_again(self):
        fake = self.fake()
        vm, client, table = self.joined(fake, OWN, others=[OTHER], reconnect=True)
        before = fds.count(vm.pid)
        client.close()
        client = fake.accept()
        client.send(1)
        client.expect_gone()
        client = fake.accept()
        client.send(0)
        client.send(65536)
        client.expect_gone()
        self.assertEqual(self.read(vm, IVPOSITION), OWN)
        self.ring(vm, OTHER)
        self.assertEqual(count(table[OTHER][0]), 1)
        fake.greet(fake.accept(), 6, 1, self.memory(fake), others=[OTHER])
        self.until(vm, "messages", 5 + 1 + 2 + 5)
        self.assertEqual(self.read(vm, IVPOSITION), 6)
        self.descriptors(vm, before)

    def test_one_reason_again_and_again_is_told_once(self):
        fake = self.fake()
        vm, client, _ = self.joined(fake, OWN, reconnect=True)
        client.close()
        for _ in range(3):
            client = fake.accept()
            client.send(1)
            client.expect_gone()
        fake.accept()
        self.until(vm, "link", "greeting")
        self.assertEqual(vm.said().count("version 1"), 1, vm.said())

    def test_memory_of_another_size_is_refused_with_both_sizes(self):
        fake = self.fake()
        vm, client, _ = self.joined(fake, OWN, reconnect=True)
        self.set_words(vm, 7)
        client.close()
        client = fake.accept()
        client.send(0)
        client.send(6)
        client.send(-1, self.memory(fake, 1 << 20))
        client.expect_gone()
        fake.accept()
        self.assertEqual(self.words(vm), [7, 7])
        self.assertEqual(self.read(vm, IVPOSITION), OWN)
        self.assertRegex(vm.said(), r"1048576.*4194304|4194304.*1048576")

    def test_a_server_that_comes_late_with_another_size_is_told_of(self):
        """That nobody was there before is no reason to be silent now."""
        fake = self.fake("server")
        fake.close()
        os.unlink(fake.path)
        vm = self.machine(fake.path)
        self.assertEqual(self.asked(vm, "link"), "down")
        fake = self.fake("server")
        for _ in range(2):
            client = fake.accept()
            client.send(0)
            client.send(6)
            client.send(-1, self.memory(fake, 1 << 20))
            client.expect_gone()
        self.assertRegex(vm.said(), r"1048576.*4194304|4194304.*1048576")

    def test_a_server_that_is_silent_when_it_comes_back(self):
        """The time is up after connect-timeout-ms here too; then the next is tried."""
        fake = self.fake()
        vm, client, _ = self.joined(fake, OWN, reconnect=True, connect_timeout_ms=150)
        client.close()
        client = fake.accept()
        client.send(0)
        client.expect_gone()
        self.assertEqual(self.read(vm, IVPOSITION), OWN)
        fake.greet(fake.accept(), 6, 1, self.memory(fake))
        self.until(vm, "own-id", 6)

    def test_many_servers_leave_no_descriptor(self):
        fake = self.fake()
        vm, client, _ = self.joined(fake, OWN, each=3, others=[OTHER], reconnect=True)
        before, messages = fds.count(vm.pid), 9
        for own in range(3 if self.way == "chardev" and self.build == "7.2" else 10):
            client.close()
            client = fake.accept()
            fake.greet(client, own, 3, self.memory(fake), others=[OTHER])
            messages += 9
            self.until(vm, "messages", messages)
            self.assertEqual(self.asked(vm, "own-id"), own)
        self.descriptors(vm, before)

    def test_a_reset_while_the_server_is_gone(self):
        """Of revision 0: the registers are 0, and the link comes back all the same."""
        fake = self.fake()
        vm, client, table = self.joined(fake, OWN, reconnect=True, revision=0)
        self.write(vm, 0, 1)
        os.write(table[OWN][0], number(1))
        self.until(vm, "rings-received", 1)
        client.close()
        self.until(vm, "link", "down")
        vm.qmp("system_reset")
        vm.event("RESET")
        self.assertEqual([self.read(vm, register) for register in (0, 4, IVPOSITION)], [0, 0, OWN])
        fake.greet(fake.accept(), 6, 1, self.memory(fake))
        self.until(vm, "own-id", 6)

    def test_unrealized_in_the_middle_of_a_greeting(self):
        fake = self.fake()
        vm, client, _ = self.joined(fake, OWN, reconnect=True)
        client.close()
        client = fake.accept()
        client.send(0)
        self.until(vm, "messages", 5)
        vm.qmp("qom-set", path=FRONT, property="realized", value=False)
        client.expect_gone()


class ReconnectByPath(Reconnect, LinkCase):
    way = "path"

    def test_the_size_of_the_first_server_stays(self):
        """shmem-size=0 is what the first one has; a chardev that reconnects is not connected by then."""
        fake = self.fake()
        vm = self.machine(fake.path, shmem_size=0)
        client = fake.accept()
        fake.greet(client, OWN, 1, self.memory(fake, 12288))
        self.until(vm, "messages", 4)
        self.assertEqual(self.asked(vm, "memory-size"), 12288)
        vm.qtest.writel(self.board.memory + 12284, 8)
        client.close()
        client = fake.accept()
        client.send(0)
        client.send(6)
        client.send(-1, self.memory(fake, 8192))
        client.expect_gone()
        fake.greet(fake.accept(), 6, 1, self.memory(fake, 12288))
        self.until(vm, "own-id", 6)
        self.assertEqual(vm.qtest.readl(self.board.memory + 12284), 0)

    def test_without_it_nobody_comes_back(self):
        fake = self.fake()
        vm, client, _ = self.joined(fake, OWN)
        client.close()
        self.until(vm, "link", "down")
        self.assertEqual(self.asked(vm, "link-losses"), 1)
        self.assertRegex(self.complaint(vm), "server closed the link after message 4")


class ReconnectByChardev(Reconnect, LinkCase):
    way = "chardev"


class Memory(LinkCase):
    """Of which size, and where."""

    def test_the_servers_size(self):
        for way in ("path", "chardev"):
            for size in (4096, 12288, 1 << 20, 16 << 20):
                with self.subTest(way=way, size=size):
                    self.way = way
                    self.setUp()
                    fake = self.fake()
                    vm = self.vm(*self.joining(fake.path, shmem_size=0), qtest=True)
                    fake.greet(fake.accept(), OWN, 1, self.memory(fake, size))
                    self.until(vm, "messages", 4)
                    self.assertEqual(self.asked(vm, "memory-size"), size)
                    mapped = f"{self.board.memory:016x}-{self.board.memory + size - 1:016x} .*ivflat-memory"
                    self.assertRegex(vm.hmp("info mtree"), mapped)

    def test_a_servers_size_that_no_page_ends_with(self):
        for way in ("path", "chardev"):
            with self.subTest(way=way):
                self.way = way
                self.setUp()
                fake = self.fake()
                vm = self.vm(*self.joining(fake.path, shmem_size=0))
                client = fake.accept()
                client.send(0)
                client.send(OWN)
                client.send(-1, self.memory(fake, 5000))
                self.assertEqual(vm.wait(), 1)
                self.assertRegex(vm.said(), r"5000: not a multiple of .* page")

    def test_memory_of_more_than_4_gib(self):
        """Where there is room for it; only what is touched is there."""
        board = self.board._replace(name="virt", registers=0x0b000000, memory=1 << 33, irq=180)
        size = (4 << 30) + 4096
        fake = self.fake()
        vm = self.vm(*self.device(board, path=fake.path, id="front", shmem_size=size), board=board, qtest=True)
        memory = self.memory(fake, size)
        fake.greet(fake.accept(), OWN, 1, memory)
        self.until(vm, "messages", 4)
        for offset in (0, 1 << 32, size - 4):
            vm.qtest.writel(board.memory + offset, offset // 4096 + 1)
            self.assertEqual(os.pread(memory, 4, offset), (offset // 4096 + 1).to_bytes(4, "little"))

    def test_vectors_that_are_pipes(self):
        """Not only eventfds can be rung."""
        fake = self.fake()
        vm, client, _ = self.joined(fake, OWN)
        self.listen(vm)
        theirs, ours = os.pipe()
        fake.made += [theirs, ours]
        client.send(OTHER, ours)
        self.until(vm, "peers", 1)
        self.ring(vm, OTHER)
        self.assertEqual(os.read(theirs, 64), number(1))
        inside, outside = os.pipe()
        fake.made += [inside, outside]
        client.send(OWN, inside)
        self.until(vm, "messages", 6)
        os.write(outside, number(1))
        self.pulses(vm)

    def test_a_vector_that_cannot_be_rung_blocks_nobody(self):
        """Its counter is full, and whoever else holds it has made it blocking."""
        fake = self.fake()
        vm, client, _ = self.joined(fake, OWN)
        full = eventfd()
        fake.made.append(full)
        client.send(OTHER, full)
        self.until(vm, "peers", 1)
        os.set_blocking(full, True)
        os.write(full, (2 ** 64 - 2).to_bytes(8, "little"))
        for _ in range(3):
            self.ring(vm, OTHER)
        self.alive(vm, OWN)
