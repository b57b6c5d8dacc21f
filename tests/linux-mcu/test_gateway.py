# SPDX-License-Identifier: BSD-3-Clause
"""The gateway on the host, in front of a memory as a station, or a Linux that was killed, has left it."""
import shutil
import struct
import subprocess
import tempfile
import unittest
import zlib
from pathlib import Path

from example import ROOT

EXAMPLE = ROOT / "examples" / "linux-mcu"
MASK = 0xffffffff
SLOTS, SIZE = 64, 0x11000
SAMPLES, ANSWERS = 0x1000, 0x3000
HERE, BOOTS, DONE, PROGRESS = 0, 4, 8, 16
STATION_1, HOST = 64, 5 * 64


def ring_check(index, data):
    """As examples/firmware/ivflat-ring.h describes a slot."""
    check = ((0x811c9dc5 ^ index) * 0x01000193 + len(data)) & MASK
    padded = data + bytes(-len(data) % 4)
    for word, in struct.iter_unpack("<I", padded):
        check = (check ^ word) * 0x01000193 & MASK
        check ^= check >> 15
    return check


def readings(station, number):
    step = number % 240
    base = 2000 + 50 * min(step, 240 - step)
    return [9500 if number % 300 == 299 else base + (station * 7919 + number * 104729 + i * 1299709) % 97
            for i in range(1 + number % 20)]


def sample(number, boot=1, station=1, values=None):
    values = values or readings(station, number)
    body = struct.pack(f"<HHII{len(values)}h", station, len(values), boot, number, *values)
    return struct.pack("<I", zlib.crc32(body)) + body


class Memory:
    """Shared memory in which station 1 has id 4."""

    def __init__(self):
        self.data, self.head = bytearray(SIZE), 0
        self.word(STATION_1 + HERE, 5)

    def word(self, offset, value):
        struct.pack_into("<I", self.data, offset, value)

    def put(self, message, check=None):
        """Into the ring of samples."""
        at = SAMPLES + 128 + 64 * (self.head % SLOTS)
        struct.pack_into("<II", self.data, at, len(message),
                         ring_check(self.head, message) if check is None else check)
        self.data[at + 8:at + 8 + len(message)] = message
        self.head += 1
        self.word(SAMPLES, self.head)

    def predecessor(self, boot, following, read):
        """A Linux was there: what it noted, and how much of the ring it has read."""
        self.word(PROGRESS, boot)
        self.word(PROGRESS + 4, following)
        self.word(SAMPLES + 64, read)


