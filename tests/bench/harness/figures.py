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


def folder(name, needed="."):
    """One that has a run of its own, and needs a program that not every build has."""
    def measure(build, quick):
        if not (build / needed).exists():
            return [], f"this build has no {needed}"
        return programs.figures_of(programs.BENCH / name / "run", build, quick)
    return measure


# {name, for --only: measure(build, quick) -> (figures, why some are not there or None)}
ALL = {
    "instructions": from_here(instructions),
    "doorbell": program("doorbell"),
    "threads": program("threads"),
    "trip": program("trip"),
    "calls": from_here(calls),
    "kvm": folder("kvm", "examples/kvm/ivflat-kvm"),
    "renode": folder("renode"),
    "join": program("join"),
    "memory": program("memory"),
    "storm": program("storm"),
    "start": program("start"),
    "size": from_here(size),
    "server": from_here(clients),
}
