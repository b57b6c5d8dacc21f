# SPDX-License-Identifier: BSD-3-Clause
"""System calls of a round trip, both threads, as strace counts them: the difference of N trips and 2 N, over N."""
import re
import shutil
import tempfile
from pathlib import Path

from programs import Skipped, output

TRIPS = 200
# What trip knows by these numbers, and what the page calls them.
LOOP = {0: "ivflat", 1: "trusted_peers", 2: "bare", 3: "bare, two steps"}
TAKEN = {4: "ivflat", 5: "trusted_peers", 6: "bare"}
# What strace prints at its end: "% time, seconds, usecs/call, calls, [errors,] name".
ROW = re.compile(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?([a-z]\w+)$", re.M)


def counted(build, way, trips):
    with tempfile.TemporaryDirectory(prefix="ivflat-bench-") as folder:
        path = Path(folder, "calls")
        output("strace", "-f", "-c", "-o", path, build / "tests/bench/trip", "--trips", way, trips)
        return sum(int(calls) for calls, name in ROW.findall(path.read_text()) if name != "total")


def of_a_trip(build, way):
    return (counted(build, way, 2 * TRIPS) - counted(build, way, TRIPS)) / TRIPS


def case(build, name, ways, goals):
    return {"case": name, "rounds": [{series: of_a_trip(build, way) for way, series in ways.items()}], "goals": goals}


def figures(build, quick):
    if not shutil.which("strace"):
        raise Skipped("strace is not there (apt install strace)")
    no_more = [{"of": series, "to": "bare", "at_most": 1} for series in ("ivflat", "trusted_peers")]
    return [{"figure": name, "title": title, "unit": "system calls", "counted": True,
             "cases": [case(build, "", ways, goals)], "notes": ["Both sides, to ring, to wait and to read"]}
            for name, title, ways, goals in (
                ("system-calls", "System calls of a host round trip, through the library's loop", LOOP, []),
                ("system-calls-taken", "System calls of a host round trip, descriptors taken by vector_added()", TAKEN,
                 no_more))]
