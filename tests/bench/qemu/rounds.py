# SPDX-License-Identifier: BSD-3-Clause
"""The times: in each round new machines of each device, which then take turns; each turn gives ratios to upstream's."""
import collections
import contextlib
import random
import statistics
import tempfile
from pathlib import Path

from pair import DEVICES, Pair

BASE = "upstream"
SEED = 1
WHAT = ("round trip", "doorbell")


def quartiles(values):
    """(lower, median, upper)"""
    return tuple(statistics.quantiles(values, n=4)) if len(values) > 1 else tuple(values) * 3


class Times:
    """Seconds of a round trip and of a doorbell, by what and device, one a turn; interrupts a second of the floods."""

    def __init__(self, trips, rings):
        self.trips, self.rings = trips, rings
        self.seen = collections.defaultdict(list)
        self.interrupts = collections.defaultdict(list)

    def turn(self, pair):
        self.seen["round trip", pair.device].append(pair.ping(self.trips) / self.trips)
        took, taken = pair.flood(self.rings)
        self.seen["doorbell", pair.device].append(took / self.rings)
        self.interrupts[pair.device].append(taken / took)

    def ratios(self, what, device):
        """To upstream's of the same turn."""
        return [ours / theirs for ours, theirs in zip(self.seen[what, device], self.seen[what, BASE])]

    def row(self, what, device):
        low, middle, high = quartiles(self.ratios(what, device))
        return {"median_us": statistics.median(self.seen[what, device]) * 1e6, "ratio": middle,
                "ratio_quartiles": [low, high], "turns": len(self.seen[what, device])}

    def figures(self):
        found = {what: {device: self.row(what, device) for device in DEVICES} for what in WHAT}
        for device, row in found["doorbell"].items():
            row["doorbells_a_second"] = 1e6 / row["median_us"]
            row["interrupts_a_second"] = statistics.median(self.interrupts[device])
        return found


def one_round(programs, times, turns, order):
    """@order: who is next is by chance, since who comes after whom matters, too."""
    with tempfile.TemporaryDirectory(prefix="ivflat-bench-") as folder, contextlib.ExitStack() as stack:
        pairs = []
        for place, device in enumerate(order.sample(list(DEVICES), len(DEVICES))):
            pairs.append(Pair(programs, device, Path(folder, str(place))))
            stack.callback(pairs[-1].close)
        for _ in range(turns):
            for pair in order.sample(pairs, len(pairs)):
                times.turn(pair)


def measured(programs, rounds, turns, trips, rings):
    times = Times(trips, rings)
    order = random.Random(SEED)
    for _ in range(rounds):
        one_round(programs, times, turns, order)
    return times.figures()
