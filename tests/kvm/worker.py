# SPDX-License-Identifier: BSD-3-Clause
"""A guest that does as it is ordered: the words of guest/orders.h, from the side of the peer that orders."""
import struct
import time

from harness.wait import PATIENCE, Deadline, TooLate

ANSWER, RING, PING, HAND, TAKE = range(1, 6)
NOBODY = 0xffffffff
ORDER = struct.Struct("=6I")
RESULT = struct.Struct("=3I")
SLOT = 64
RETRY = 0.3


def doorbell(peer, vector=0):
    return peer << 16 | vector


class Worker:
    """The guest with the id @number, ordered by @host, a Peer, whose vector 0 it rings when it is done."""

    def __init__(self, host, number):
        self.host, self.id, self.orders = host, number, 0

    def order(self, what, value=NOBODY, times=0, second=0):
        self.orders += 1
        self.host.memory[self.id * SLOT:(self.id + 1) * SLOT] = bytes(SLOT)
        self.host.memory[self.id * SLOT:self.id * SLOT + ORDER.size] = ORDER.pack(
            self.orders, what, value, times, second, doorbell(self.host.id))
        self.host.ring(self.id, 1)

    def done(self, seconds=PATIENCE):
        """Waits until the last order is done (begun, with ANSWER and TAKE)."""
        deadline = Deadline(seconds)
        while self.results()[0] != self.orders:
            self.host.rung(0, deadline.left())

    def does(self, *order, seconds=PATIENCE, **words):
        """Seconds from the order until it is done."""
        began = time.perf_counter()
        self.order(*order, **words)
        self.done(seconds)
        return time.perf_counter() - began

    def results(self):
        """(number of the last order that is done, interrupts of vector 0 before it, bad messages)"""
        return RESULT.unpack_from(self.host.memory, self.id * SLOT + ORDER.size)

    @property
    def bad(self):
        return self.results()[2]

    def taken(self):
        """Interrupts of vector 0 since the last order that asks for them to be counted or answered."""
        self.does(ANSWER)
        return self.results()[1]

    def wake(self):
        """Until the guest has heard of us, its answers go nowhere."""
        deadline = Deadline()
        while deadline.left():
            try:
                self.does(ANSWER, seconds=RETRY)
                return
            except TooLate:
                pass
        raise TooLate(f"peer {self.id} does not answer")
