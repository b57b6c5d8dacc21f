# SPDX-License-Identifier: BSD-3-Clause
"""That the verdict finds what is not right: a story as it is when all went well, with one thing changed."""
import io
import types
import unittest

from host.sides import Linux, Station
from host.verdict import Verdict, sum_of

LINUX = ("linux: up, with id 3, boot 1\n"
         "linux: station 1 boot 1: samples 0 to 499 right, sum {a}\n"
         "linux: station 1 boot 1: samples 0 to 599 right, sum {b}\n"
         "linux: station 1 is there, in its boot 2\n"
         "linux: station 2 boot 1: samples 0 to 499 right, sum {c}\n")
AGAIN = ("linux: up, with id 5, boot 2\n"
         "linux: station 1 boot 2: I go on with sample 40\n"
         "linux: station 2 boot 1: I go on with sample 700\n"
         "linux: station 2 boot 1: sample 700 was lost with the Linux before\n"
         "linux: station 1 boot 2: samples 40 to 99 right, sum {d}\n"
         "linux: station 1 boot 2: done: next 100, lost 0, wrong 0, alarms 0\n"
         "linux: station 2 boot 1: samples 701 to 899 right, sum {e}\n"
         "linux: station 2 boot 1: done: next 900, lost 1, wrong 0, alarms 1\n"
         "linux: done: interrupts: mail 9, room 9, table 2, alarm 1\n")
ONE = ("station 1 boot 2: up, with id 4\n"
       "station 1 boot 2: answers to the boot before 3, alarms 0, interrupts 20\n"
       "station 1 boot 2: done: sent 100, answered 100, lost 0, wrong 0\n")
TWO = ("station 2 boot 1: up, with id 2\n"
       "station 2 boot 1: done: sent 900, answered 899, lost 1, wrong 0\n")


def total(station, first, last):
    return sum(sum_of(station, number) for number in range(first, last + 1))


SUMS = {"a": total(1, 0, 499), "b": total(1, 0, 599), "c": total(2, 0, 499), "d": total(1, 40, 99),
        "e": total(2, 701, 899)}


def heard(kind, text):
    """A side that has said that."""
    side = kind("a side", ["true"], io.StringIO())
    side.child.wait()
    side.feed(side.child.stdout, text.format(**SUMS).encode())
    side.close()
    return side


def verdict(change=("", ""), head=(700, 900), tail=(700, 900), rung=5):
    """Of the story in which the first text of @change is the second."""
    texts = [text.replace(*change) for text in (LINUX, AGAIN, ONE, TWO)]
    return Verdict(types.SimpleNamespace(
        linux=[heard(Linux, texts[0]), heard(Linux, texts[1])],
        stations={1: [heard(Station, "station 1 boot 1: up, with id 1\n"), heard(Station, texts[2])],
                  2: [heard(Station, texts[3])]},
        indices={1: (head[0], tail[0]), 2: (head[1], tail[1])}, alarms_rung=lambda: rung))


class TheVerdict(unittest.TestCase):
    def finds(self, text, *changes, **more):
        faults = verdict(*changes, **more).faults
        self.assertTrue(any(text in fault for fault in faults), faults)

    def test_a_story_that_went_well(self):
        good = verdict()
        self.assertEqual(good.faults, [])
        self.assertEqual(good.counts, {(1, 1): 600, (1, 2): 100, (2, 1): 900})
        self.assertTrue(good.summary().startswith("ok: 1600 samples to Linux and 999 answers to the stations, 0 wrong, "
                                                  "1 lost"))

    def test_readings_that_add_up_to_something_else(self):
        self.finds("add up to", ("{b}", "1"))

    def test_samples_that_linux_has_not_got(self):
        self.finds("it sent 900 samples, and Linux got 899", ("next 900", "next 899"))

    def test_a_ring_that_had_more(self):
        self.finds("station 2: its ring has had 901 samples", head=(700, 901))

    def test_a_ring_with_something_unread(self):
        self.finds("station 1: its ring has had 700 samples, 699 of them read", tail=(699, 900))

    def test_an_answer_that_is_missing(self):
        self.finds("of 900 samples 898 were answered", ("answered 899", "answered 898"))

    def test_an_answer_that_was_wrong(self):
        self.finds("answers were wrong", ("station 2 boot 1: up", "station 2 boot 1: WRONG: x\nstation 2 boot 1: up"))

    def test_more_lost_than_was_killed(self):
        self.finds("2 samples were lost", ("answered 899, lost 1", "answered 898, lost 2"))

    def test_a_vector_that_never_came(self):
        self.finds("the vector 'table' never interrupted it", ("table 2", "table 0"))
        end = "alarms {}\nlinux: done: interrupts: mail 9, room 9, table 2, alarm {}"
        self.finds("the vector 'alarm' never interrupted it", (end.format(1, 1), end.format(3, 0)))
        # Both may have been rung before this Linux was there.
        self.assertEqual(verdict((end.format(1, 1), end.format(2, 0))).faults, [])

    def test_vectors_that_are_mixed_up(self):
        self.finds("the vector 'alarm' interrupted it 9 times for 1 alarms",
                   ("mail 9, room 9, table 2, alarm 1", "mail 1, room 9, table 2, alarm 9"))

    def test_alarms_that_nobody_heard(self):
        self.finds("it was rung 3 times for 5 alarms", rung=3)
        # Station 1 was killed once, perhaps between a sample and its alarm.
        self.assertEqual(verdict(rung=4).faults, [])

    def test_alarms_that_were_none(self):
        self.finds("it was rung 6 times for 5 alarms", rung=6)

    def test_the_made_up_sensor(self):
        """By hand: the first three samples of station 1, and the first alarm."""
        self.assertEqual([sum_of(1, number) for number in (0, 1)],
                         [2000 + 7919 % 97, 2050 + (7919 + 104729) % 97 + 2050 + (7919 + 104729 + 1299709) % 97])
        self.assertEqual(sum_of(2, 299), 20 * 9500)
