# SPDX-License-Identifier: BSD-3-Clause
"""What QEMU's own flat device was seen to do wrong: a test each, by name, with either way to the server."""
import os
import resource
from collections import Counter

from harness import fds
from harness.fake import count, number
from link_case import DOORBELL, FRONT, INTRMASK, INTRSTATUS, IVPOSITION, LinkCase, consumed

OWN, OTHER = 5, 9

# A greeting that is cut after so many bytes: at each message's end, and in the middle of each.
CUTS = (0, 3, 8, 12, 16, 20)


class Doorbells:
    def test_a_doorbell_to_a_vector_of_64_or_more_rings_nobody(self):
        fake = self.fake()
        vm, _, table = self.joined(fake, OWN, each=2, others=[OTHER])
        beyond = (2, 63, 64, 65, 127, 128, 256, 32768, 65535)
        for vector in beyond:
            self.ring(vm, OTHER, vector)
        self.untouched(*table[OTHER], *table[OWN])
        self.assertEqual(self.asked(vm, "rings-ignored"), len(beyond))
        self.ring(vm, OTHER, 1)
        self.assertEqual([count(fd) for fd in table[OTHER]], [0, 1])

    def test_a_peer_with_more_than_64_vectors_is_rung_at_exactly_that_one(self):
        fake = self.fake()
        vm, client, table = self.joined(fake, OWN, each=100, others=[OTHER], vectors=100)
        self.ring(vm, OTHER, 99)
        self.ring(vm, OTHER, 64)
        self.assertEqual([v for v, fd in enumerate(table[OTHER]) if count(fd)], [64, 99])
        self.assertEqual(self.asked(vm, "rings-sent"), 2)
        self.assertFalse(client.gone(0))

    def test_vectors_above_0_of_our_own_interrupt_once_a_ring_and_nothing_spins(self):
        fake = self.fake()
        vm, _, table = self.joined(fake, OWN, each=3)
        self.listen(vm)
        for rings, fd in enumerate(table[OWN], 1):
            os.write(fd, (1).to_bytes(8, "little"))
            self.pulses(vm)
            self.until(vm, "rings-received", rings)
            self.quiet(vm)
        self.untouched(*table[OWN])
        self.idle(vm)

    def test_narrow_stores_ring_nobody_and_change_nothing(self):
        fake = self.fake()
        vm, _, table = self.joined(fake, 0, others=[1], revision=0)
        self.write(vm, INTRMASK, 1)
        bad = 0
        for width, size in (("b", 1), ("w", 2), ("q", 8)):
            for offset in range(16 - size + 1):
                for value in (0, 1, 0x10000, 2 ** (8 * size) - 1):
                    self.write(vm, offset, value % 2 ** (8 * size), width)
                    bad += 1
                self.assertEqual(self.read(vm, offset, width), 0, (width, offset))
                bad += 1
        self.untouched(*table[0], *table[1])
        self.assertEqual(self.asked(vm, "bad-accesses"), bad)
        self.assertEqual([self.read(vm, register) for register in (INTRMASK, INTRSTATUS, IVPOSITION, DOORBELL)],
                         [1, 0, 0, 0])


