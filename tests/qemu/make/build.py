# SPDX-License-Identifier: BSD-3-Clause
"""A build folder a recipe: made from nothing when version or options change, else brought up to date by ninja."""
import json
import os
import shlex
import shutil
from pathlib import Path

from make import recipes
from make.common import Broken, cache, logged, say, tail
from make.tree import ours

CONFIGURE_TIME = 300
BUILD_TIME = 3600


class Build:
    """What @recipe gives, of the tree @tree."""

    def __init__(self, recipe, tree, environment):
        self.recipe, self.tree = recipe, tree
        self.path = cache() / "build" / recipe.name
        self.log = cache() / "build" / (recipe.name + ".log")
        self.stamp = self.path / "ivflat.stamp"
        self.environment = {**os.environ, "PATH": "/usr/bin:/bin:" + os.environ.get("PATH", ""), **environment}

    @property
    def name(self):
        return self.recipe.name

    def program(self, name=None):
        return self.path / (name or f"qemu-system-{self.recipe.target}")

    def options(self):
        list_name = f"ivflat-{self.recipe.name}"
        # Debian's own Python and Meson, whatever else is on the PATH; 7.2 takes only one of the two to be named.
        tool = "--meson=/usr/bin/meson" if self.recipe.version == "7.2" else "--python=/usr/bin/python3"
        return [tool, *recipes.options(self.recipe), f"--with-devices-{self.recipe.target}={list_name}"]

    def key(self):
        """Whether the folder can be kept."""
        return " ".join(map(str, [self.tree.path, *self.options()]))

    def state(self):
        """Whether there is something to build."""
        return "\n".join([self.key(), recipes.devices(self.recipe), ours()])

    def current(self):
        return self.stamp.exists() and self.stamp.read_text() == self.state()

    def fail(self, what):
        raise Broken(f"{what} of QEMU {self.name} failed:\n{tail(self.log)}")

    def list_devices(self):
        """Writes the list of devices, if it changed: ninja then configures anew by itself."""
        path = self.tree.path / "configs" / "devices" / f"{self.recipe.target}-softmmu" / f"ivflat-{self.name}.mak"
        if not path.exists() or path.read_text() != recipes.devices(self.recipe):
            path.write_text(recipes.devices(self.recipe))

    def configure(self):
        self.list_devices()
        key = self.path / "ivflat.key"
        if key.exists() and key.read_text() == self.key():
            return
        say(f"configuring QEMU {self.name} ({self.tree.path.name})")
        shutil.rmtree(self.path, ignore_errors=True)
        self.path.mkdir(parents=True)
        if not logged([self.tree.path / "configure", *self.options()], self.log, CONFIGURE_TIME, cwd=self.path,
                      env=self.environment):
            self.fail("configuring")
        key.write_text(self.key())

    def ninja(self):
        """Not all of QEMU: the programs, or of what is only compiled our files and what they need."""
        # What there is to compile is known when a new file has been configured.
        if not logged(["ninja", "build.ninja"], self.log, CONFIGURE_TIME, cwd=self.path, env=self.environment):
            return False
        words = ["ninja", "-j", str(os.cpu_count() or 2), *(self.programs() if self.recipe.runs else self.objects())]
        return logged(words, self.log, BUILD_TIME, cwd=self.path, env=self.environment)

    def objects(self):
        return [command["output"] for command in self.commands()]

    def commands(self):
        """How each of our files is compiled."""
        entries = json.loads((self.path / "compile_commands.json").read_text())
        return [entry for entry in entries if "/hw/misc/ivflat/" in str(Path(self.path, entry["file"]).resolve())]

    def update(self):
        if self.current():
            return
        state = None
        # Again, where somebody changed our files while they were compiled.
        while state != self.state():
            state = self.state()
            self.log.unlink(missing_ok=True)
            self.configure()
            say(f"building QEMU {self.name}")
            if self.ninja():
                self.stamp.write_text(state)
                return
        self.fail("the build")

    def programs(self):
        tools = ["contrib/ivshmem-server/ivshmem-server", "contrib/ivshmem-client/ivshmem-client"]
        return [f"qemu-system-{self.recipe.target}"] + (tools if "--enable-tools" in self.recipe.options else [])

    def strict(self, command, flags, output):
        """@command's words with @flags, and with QEMU's headers taken as the system's: their warnings are theirs."""
        words = shlex.split(command["command"])
        place = words.index("-o")
        words[place:place + 2] = ["-o", str(output)]
        outside = []
        for word in words:
            if word.startswith("-I"):
                outside += ["-isystem", word[2:]]
            else:
                outside.append("-isystem" if word == "-iquote" else word)
        return outside + list(flags)