class Gateway(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(tempfile.mkdtemp(prefix="ivflat-test-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder)
        cls.program = cls.folder / "gateway"
        subprocess.run(["cc", "-std=gnu11", "-O1", "-g", "-Wall", "-Wextra", "-Werror", "-fsanitize=address,undefined",
                        "-fno-sanitize-recover=all", "-I", EXAMPLE, "-I", EXAMPLE / "gateway",
                        "-I", ROOT / "examples" / "firmware", EXAMPLE / "gateway" / "main.c",
                        ROOT / "tests" / "linux-mcu" / "ivshmem-file.c", "-o", cls.program], check=True, timeout=120)

    def gateway(self, memory, size=SIZE):
        """What it says until it has done all that there is to do, and the memory afterwards."""
        path = self.folder / "memory"
        # Where the host has said stop, and who was there is done, it ends by itself.
        memory.data[HOST + 4:HOST + 8] = b"stop"
        memory.word(STATION_1 + DONE, 1)
        path.write_bytes(memory.data[:size])
        done = subprocess.run([self.program, path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=60, check=False)
        return done.stdout, path.read_bytes()

    def answers(self, data):
        """Those in the ring, each (station, boot, number, mean, valve)."""
        head, = struct.unpack_from("<I", data, ANSWERS)
        found = []
        for index in range(head):
            length, check = struct.unpack_from("<II", data, ANSWERS + 128 + 64 * (index % SLOTS))
            message = data[ANSWERS + 136 + 64 * (index % SLOTS):][:length]
            self.assertEqual(check, ring_check(index, message))
            self.assertEqual(struct.unpack_from("<I", message)[0], zlib.crc32(message[4:]))
            found.append(struct.unpack("<IIIii", message[4:]))
        return found

    def test_samples_are_answered(self):
        memory = Memory()
        for number in range(3):
            memory.put(sample(number))
        said, data = self.gateway(memory)
        self.assertIn("linux: station 1 boot 1: samples 0 to 2 right, "
                      f"sum {sum(sum(readings(1, number)) for number in range(3))}\n", said)
        means = [sum(readings(1, number)) // len(readings(1, number)) for number in range(3)]
        self.assertEqual(self.answers(data), [(1, 1, number, means[number], 0) for number in range(3)])
        # Table, and then mail and room.
        self.assertEqual([line for line in said.splitlines() if line.startswith("rang")],
                         ["rang 4:2", "rang 4:0", "rang 4:1"])

    def test_an_alarm_opens_the_valve(self):
        memory = Memory()
        memory.predecessor(1, 299, 0)
        memory.put(sample(299))
        said, data = self.gateway(memory)
        self.assertIn("linux: station 1: ALARM: 95.00 degrees\n", said)
        self.assertEqual(self.answers(data), [(1, 1, 299, 9500, 100)])

    def test_what_a_predecessor_left(self):
        memory = Memory()
        for number in range(5):
            memory.put(sample(number))
        memory.predecessor(1, 3, 3)
        said, data = self.gateway(memory)
        self.assertIn("linux: station 1 boot 1: I go on with sample 3\n", said)
        self.assertIn("linux: station 1 boot 1: done: next 5, lost 0, wrong 0,", said)
        self.assertEqual([answer[2] for answer in self.answers(data)], [3, 4])

    def test_the_sample_that_a_predecessor_had_in_its_hands_is_lost(self):
        memory = Memory()
        for number in range(5):
            memory.put(sample(number))
        memory.predecessor(1, 2, 3)
        said, data = self.gateway(memory)
        self.assertIn("linux: station 1 boot 1: sample 2 was lost with the Linux before\n", said)
        self.assertIn("linux: station 1 boot 1: samples 3 to 4 right, ", said)
        self.assertIn("done: next 5, lost 1, wrong 0,", said)
        self.assertEqual([answer[2] for answer in self.answers(data)], [3, 4])

    def test_two_that_are_missing_are_wrong(self):
        memory = Memory()
        for number in range(5):
            memory.put(sample(number))
        memory.predecessor(1, 1, 3)
        said, _ = self.gateway(memory)
        self.assertIn("WRONG: a sample out of order, where sample 1 was to come\n", said)

    def test_one_that_is_missing_without_a_predecessor_is_wrong(self):
        memory = Memory()
        memory.put(sample(0))
        memory.put(sample(2))
        said, _ = self.gateway(memory)
        self.assertIn("WRONG: a sample out of order, where sample 1 was to come\n", said)

    def test_a_station_that_has_started_again(self):
        memory = Memory()
        for number, boot in ((0, 1), (1, 1), (0, 2)):
            memory.put(sample(number, boot))
        said, data = self.gateway(memory)
        self.assertIn("linux: station 1 boot 1: samples 0 to 1 right, ", said)
        self.assertIn("linux: station 1 is there, in its boot 2\n", said)
        self.assertEqual([answer[1:3] for answer in self.answers(data)], [(1, 0), (1, 1), (2, 0)])

    def test_what_is_no_sample(self):
        good = sample(1)
        for bad, what, check in ((good, "a message of the wrong length", 0),
                                 (good[:-2], "a message of the wrong length", None),
                                 (good[:3], "a message of the wrong length", None),
                                 (good[:-1] + b"x", "a message that is damaged", None),
                                 (sample(1, station=2), "a message that is damaged", None),
                                 (sample(1, values=[2600, 2600]), "a reading that the sensor cannot", None)):
            with self.subTest(what):
                memory = Memory()
                memory.put(sample(0))
                memory.put(bad, check)
                memory.put(sample(2))
                said, data = self.gateway(memory)
                self.assertIn(f"linux: station 1 boot 1: WRONG: {what}", said)
                self.assertIn("done: next 3, lost 0, wrong 1,", said)
                self.assertEqual([answer[2] for answer in self.answers(data)], [0, 2])

    def test_without_room_for_an_answer_the_sample_stays(self):
        memory = Memory()
        memory.put(sample(0))
        memory.word(ANSWERS, SLOTS)
        said, data = self.gateway(memory)
        self.assertEqual(struct.unpack_from("<I", data, SAMPLES + 64), (0,), said)

    def test_an_index_that_cannot_be(self):
        memory = Memory()
        memory.word(SAMPLES, 0x80000000)
        said, data = self.gateway(memory)
        self.assertEqual(self.answers(data), [], said)

    def test_a_memory_that_is_too_small(self):
        said, _ = self.gateway(Memory(), 0x10000)
        self.assertEqual(said, "linux: the shared memory has 65536 bytes; 69632 are the least\n")
