# SPDX-License-Identifier: BSD-3-Clause
"""The registers, statement by statement as docs/protocol.md numbers them, at each width, by accesses from outside."""
import os
import struct

from harness.fake import count, wait_rung
from link_case import DOORBELL, INTRMASK, INTRSTATUS, IVPOSITION, LinkCase

REGISTERS = (INTRMASK, INTRSTATUS, IVPOSITION, DOORBELL)
SIZES = {"b": 1, "w": 2, "l": 4, "q": 8}
ONES = 2 ** 32 - 1

OWN, OTHER = 3, 0xbeef

# The NVIC's set-pending registers, as a Cortex-M sees them.
NVIC_PENDING = 0xe000e200


def rung_by_a_peer(fd, times=1):
    os.write(fd, struct.pack("=Q", times))


class Accesses(LinkCase):
    """R1 to R3, R5, R6: without any interrupt."""

    boards = ("lm3s6965evb", "virt")

    def narrow(self):
        """(offset, width) of all that is no aligned word, over the registers' last byte too."""
        for width, size in SIZES.items():
            for offset in range(16):
                if (size != 4 or offset % 4) and offset + size <= 16:
                    yield offset, width

    def test_R1_R2_only_the_four_aligned_words_are_registers(self):
        vm, _, table = self.joined(self.fake(), own=OTHER, others=[OWN])
        self.assertEqual([self.read(vm, register) for register in REGISTERS], [0, 0, OTHER, 0])
        bad = 0
        for offset, width in self.narrow():
            self.assertEqual(self.read(vm, offset, width), 0, (offset, width))
            self.write(vm, offset, 2 ** (8 * SIZES[width]) - 1, width)
            self.write(vm, offset, OWN << 16 & 2 ** (8 * SIZES[width]) - 1, width)
            bad += 3
        self.assertEqual(self.asked(vm, "bad-accesses"), bad)
        self.assertEqual([self.read(vm, register) for register in REGISTERS], [0, 0, OTHER, 0])
        self.untouched(*table[OTHER], *table[OWN])

    def test_R1_the_words_are_little_endian(self):
        """Byte by byte from the bus: the guest's first byte is the lowest."""
        vm, _, _ = self.joined(self.fake(), own=0x1234)
        word = vm.qtest.command("read", self.board.registers + IVPOSITION, 4)[0]
        self.assertEqual(bytes.fromhex(word[2:]), struct.pack("<I", 0x1234))

    def test_R1_sixteen_bytes_and_no_more(self):
        fake = self.fake()
        vm, _, table = self.joined(fake, own=OWN, others=[OTHER])
        for offset in (16, 28):
            self.write(vm, offset, OTHER << 16)
            self.assertEqual(self.read(vm, offset), 0)
        self.untouched(*table[OTHER])
        self.assertEqual(self.asked(vm, "bad-accesses"), 0)
        self.assertEqual(self.asked(vm, "rings-ignored"), 0)

    def test_R3_mask_and_status_of_revision_1_are_reserved(self):
        vm, _, table = self.joined(self.fake(), own=OWN)
        self.listen(vm)
        for register in (INTRMASK, INTRSTATUS):
            self.write(vm, register, ONES)
        self.assertEqual([self.read(vm, register) for register in REGISTERS], [0, 0, OWN, 0])
        rung_by_a_peer(table[OWN][0])
        self.pulses(vm)
        self.assertEqual([self.read(vm, register) for register in REGISTERS], [0, 0, OWN, 0])

    def test_R5_the_position_cannot_be_written_and_a_reset_keeps_it(self):
        vm, client, _ = self.joined(self.fake(), own=65535)
        self.write(vm, IVPOSITION, 1)
        self.assertEqual(self.read(vm, IVPOSITION), 65535)
        vm.qmp("system_reset")
        vm.event("RESET")
        self.assertEqual(self.read(vm, IVPOSITION), 65535)
        client.close()
        self.until(vm, "link", "down")
        self.assertEqual(self.read(vm, IVPOSITION), 65535)
        self.assertEqual(self.asked(vm, "own-id"), 65535)

    def test_R5_R7_without_interrupts_the_position_is_0_and_nothing_rings(self):
        for revision in (0, 1):
            with self.subTest(revision=revision):
                fake = self.fake(f"fake{revision}")
                vm, _, table = self.joined(fake, own=OWN, others=[OTHER], irq=None, revision=revision)
                self.assertIn("no interrupt", vm.said())
                self.assertEqual([self.read(vm, register) for register in REGISTERS], [0, 0, 0, 0])
                self.ring(vm, OTHER)
                self.ring(vm, OWN)
                self.untouched(*table[OTHER], *table[OWN])
                self.assertEqual(self.asked(vm, "own-id"), OWN)


