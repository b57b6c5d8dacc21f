# SPDX-License-Identifier: BSD-3-Clause
"""QEMU 10.0 as users have it, optimised, with both devices in it: ours, and its own behind the front in flat/."""
from pathlib import Path

from make import files, library, recipes
from make.build import Build
from make.common import cache
from make.lock import Lock
from make.source import NewMeson, Sources
from make.tree import Tree

RECIPE = recipes.Recipe("bench", "10.0", ("-Doptimization=2",), upstream=True, runs=True)
FLAT = Path(__file__).resolve().parent / "flat"
LINE = "subdir('ivflat-bench')\n"


def write(path, content):
    """Leaves a file alone that is right: ninja goes by the time."""
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


class ScratchTree(Tree):
    """Not the tests' tree: nobody has flat-front in his."""

    def __init__(self, sources, version):
        super().__init__(sources, version)
        self.path = cache() / "bench" / "tree" / self.pristine.name
        self.stamp = self.path / "ivflat.stamp"

    def copy(self):
        self.path.parent.parent.mkdir(exist_ok=True)
        super().copy()

    def update(self):
        super().update()
        for name, path in files.below(FLAT).items():
            write(self.path / "hw" / "misc" / "ivflat-bench" / name, path.read_bytes())
        folder = self.path / "hw" / "misc" / "meson.build"
        text = folder.read_text()
        if LINE not in text:
            folder.write_text(text + LINE)


class ScratchBuild(Build):
    """In a folder of its own: the tests remove builds that they do not know."""

    def __init__(self, recipe, tree, environment):
        super().__init__(recipe, tree, environment)
        self.path = cache() / "bench" / "build"
        self.log = cache() / "bench" / "build.log"
        self.stamp = self.path / "ivflat.stamp"

    def state(self):
        return super().state() + files.digest(FLAT)


def make_current(name, current, make):
    """Makes what is not up to date while nobody uses it, and has it stay so until this process ends."""
    lock = Lock(name)
    if not current():
        with lock.alone():
            make()
    lock.share()
    HELD.append(lock)


def built():
    """(qemu-system-arm, the folder of ivflat-server), up to date."""
    sources = Sources()
    with Lock("setup").alone():
        environment = NewMeson(sources).environment()
        build = ScratchBuild(RECIPE, ScratchTree(sources, sources.resolve(RECIPE.version)), environment)
        build.tree.update()
    make_current("library", library.current, library.build)
    make_current("bench", build.current, build.update)
    return build.program(), library.programs()


HELD = []
