# SPDX-License-Identifier: BSD-3-Clause
"""Instructions of a doorbell write.

Callgrind counts what runs between entering ivflat_device_write() and leaving it, the C library's part around the system
call included: N rings and 2 N are counted, the difference over N is a ring's.  That is there and back.  How many of
them lie before the system call, itself included, is told by following one ring step by step; the two counts of the
whole have to agree.
"""
import re
import shutil
import tempfile

from programs import Failed, Skipped, output

MOST = 60
RINGS = 200
ENTRIES = {"default": "ivflat_device_write", "trusted": "ivflat_device_write", "list": "list_write"}
NAMES = {"default": "ivflat", "trusted": "trusted_peers", "list": "a linked list"}


def collected(build, how, peers, rings):
    """Instructions below the entry, in one run under callgrind."""
    with tempfile.TemporaryDirectory(prefix="ivflat-bench-") as folder:
        counts, ring = folder + "/counts", folder + "/ring"
        # Valgrind may not know the format of what is for debugging.
        output("strip", "--strip-debug", "-o", ring, build / "tests/bench/ring")
        output("valgrind", "--tool=callgrind", "--quiet", "--callgrind-out-file=" + counts,
               "--toggle-collect=" + ENTRIES[how], ring, how, peers, rings)
        with open(counts, encoding="utf-8") as file:
            return int(re.search(r"^(?:summary|totals): (\d+)", file.read(), re.M)[1])


def there_and_back(build, how, peers):
    once, twice = (collected(build, how, peers, times * RINGS) for times in (1, 2))
    return (twice - once) / RINGS


def to_the_call(build, how, peers):
    there, back = map(int, output(build / "tests/bench/step", how, peers).split())
    counted = there_and_back(build, how, peers)
    if back != counted or not 0 < there < back:
        raise Failed(f"{NAMES[how]}, {peers} peers: {back} steps, but callgrind counts {counted:.1f} instructions")
    return there


def case(build, peers):
    wanted = ({"at_most": MOST}, {"flat": True})
    return {"case": str(peers), "x": peers, "rounds": [{NAMES[how]: to_the_call(build, how, peers) for how in ENTRIES}],
            "goals": [{"of": NAMES[how], **goal} for how in ("default", "trusted") for goal in wanted]}


def figures(build, quick):
    if not shutil.which("valgrind"):
        raise Skipped("valgrind is not there (apt install valgrind libc6-dbg)")
    cases = [case(build, peers) for peers in ([1, 1000] if quick else [1, 100, 10000, 65535])]
    return [{"figure": "doorbell-instructions", "title": "A doorbell write up to the system call",
             "unit": "instructions", "x_label": "peers", "counted": True, "cases": cases,
             "notes": ["From ivflat_device_write() to the system call, that one included, with the C library's part",
                       "The peer that is rung is at the list's end",
                       "The table is filled with numbers that are no descriptors but for the one that is rung, since a "
                       "process may not have 65,535"]}]
