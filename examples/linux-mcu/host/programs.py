# SPDX-License-Identifier: BSD-3-Clause
"""Our programs and guests, built by Meson in the cache; and a QEMU with our device, as tests/qemu builds it."""
import hashlib
import os

import make.common
from make import recipes
from make.command import Workshop
from make.common import logged, tail

from host.common import CHECKOUT, Missing, Refused, say

OPTIONS = ("-Dexamples=enabled", "-Dtests=disabled", "-Ddocs=disabled")
# Enough for the stations, and the quickest to build.
VERSION = "7.2"


class Programs:
    """What Meson makes of this checkout, in a folder of its own for each checkout."""

    def __init__(self, cache):
        name = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]
        self.folder, self.log = cache / f"build-{name}", cache / f"build-{name}.log"

    def run(self, *words):
        # Debian's own Meson, whatever else is on the PATH.
        environment = {**os.environ, "PATH": "/usr/bin:/bin:" + os.environ.get("PATH", "")}
        if not logged(words, self.log, 1200, env=environment):
            raise Refused(f"build: {words[0]} failed; the end of {self.log}:\n{tail(self.log, 20)}")

    def make(self):
        self.log.unlink(missing_ok=True)
        if not (self.folder / "build.ninja").exists():
            say(f"building in {self.folder}")
            self.run("meson", "setup", self.folder, CHECKOUT, *OPTIONS)
        self.run("ninja", "-C", self.folder)
        if not self.gateway.exists():
            # It was set up before there was a compiler for it.
            self.run("meson", "setup", "--reconfigure", self.folder, CHECKOUT)
            self.run("ninja", "-C", self.folder)
        for path in (self.gateway, self.unicorn, self.unicorn_firmware):
            if not path.exists():
                raise Refused(f"build: {path.name} was not built, for lack of a compiler or a library: see {self.log}")
        return self

    @property
    def gateway(self):
        return self.folder / "examples" / "linux-mcu" / "gateway"

    def firmware(self, board):
        return self.folder / "examples" / "linux-mcu" / f"station-{board}-1.elf"

    @property
    def unicorn_firmware(self):
        return self.folder / "examples" / "linux-mcu" / "station-2.bin"

    @property
    def unicorn(self):
        return self.folder / "examples" / "unicorn" / "ivflat-unicorn"

    def tool(self, name):
        return self.folder / "libivflat" / "tools" / name


def our_qemu():
    """A qemu-system-arm with the device.  While we run nobody makes it anew."""
    workshop = Workshop([recipe for recipe in recipes.RECIPES if recipe.name == VERSION])
    try:
        workshop.make()
    except make.common.Missing as missing:
        raise Missing(str(missing)) from None
    except make.common.Broken as broken:
        raise Refused(f"build: {broken}") from None
    if VERSION in workshop.missing:
        raise Missing(workshop.missing[VERSION])
    if VERSION in workshop.broken:
        raise Refused(f"build: {workshop.broken[VERSION]}")
    our_qemu.workshop = workshop
    return workshop.builds[VERSION].program()
