# SPDX-License-Identifier: BSD-3-Clause
"""A piece of a real QEMU source tree, large enough for bindings/qemu/integrate, and what changes in it."""
import os
import shutil
import subprocess
import sys
from pathlib import Path

from make.common import ADAPTER, CHECKOUT

# What integrate reads and writes, from the pristine source.
PARTS = ("VERSION", "meson.build", "hw/misc", "docs/system/device-emulation.rst", "docs/system/devices")
MESON = "hw/misc/meson.build"
KCONFIG = "hw/misc/Kconfig"
EVENTS = "hw/misc/trace-events"
TOC = "docs/system/device-emulation.rst"
PAGE = "docs/system/devices/ivflat.rst"
FOLDER = "hw/misc/ivflat"
LIBRARY = "subprojects/libivflat"
RECORD = FOLDER + "/integrated.sha256"


def copy(source, goal):
    goal.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, goal, symlinks=True)
    else:
        shutil.copy2(source, goal)


def snapshot(root):
    """{name: (mode, bytes, or where a link points)} of all that is below @root, folders too."""
    found = {}
    for folder, folders, names in os.walk(root):
        for name in folders + names:
            path = Path(folder, name)
            if path.is_symlink():
                content = os.readlink(path)
            else:
                content = path.read_bytes() if path.is_file() else None
            found[str(path.relative_to(root))] = (path.lstat().st_mode, content)
    return found


def differences(one, other):
    """Two snapshots' names that are not the same in both: short enough for a message."""
    return sorted(name for name in one.keys() | other.keys() if one.get(name) != other.get(name))


def written(root):
    """{name: when it was written}: what a run that does nothing leaves alone."""
    return {str(path.relative_to(root)): path.lstat().st_mtime_ns for path in Path(root).rglob("*")}


def nobody(*command):
    """@command run as nobody: root may write anywhere."""
    return ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", *command]


class Ours:
    """A copy of what makes integrate: the folder of the binding and the library, for a test to change."""

    def __init__(self, folder):
        self.root = Path(folder)
        copy(ADAPTER, self.root / "bindings" / "qemu")
        for name in ("meson.build", "meson_options.txt", "LICENSE", "libivflat"):
            copy(CHECKOUT / name, self.root / name)
        self.device = self.root / "bindings" / "qemu" / "device"
        self.integrate = self.root / "bindings" / "qemu" / "integrate"


class SourceTree:
    """@pristine: the whole source, which is only read."""

    def __init__(self, folder, pristine):
        self.root, self.pristine = Path(folder), Path(pristine)
        for part in PARTS:
            copy(self.pristine / part, self.root / part)
        (self.root / "subprojects").mkdir()
        self.before = snapshot(self.root)

    def path(self, name):
        return self.root / name

    def text(self, name):
        return self.path(name).read_text()

    def rewrite(self, name, old, new):
        text = self.text(name)
        assert old in text, f"{name} has no {old!r}"
        self.path(name).write_text(text.replace(old, new))

    def now(self):
        return snapshot(self.root)

    def untouched(self):
        return self.now() == self.before


def integrate(root, *options, program=ADAPTER / "integrate", wrap=lambda *command: list(command), env=None, text=True):
    """Runs it with nothing installed that pkg-config could know, unless @env says where; its None unsets a name."""
    environment = {**os.environ, "PKG_CONFIG_LIBDIR": "/nowhere", "PKG_CONFIG_PATH": "", **(env or {})}
    environment = {name: value for name, value in environment.items() if value is not None}
    return subprocess.run(wrap(sys.executable, program, *options, root), stdin=subprocess.DEVNULL, env=environment,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=text, timeout=100, check=False)