class BeforeTheGreeting:
    """R5: whoever lets the guest run before the server is there."""

    def test_R5_the_position_is_minus_1_before_the_first_greeting_and_nothing_rings(self):
        path = self.path("late")
        vm = self.vm(*self.joining(path, reconnect=True), qtest=True)
        self.assertEqual(self.read(vm, IVPOSITION), ONES)
        self.ring(vm, 0)
        self.ring(vm, 65535, 65535)
        self.assertEqual(self.asked(vm, "own-id"), -1)
        self.assertEqual(self.asked(vm, "rings-ignored"), 2)
        fake = self.fake("late")
        fake.greet(fake.accept(), OWN, shared=self.memory(fake))
        self.until(vm, "link", "ready")
        self.assertEqual(self.read(vm, IVPOSITION), OWN)


class BeforeTheGreetingByPath(BeforeTheGreeting, LinkCase):
    way = "path"


class BeforeTheGreetingByChardev(BeforeTheGreeting, LinkCase):
    way = "chardev"


class Doorbells(LinkCase):
    """R6 to R8."""

    def test_R6_all_16_bits_of_peer_and_vector(self):
        fake = self.fake()
        peers = [0, 1, 255, 256, 0x7fff, 0x8000, 65535]
        vm, _, table = self.joined(fake, own=OWN, each=3, others=peers)
        for peer in peers:
            for vector in range(3):
                self.ring(vm, peer, vector)
                rung = [(p, v) for p, fds in table.items() for v, fd in enumerate(fds) if count(fd)]
                self.assertEqual(rung, [(peer, vector)])
        self.assertEqual(self.read(vm, DOORBELL), 0)

    def test_R6_vectors_of_more_than_8_bits(self):
        vm, _, table = self.joined(self.fake(), own=OWN, each=300, others=[OTHER], vectors=300)
        for vector in (257, 256, 299):
            self.ring(vm, OTHER, vector)
            self.assertEqual([v for v, fd in enumerate(table[OTHER]) if count(fd)], [vector])
        self.ring(vm, OTHER, 300)
        self.assertEqual(self.asked(vm, "rings-ignored"), 1)

    def test_R7_doorbells_at_nobody_are_counted_and_ignored(self):
        fake = self.fake()
        vm, client, table = self.joined(fake, own=OWN, each=2, others=[OTHER])
        for peer, vector in ((OTHER, 2), (OTHER, 65535), (0, 0), (65535, 0), (OTHER ^ 0x8000, 0), (OWN, 2)):
            self.ring(vm, peer, vector)
        client.send(OTHER)
        self.until(vm, "peers", 0)
        self.ring(vm, OTHER, 0)
        self.assertEqual(self.asked(vm, "rings-ignored"), 7)
        self.assertEqual(self.asked(vm, "rings-sent"), 0)
        self.untouched(*table[OTHER], *table[OWN])

    def test_R8_a_ring_of_oneself_interrupts(self):
        vm, _, _ = self.joined(self.fake(), own=OWN, each=2)
        self.listen(vm)
        for vector in (0, 1):
            self.ring(vm, OWN, vector)
            self.pulses(vm)
        self.assertEqual(self.asked(vm, "rings-received"), 2)
        self.quiet(vm)

    def test_R8_rings_coalesce_and_none_is_lost(self):
        """A count of five in one service is one pulse; the counter has all five."""
        vm, _, table = self.joined(self.fake(), own=OWN)
        self.listen(vm)
        rung_by_a_peer(table[OWN][0], 5)
        self.pulses(vm)
        self.until(vm, "rings-received", 5)
        self.quiet(vm)

    def test_rings_of_each_width_of_vectors_reach_the_peers_eventfd_once(self):
        fake = self.fake()
        vm, client, table = self.joined(fake, own=OWN, others=[OTHER])
        late = fake.join(client, 12, 3)
        self.until(vm, "messages", 8)
        for _ in range(4):
            self.ring(vm, 12, 2)
        self.assertEqual(wait_rung(late[2]), 4)
        self.untouched(*late[:2], *table[OTHER])