class Messages:
    """What comes after the greeting."""

    def link_lost(self, fake, sentence, value, *descriptors):
        """A message ends the link, with a sentence that matches; whom we know stays, and no descriptor is left."""
        vm, client, table = self.joined(fake, OWN, others=[OTHER])
        before = fds.count(vm.pid)
        client.send(value, *descriptors)
        client.expect_gone()
        self.until(vm, "link", "down")
        after = fds.count(vm.pid)
        self.assertEqual(before - after, {"socket": 1})
        self.assertEqual(after - before, {})
        self.assertRegex(self.complaint(vm), sentence)
        self.alive(vm, OWN)
        self.assertEqual(self.asked(vm, "peers"), 1)
        self.ring(vm, OTHER)
        self.assertEqual(count(table[OTHER][0]), 1)

    def test_our_own_id_leaving(self):
        self.link_lost(self.fake(), rf"message 6 \({OWN}\), our own id, without a descriptor", OWN)

    def test_an_id_over_16_bits(self):
        fake = self.fake()
        self.link_lost(fake, r"\(65545\), which is no id \(0\.\.65535\)", 65536 + OTHER, fake.eventfd())

    def test_an_id_over_16_bits_that_leaves(self):
        self.link_lost(self.fake(), r"\(65545\), which is no id", 65536 + OTHER)

    def test_an_id_over_32_bits(self):
        fake = self.fake()
        self.link_lost(fake, rf"\({2 ** 32 + OTHER}\), which is no id", 2 ** 32 + OTHER, fake.eventfd())

    def test_a_negative_id(self):
        fake = self.fake()
        self.link_lost(fake, r"\(-2\), which is no id", -2, fake.eventfd())

    def test_the_memory_a_second_time(self):
        fake = self.fake()
        self.link_lost(fake, r"message 6 \(-1\), the shared memory, a second time", -1, fake.memory())

    def test_two_descriptors_with_one_vector(self):
        fake = self.fake()
        self.link_lost(fake, r"more than one descriptor with message 6 \(7\)", 7, fake.eventfd(), fake.eventfd())

    def test_a_full_descriptor_table(self):
        """A library's socket tells; a chardev cannot, and then it reads as the leaving of somebody unknown."""
        fake = self.fake()
        vm, client, table = self.joined(fake, OWN, others=[OTHER])
        limit = max(map(int, os.listdir(f"/proc/{vm.pid}/fd"))) + 1
        resource.prlimit(vm.pid, resource.RLIMIT_NOFILE, (limit, limit))
        for newcomer in range(100, 100 + limit):
            try:
                client.send(newcomer, table[OTHER][0])
            except OSError:
                break
        if self.way == "path":
            client.expect_gone()
            self.until(vm, "link", "down")
            self.assertRegex(self.complaint(vm), r"message \d+ \(\d+\) was lost .* raise its limit of open files")
        else:
            self.until(vm, "messages", 5 + limit)
            self.assertLess(self.asked(vm, "peers"), 1 + limit)
        self.ring(vm, OTHER)
        self.assertEqual(count(table[OTHER][0]), 1)
        self.alive(vm, OWN)

    def test_end_of_file_in_the_middle_of_a_message(self):
        fake = self.fake()
        vm, client, table = self.joined(fake, OWN, others=[OTHER])
        client.bytes(number(12)[:5], [fake.eventfd()])
        client.close()
        self.until(vm, "link", "down")
        self.alive(vm, OWN)
        self.ring(vm, OTHER)
        self.assertEqual(count(table[OTHER][0]), 1)


class Greetings:
    """What comes instead of a greeting: QEMU does not start, and says why."""

    def refused_after(self, fake, sentence, talk, **properties):
        """@talk: what the server does with who joins.  The one sentence."""
        vm = self.vm(*self.joining(fake.path, **properties))
        talk(fake.accept())
        self.assertEqual(vm.wait(), 1, vm.said())
        self.assertRegex(self.complaint(vm), sentence)

    def cut(self, bytes_sent):
        fake = self.fake(f"cut{bytes_sent}")
        greeting = number(0) + number(OWN) + number(-1)

        def talk(client):
            if bytes_sent > 16:
                client.bytes(greeting[:16])
                client.bytes(greeting[16:bytes_sent], [fake.memory()])
            elif bytes_sent:
                client.bytes(greeting[:bytes_sent])
            client.close()
        where = "in the middle of message" if bytes_sent % 8 else "in the greeting, after message"
        self.refused_after(fake, rf"server closed the link {where} \d, .*while we waited for ", talk)

    def test_end_of_file_at_each_message_and_in_the_middle_of_each(self):
        for bytes_sent in CUTS:
            with self.subTest(bytes=bytes_sent):
                self.cut(bytes_sent)

    def test_a_silent_server(self):
        fake = self.fake()
        for said in (b"", number(0), number(0) + number(OWN)[:7]):
            with self.subTest(said=said):
                self.refused_after(fake, r"\b150 ms", lambda client, said=said: client.bytes(said),
                                   connect_timeout_ms=150)

    def test_a_server_that_drips(self):
        """A byte now and then is no greeting: the time is the whole greeting's."""
        fake = self.fake()

        def talk(client):
            for byte in number(0) + number(OWN)[:7]:
                client.bytes(bytes([byte]))
        self.refused_after(fake, r"\b150 ms", talk, connect_timeout_ms=150)

    def test_an_unknown_version(self):
        for version in (1, 65536, 2 ** 32, 2 ** 63 - 1, -2):
            with self.subTest(version=version):
                fake = self.fake(f"version{version}")
                self.refused_after(fake, rf"version {version} of the protocol .* we know version 0 only",
                                   lambda client, version=version: client.send(version))

    def test_a_server_without_versions(self):
        fake = self.fake()
        self.refused_after(fake, r"from before QEMU 2\.5", lambda client: client.send(-1, fake.memory()))

    def test_our_id_over_16_bits(self):
        for own in (65536, 2 ** 32 + 1):
            with self.subTest(own=own):
                def talk(client, own=own):
                    client.send(0)
                    client.send(own)
                self.refused_after(self.fake(f"own{own}"), rf"gave us id {own} .*ids are 0\.\.65535", talk)

    def test_a_descriptor_with_the_wrong_message(self):
        fake = self.fake()
        eventfd, memory = fake.eventfd(), fake.memory()
        for name, messages, sentence in (
                ("version", [(0, memory)], r"descriptor with message 1 \(0\), the version, which comes alone"),
                ("id", [(0,), (OWN, eventfd)], rf"descriptor with message 2 \({OWN}\), our id, which comes alone"),
                ("none", [(0,), (OWN,), (-1,)], r"message 3 \(-1\), the shared memory, without a descriptor"),
                ("two", [(0,), (OWN,), (-1, memory, eventfd)], r"more than one descriptor with message 3 \(-1\)"),
                ("vector", [(0,), (OWN,), (OTHER, eventfd)], rf"message 3 \({OTHER}\) where the shared memory belongs"),
                ("eventfd", [(0,), (OWN,), (-1, eventfd)], r"(?i)memory")):
            with self.subTest(name):
                def talk(client, messages=messages):
                    for message in messages:
                        client.send(*message)
                self.refused_after(fake, sentence, talk)

    def test_a_full_descriptor_table_in_the_greeting(self):
        fake = self.fake()
        vm = self.vm(*self.joining(fake.path))
        client = fake.accept()
        client.send(0)
        consumed(client)
        # It greets us now; what it has open by then is all that it may have.
        limit = max(map(int, os.listdir(f"/proc/{vm.pid}/fd"))) + 1
        resource.prlimit(vm.pid, resource.RLIMIT_NOFILE, (limit, limit))
        free = limit - len(os.listdir(f"/proc/{vm.pid}/fd"))
        self.assertEqual(free, 0, "there are gaps, so the table is not full")
        client.send(OWN)
        client.send(-1, fake.memory())
        self.assertEqual(vm.wait(), 1, vm.said())
        self.assertRegex(self.complaint(vm), r"limit of open files|message 3 \(-1\), .*without a descriptor")


