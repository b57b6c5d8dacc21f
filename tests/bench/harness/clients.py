# SPDX-License-Identifier: BSD-3-Clause
"""The server's cost of a message, by clients, and of a join: tests/bench/server's own measurements, with clients of one
vector.

The bare loop has no server whose processor time could be told from its clients', so that it is compared by the time of
the whole; the processor time is what shows whether the cost grows with the clients.
"""
import importlib.machinery
import importlib.util

from programs import BENCH, Failed

# {clients: rounds}; the messages grow with the square of the clients.
FULL = {100: 11, 200: 11, 500: 11, 1000: 3, 2000: 1}
QUICK = {10: 1, 50: 1}
WITH_BARE = 1000  # and below


def server_bench():
    loader = importlib.machinery.SourceFileLoader("server_bench", str(BENCH / "server"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("server_bench", loader))
    loader.exec_module(module)
    module.VECTORS = 1
    return module


def one_round(bench, folder, program, clients):
    """Microseconds a message."""
    ours = bench.with_server(folder, program, clients)
    if not ours:
        raise Failed(f"ivflat-server: {clients} clients were not told all")
    found = {"processor time": ours[2], "time": 1e6 / ours[0]}
    if clients <= WITH_BARE:
        found["bare sendmmsg(), time"] = 1e6 / bench.bare(folder, clients)[0]
    return found


def messages(bench, folder, program, quick):
    cases = [{"case": str(clients), "x": clients, "rounds": [one_round(bench, folder, program, clients)
                                                             for _ in range(rounds)]}
             for clients, rounds in (QUICK if quick else FULL).items()]
    return {"figure": "server-message", "title": "The server: a message, by clients", "unit": "us",
            "x_label": "clients", "cases": cases,
            "few_rounds": "Of 1,000 clients there are 3 rounds and of 2,000 one, which has 4 million messages",
            "notes": ["Clients of one vector join one after the other until so many are there; a message is what one "
                      "of them is told, and all are", "Time is that of server and clients together"]}


def figures(build, quick):
    bench, folder = server_bench(), str(build / "tests/bench")
    program = str(build / "libivflat/tools/ivflat-server")
    joins = [{**figure, "few_rounds": "Of 1,000 clients there are 3 rounds"} if "x_label" in figure else figure
             for figure in bench.join_figures(folder, program, quick)]
    return [messages(bench, folder, program, quick), *joins]
