# SPDX-License-Identifier: BSD-3-Clause
"""Which figures there are, in the page's order: programs that keep to README.md, and what is measured from here."""
import calls
import clients
import instructions
import programs
import shape
import size


def program(name):
    return lambda build, quick: programs.figures_of(build / "tests/bench" / name, build, quick)


def from_here(module):
    def measure(build, quick):
        try:
            return [shape.checked(figure, quick, module.__name__) for figure in module.figures(build, quick)], None
        except programs.Skipped as skipped:
            return [], str(skipped)
    return measure


def kvm(build, quick):
    path = programs.BENCH / "kvm" / "run"
    return programs.figures_of(path, build, quick) if path.exists() else ([], "its programs are not in this tree")


# {name, for --only: measure(build, quick) -> (figures, why some are not there or None)}
ALL = {
    "instructions": from_here(instructions),
    "doorbell": program("doorbell"),
    "trip": program("trip"),
    "calls": from_here(calls),
    "kvm": kvm,
    "join": program("join"),
    "memory": program("memory"),
    "storm": program("storm"),
    "start": program("start"),
    "size": from_here(size),
    "server": from_here(clients),
}