class Revision0(LinkCase):
    """R4: status, mask and one level."""

    boards = ("lm3s6965evb", "virt")

    def machine(self, **more):
        vm, _, table = self.joined(self.fake(), own=OWN, each=2, revision=0, **more)
        self.listen(vm)
        return vm, table[OWN]

    def line(self, vm, level):
        """The one move since last time."""
        vm.qtest.wait_irq(self.board.irq, level)
        self.quiet(vm)

    def test_R4_the_line_is_status_and_mask_and_reading_the_status_clears_it(self):
        vm, own = self.machine()
        rung_by_a_peer(own[1])
        self.until(vm, "rings-received", 1)
        self.quiet(vm)
        self.write(vm, INTRMASK, 1)
        self.line(vm, True)
        self.write(vm, INTRMASK, 0)
        self.line(vm, False)
        self.write(vm, INTRMASK, ONES)
        self.line(vm, True)
        self.assertEqual(self.read(vm, INTRMASK), 1)
        self.assertEqual(self.read(vm, INTRSTATUS), 1)
        self.line(vm, False)
        self.assertEqual(self.read(vm, INTRSTATUS), 0)

    def test_R4_the_level_stays_until_it_is_acknowledged(self):
        vm, own = self.machine()
        self.write(vm, INTRMASK, 1)
        rung_by_a_peer(own[0])
        self.line(vm, True)
        rung_by_a_peer(own[1])
        self.until(vm, "rings-received", 2)
        self.quiet(vm)
        self.assertEqual(self.read(vm, INTRSTATUS), 1)
        self.line(vm, False)

    def test_R4_what_is_written_to_the_status_is_its_bit_0(self):
        vm, _ = self.machine()
        self.write(vm, INTRMASK, 1)
        self.write(vm, INTRSTATUS, ONES - 1)
        self.quiet(vm)
        self.write(vm, INTRSTATUS, 1)
        self.line(vm, True)
        self.write(vm, INTRSTATUS, 2)
        self.line(vm, False)

    def test_R4_narrow_accesses_neither_clear_nor_set(self):
        vm, own = self.machine()
        self.write(vm, INTRMASK, 1)
        rung_by_a_peer(own[0])
        self.line(vm, True)
        for width in "bw":
            self.assertEqual(self.read(vm, INTRSTATUS, width), 0)
            self.write(vm, INTRSTATUS, 0, width)
            self.write(vm, INTRMASK, 0, width)
        self.quiet(vm)
        self.assertEqual(self.read(vm, INTRSTATUS), 1)

    def test_R4_revision_0_has_one_line_only(self):
        two = f"{self.board.irq}-{self.board.irq + 1}"
        self.assertRegex(self.refusal(*self.joining(self.path("nobody"), irq=None, irqs=two, revision=0)),
                         r"revision=0.* one line")


