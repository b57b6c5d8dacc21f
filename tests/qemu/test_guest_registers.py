# SPDX-License-Identifier: BSD-3-Clause
"""Registers, memory and interrupt of one machine, as code on its processor finds them."""
import struct

from guest import GuestCase

SIZE = 4 << 20
STEP = 1028

# What the firmware's `registers` does besides aligned words: 16 bytes and 8 half-words are loaded twice, and stored
# with each of five values.
NARROW = (16 + 8) * (2 + 5)


def pattern(offset, seed):
    return offset * 2654435761 % 2**32 ^ seed * 0x9e3779b9 % 2**32


def places(size):
    return [*range(0, size, STEP), size - 4]


class Registers(GuestCase):
    builds = ("7.2", "10.0", "asan")

    def test_only_aligned_words_of_revision_1_count_and_narrow_stores_ring_nobody(self):
        server = self.server(vectors=4)
        peer = self.peer(server, vectors=4)
        guest = self.guest(server, hears=8)
        self.assertEqual((peer.id, guest.id), (0, 1))
        guest.does("registers", 1, 0)
        self.assertEqual(peer.rung(2), 1)
        self.assertFalse(any(peer.is_rung(vector) for vector in (0, 1, 3)))
        self.assertEqual(guest.counted("bad-accesses"), NARROW)
        self.assertEqual(guest.counted("rings-sent"), 1)
        self.assertEqual(guest.counted("rings-received"), 0)

    def test_the_registers_of_revision_0_and_a_line_that_stays_until_it_is_acknowledged(self):
        server = self.server(vectors=2)
        self.peer(server, vectors=2)
        guest = self.guest(server, hears=4, revision=0)
        guest.does("revision0", 1)

    def test_a_ring_of_oneself_interrupts_once_and_rings_at_nobody_are_ignored(self):
        guest = self.guest(self.server(vectors=3), hears=3)
        guest.does("interrupts", 0, 100, 3)
        self.assertEqual(guest.counted("rings-sent"), 100)
        self.assertEqual(guest.counted("rings-received"), 100)
        self.assertEqual(guest.counted("rings-ignored"), 3)

    def test_without_a_line_the_id_reads_0_and_nothing_rings(self):
        server = self.server(vectors=4)
        peer = self.peer(server, vectors=4)
        guest = self.guest(server, hears=8, irq=None)
        self.assertEqual(guest.id, 0)
        guest.does("registers", 0, 0)
        self.assertFalse(any(peer.is_rung(vector) for vector in range(4)))
        self.assertEqual(guest.counted("rings-sent"), 0)

    def test_a_reset_leaves_link_and_memory_and_the_firmware_begins_again(self):
        server = self.server(vectors=4)
        peer = self.peer(server, vectors=4)
        guest = self.guest(server, hears=8)
        guest.does("interrupts", 1, 10, 4)
        guest.does("fill", SIZE, 5)
        guest.vm.qmp("system_reset")
        guest.says("id 1")
        guest.does("verify", SIZE, 5)
        guest.does("registers", 1, 0)
        self.assertEqual(peer.rung(2), 1)
        guest.does("interrupts", 1, 10, 4)

    def test_a_reset_of_revision_0_clears_both_registers(self):
        guest = self.guest(self.server(vectors=2), hears=2, revision=0)
        guest.does("pending")
        guest.vm.qmp("system_reset")
        guest.says("id 0")
        guest.does("cleared")
        guest.does("revision0", 0)


class Memory(GuestCase):
    def filled(self, memory, seed):
        for offset in places(len(memory)):
            struct.pack_into("<I", memory, offset, pattern(offset, seed))

    def wrong(self, memory, seed):
        """Where @memory has not what it should."""
        return [offset for offset in places(len(memory))
                if struct.unpack_from("<I", memory, offset)[0] != pattern(offset, seed)]

    def test_guest_and_peer_see_each_others_words_from_the_first_to_the_last(self):
        server = self.server(size="4M")
        peer = self.peer(server)
        guest = self.guest(server)
        self.assertEqual(peer.size, SIZE)
        guest.does("fill", SIZE, 1)
        self.assertEqual(self.wrong(peer.memory, 1), [])
        self.filled(peer.memory, 2)
        guest.does("verify", SIZE, 2)

    def test_every_width_in_the_first_and_the_last_bytes(self):
        guest = self.guest(self.server(size="4M"))
        guest.does("widths", SIZE)

    def test_a_memory_of_one_page(self):
        server = self.server(size="4K")
        peer = self.peer(server)
        guest = self.guest(server, shmem_size="4K")
        guest.does("widths", 4096)
        guest.does("fill", 4096, 3)
        self.assertEqual(self.wrong(peer.memory, 3), [])

    def test_the_servers_size_where_none_is_given(self):
        server = self.server(size="64K")
        self.peer(server)
        guest = self.guest(server, shmem_size=0)
        guest.does("fill", 65536, 4)
        self.assertEqual(guest.counted("memory-size"), 65536)
