# SPDX-License-Identifier: BSD-3-Clause
"""Vectors above 0: which of them come at all, and what a round trip on them takes beside upstream's on vector 0."""
import statistics
import tempfile
import time
from pathlib import Path

from harness.wait import TooLate
from pair import Pair

ALL = 64
PATIENCE = 1


def comes(pair, vector):
    """Whether a ring of @vector interrupts the guest."""
    try:
        pair.ping(1, vector, PATIENCE)
        return True
    except TooLate:
        return False


def busy(pair):
    """Which part of a processor the second machine takes while nobody does anything."""
    guest = pair.guests[1]
    processor, began = guest.processor_time(), time.perf_counter()
    time.sleep(0.5)  # not to wait for something: this is what is measured
    return (guest.processor_time() - processor) / (time.perf_counter() - began)


def compared(upstream, ours, trips):
    """Upstream's vector 0, ours, and each of our others, in turns: the microseconds, and the ratios to upstream's."""
    seen = []
    for vector in range(1, ALL):
        times = [pair.ping(trips, number) / trips * 1e6 for pair, number in ((upstream, 0), (ours, 0), (ours, vector))]
        seen.append([*times, times[1] / times[0], times[2] / times[0]])
    names = ("upstream_us", "ivflat_us", "ivflat_others_us", "ratio", "ratio_others")
    return dict(zip(names, map(statistics.median, zip(*seen))))


def measured(programs, trips, some):
    """@some: the vectors that upstream's device is tried with, a second each."""
    with tempfile.TemporaryDirectory(prefix="ivflat-bench-") as folder:
        upstream = Pair(programs, "upstream", Path(folder, "upstream"), ALL)
        ours = Pair(programs, "ivflat", Path(folder, "ivflat"), ALL)
        try:
            found = {"ivflat": [vector for vector in range(ALL) if comes(ours, vector)],
                     "times": compared(upstream, ours, trips),
                     "upstream_tried": some, "upstream": [vector for vector in some if comes(upstream, vector)]}
            found["upstream_busy"], found["ivflat_busy"] = busy(upstream), busy(ours)
            return found
        finally:
            ours.close()
            upstream.close()