class Life:
    def test_unrealize_releases_everything(self):
        """Not by device_del, which asks for a bus, but the property lets anybody.  What is open after that is the
        empty device's own, to its end: what it waits on, its timer, what wakes it, and what its rings poll."""
        fake = self.fake()
        bare = fds.count(self.vm(qtest=True).ready().pid)
        vm, client, _ = self.joined(fake, OWN, each=3, others=[OTHER, OTHER + 1])
        self.assertGreaterEqual((fds.count(vm.pid) - bare)["eventfd"], 9)
        vm.qmp("qom-set", path=FRONT, property="realized", value=False)
        client.expect_gone()
        self.descriptors(vm, bare + Counter(epoll=1, timerfd=1, eventfd=1, memfd=1))
        self.assertEqual(vm.find("ivflat-sysbus"), [])
        self.idle(vm)
        # Nothing is mapped there any more.
        self.assertNotIn("ivflat", vm.hmp("info mtree"))

    def test_a_reset_clears_the_registers_and_lowers_the_line(self):
        fake = self.fake()
        vm, client, table = self.joined(fake, OWN, others=[OTHER], revision=0)
        self.listen(vm)
        self.write(vm, INTRMASK, 1)
        os.write(table[OWN][0], (1).to_bytes(8, "little"))
        vm.qtest.wait_irq(self.board.irq, True)
        vm.qmp("system_reset")
        vm.event("RESET")
        vm.qtest.wait_irq(self.board.irq, False)
        self.assertEqual([self.read(vm, register) for register in (INTRMASK, INTRSTATUS, IVPOSITION)], [0, 0, OWN])
        self.assertFalse(client.gone(0))
        self.ring(vm, OTHER)
        self.assertEqual(count(table[OTHER][0]), 1)

    def test_migration_is_refused_with_the_reason(self):
        fake = self.fake()
        vm, _, _ = self.joined(fake, OWN)
        self.assertRegex(vm.refusal("migrate", uri="exec:cat >/dev/null"), "ivflat")
        self.assertRegex("".join(vm.qmp("query-migrate").get("blocked-reasons", [])), "ivflat")
        vm.qmp("qom-set", path=FRONT, property="realized", value=False)
        self.assertNotIn("blocked-reasons", vm.qmp("query-migrate"))


class DoorbellsByPath(Doorbells, LinkCase):
    way = "path"


class DoorbellsByChardev(Doorbells, LinkCase):
    way = "chardev"


class MessagesByPath(Messages, LinkCase):
    way = "path"


class MessagesByChardev(Messages, LinkCase):
    way = "chardev"


class GreetingsByPath(Greetings, LinkCase):
    way = "path"


class GreetingsByChardev(Greetings, LinkCase):
    way = "chardev"


class LifeByPath(Life, LinkCase):
    way = "path"


class LifeByChardev(Life, LinkCase):
    way = "chardev"