class Lines(LinkCase):
    """irqs=: a line for each vector."""

    def pulsed(self, vm, own, vector, line):
        rung_by_a_peer(own[vector])
        self.pulses(vm, line=line)
        self.quiet(vm)

    def check(self, irqs, lines, **more):
        fake = self.fake(f"fake{self.started}")
        vm, _, table = self.joined(fake, own=OWN, each=len(lines), irq=None, irqs=irqs, **more)
        self.listen(vm)
        for vector, line in enumerate(lines):
            self.pulsed(vm, table[OWN], vector, line)

    def test_each_vector_has_the_line_of_its_place(self):
        self.check("40-41:43", [40, 41, 43])

    def test_the_order_is_the_users(self):
        self.check("44:43:40", [44, 43, 40])

    def test_vectors_beyond_the_lines_share_the_last(self):
        self.check("40:43", [40, 43, 43, 43, 43])

    def test_numbers_may_be_hexadecimal(self):
        self.check("0x28:0x2b-0x2c", [40, 43, 44])

    def test_an_input_by_its_path(self):
        """Of the controller as 'info qom-tree' shows it, which differs between QEMU's versions."""
        path = self.first(self.vm(), "armv7m") + "/unnamed-gpio-in[43]"
        self.check(f"40:{path}", [40, 43])

    def test_irq_by_path(self):
        path = self.first(self.vm(), "armv7m") + "/unnamed-gpio-in[44]"
        vm, _, table = self.joined(self.fake(), own=OWN, irq=path)
        self.listen(vm)
        self.pulsed(vm, table[OWN], 0, 44)

    def test_the_former_names_of_the_properties(self):
        path = self.first(self.vm(), "armv7m") + "/unnamed-gpio-in[44]"
        vm, _, table = self.joined(self.fake(), own=OWN, registers=None, memory=None, irq=None, **{
            "x_bus_address_iomem": hex(self.board.registers), "x_bus_address_shmem": hex(self.board.memory),
            "x_irq_qompath": path})
        self.listen(vm)
        self.assertEqual(self.read(vm, IVPOSITION), OWN)
        self.pulsed(vm, table[OWN], 0, 44)
        vm.qtest.writel(self.board.memory, 1)
        self.assertEqual(vm.qtest.readl(self.board.memory), 1)


class Early:
    """P21: peers ring before the machine is there: it waits in the eventfds, and none of it is lost."""

    def early(self, each, rung, **properties):
        """A machine, without a guest, to which all was said at once, and whose vectors @rung had been rung before."""
        fake = self.fake()
        greeting = [(0,), (OWN,), (-1, self.memory(fake))]
        own = [fake.eventfd() for _ in range(each)]
        for vector in rung:
            rung_by_a_peer(own[vector], 3)
        greeting += [(OWN, fd) for fd in own]
        vm = self.vm(*self.joining(fake.path, **properties))
        client = fake.accept()
        for message in greeting:
            client.send(*message)
        self.until(vm, "rings-received", 3 * len(rung))
        self.untouched(*own)
        return vm

    def pending(self, vm, line):
        """What the NVIC keeps."""
        word = vm.hmp(f"x /1wx {NVIC_PENDING + line // 32 * 4:#x}").split(": ")[1]
        return int(word, 0) >> line % 32 & 1

    def test_P21_a_line_each(self):
        vm = self.early(4, (0, 2, 3), irq=None, irqs="40:41:43:44")
        self.assertEqual([self.pending(vm, line) for line in (40, 41, 43, 44)], [1, 0, 1, 1])

    def test_P21_vectors_beyond_the_first_64(self):
        vm = self.early(66, [65], vectors=66, irq=None, irqs="40:43")
        self.assertEqual([self.pending(vm, line) for line in (40, 43)], [0, 1])

    def test_P21_revision_0(self):
        vm = self.early(1, [0], revision=0)
        self.assertEqual(vm.hmp(f"x /1wx {self.board.registers + INTRSTATUS:#x}").split(": ")[1].strip(), "0x00000001")


class EarlyByPath(Early, LinkCase):
    way = "path"


class EarlyByChardev(Early, LinkCase):
    way = "chardev"
