# SPDX-License-Identifier: BSD-3-Clause
"""System calls of a round trip, all threads of both machines, as strace counts them."""
import collections
import re
import signal
import statistics

from harness.process import Process

# What strace prints at its end: "% time, seconds, usecs/call, calls, [errors,] name".
ROW = re.compile(r"^ *[\d.]+ +[\d.]+ +\d+ +(\d+) +(?:\d+ +)?([a-z]\w+)$", re.M)


def counted(pair, trips):
    """{name: how often} while @pair makes so many round trips."""
    path = pair.guests[0].vm.folder / "calls"
    strace = Process(["strace", "-f", "-c", "-o", path, *(word for pid in pair.pids() for word in ("-p", pid))])
    try:
        for pid in pair.pids():
            strace.lines.until(rf"^strace: Process {pid} attached")
        pair.ping(trips)
        strace.end(signal.SIGINT)
    finally:
        strace.close()
    rows = ROW.findall(path.read_text())
    return collections.Counter({name: int(calls) for calls, name in rows if name != "total"})


def of_a_trip(pair, trips, times):
    """{name: calls a round trip}, "all" too: N and 2 N are counted, the difference over N is a trip's."""
    seen = []
    for _ in range(times):
        once = counted(pair, trips)
        twice = counted(pair, 2 * trips)
        difference = {name: (twice[name] - once[name]) / trips for name in {*once, *twice}}
        seen.append({**difference, "all": sum(difference.values())})
    names = {name for difference in seen for name in difference}
    return {name: statistics.median(difference.get(name, 0) for difference in seen) for name in names}
