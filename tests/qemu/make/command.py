# SPDX-License-Identifier: BSD-3-Clause
"""The command line: makes what is to be tested, then has the tests run."""
import argparse
import os
import shutil
import signal
import sys
from pathlib import Path

from harness import runner
from harness.case import Case
from make import library, recipes
from make.build import Build
from make.common import Broken, Missing, cache, say
from make.lock import Lock
from make.source import NewMeson, Sources
from make.tree import Tree

SKIPPED = 77
TESTS = Path(__file__).resolve().parents[1]


def parse(arguments, text):
    parser = argparse.ArgumentParser(prog="tests/qemu/run", usage="tests/qemu/run [OPTION]... [TEST]...",
                                     description=text, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tests", metavar="TEST", nargs="*")
    parser.add_argument("--list", action="store_true", help="only name the tests")
    parser.add_argument("--builds", default="", help="only these: " + ", ".join(r.name for r in recipes.RECIPES))
    parser.add_argument("--build-only", action="store_true", help="build, and run nothing")
    parser.add_argument("--long", action="store_true", help="what is random runs for a minute, by new numbers")
    parser.add_argument("--keep", action="store_true", help="keep the files of tests that fail")
    parser.add_argument("-j", type=int, default=min(2, os.cpu_count() or 1), help="so many tests at once")
    chosen = parser.parse_args(arguments)
    chosen.builds = [name for name in chosen.builds.split(",") if name]
    known = [recipe.name for recipe in recipes.RECIPES]
    for name in chosen.builds:
        if name not in known:
            parser.error(f"there is no build '{name}'; there are {', '.join(known)}")
    return chosen


def wanted_builds(chosen, tests):
    """The names of the builds that the chosen tests run on."""
    used = {getattr(test, "build", None) for _, test in tests}
    return [r for r in recipes.RECIPES if (r.name in chosen.builds if chosen.builds else r.name in used)]


class Workshop:
    """All that is built."""

    def __init__(self, chosen):
        self.recipes, self.sources = chosen, Sources()
        self.locks = {name: Lock(name) for name in ["setup", "library", *(recipe.name for recipe in chosen)]}
        self.builds, self.broken, self.missing = {}, {}, {}

    def set_up(self, recipe):
        """The build of @recipe, with its tree as it is to be."""
        try:
            version = self.sources.resolve(recipe.version)
            environment = {} if recipe.version == "7.2" else NewMeson(self.sources).environment()
            build = Build(recipe, Tree(self.sources, version), environment)
            build.tree.update()
            self.builds[recipe.name] = build
        except Broken as broken:
            self.broken[recipe.name] = str(broken)
        except Missing as missing:
            self.missing[recipe.name] = str(missing)

    def build(self, name):
        if self.builds[name].current():
            return
        with self.locks[name].alone():
            try:
                self.builds[name].update()
            except Broken as broken:
                self.broken[name] = str(broken)
                del self.builds[name]

    def make(self):
        with self.locks["setup"].alone():
            for recipe in self.recipes:
                self.set_up(recipe)
            self.prune()
        if not library.current():
            with self.locks["library"].alone():
                library.build()
        for name in list(self.builds):
            self.build(name)
        for name in ["library", *self.builds]:
            self.locks[name].share()

    def prune(self):
        """Removes sources, trees and builds that nothing uses any more."""
        used = self.sources.used()
        keep = {"source": used, "tree": used, "build": {recipe.name for recipe in recipes.RECIPES}}
        for folder, names in keep.items():
            for path in (cache() / folder).glob("*"):
                if path.is_dir() and path.name not in names:
                    shutil.rmtree(path)


def ended(number, _frame):
    """Ends what was started, as Ctrl-C does."""
    sys.exit(128 + number)


def main(arguments, text):
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ended)
    chosen = parse(arguments, text)
    tests = runner.chosen(runner.discover(str(TESTS)), chosen.tests)
    if chosen.list:
        print("\n".join(name for name, _ in tests))
        return 0
    if not tests:
        say(f"no test's name has {' or '.join(chosen.tests)} in it; --list names them")
        return 2
    return made_and_run(chosen, tests)


def made_and_run(chosen, tests):
    try:
        workshop = Workshop(wanted_builds(chosen, tests))
        workshop.make()
    except Missing as missing:
        say(f"SKIPPED: {missing}")
        return SKIPPED
    except Broken as broken:
        say(f"FAILED: {broken}\n0 passed, 1 failed, 0 skipped")
        return 1
    return run(chosen, tests, workshop)


def run(chosen, tests, workshop):
    for name, why in workshop.broken.items():
        say(f"FAILED: the build {name}: {why}")
    for name, why in workshop.missing.items():
        say(f"SKIPPED: the build {name}: {why}")
    if workshop.missing and not workshop.builds and not workshop.broken:
        return SKIPPED
    Case.programs = {name: str(build.path) for name, build in workshop.builds.items()}
    Case.builds_made = workshop.builds
    Case.library = str(library.programs())
    Case.long = chosen.long
    fitting = [] if chosen.build_only else [
        (name, test) for name, test in tests if getattr(test, "build", None) in [None, *workshop.builds]]
    if not fitting and not chosen.build_only and not workshop.broken:
        say("SKIPPED: none of these tests is for these builds")
        return SKIPPED
    count = runner.Runner(chosen.j, chosen.keep).run(fitting)
    failed = count["FAILED"] + len(workshop.broken)
    say(f"{count['ok']} passed, {failed} failed, {count['skipped'] + len(workshop.missing)} skipped")
    return 1 if failed else 0
