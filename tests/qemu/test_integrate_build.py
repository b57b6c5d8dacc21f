# SPDX-License-Identifier: BSD-3-Clause
"""A whole QEMU tree is configured: with the library installed, and with none at all."""
import json
import os
import re
import shlex
import shutil
import subprocess
import unittest
from pathlib import Path

from harness.source_tree import integrate
from make.common import CHECKOUT, Missing
from make.source import NewMeson, Sources
from test_integrate import Integration

OPTIONS = ("--target-list=arm-softmmu", "--without-default-features", "--enable-tcg", "--enable-fdt=system",
           "--disable-docs", "--disable-werror", "--disable-install-blobs", "-Doptimization=0", "-Ddebug=false")


class WholeTree(Integration):
    """Of QEMU's two generations of build files: softmmu_ss, and system_ss."""

    builds = ("7.2", "10.0")
    timeout = 600

    def setUp(self):
        super().setUp()
        self.qemu, self.build_folder = self.path("whole"), self.path("build")
        # Of names, not of bytes: integrate replaces files, and configure writes beside the source's files only.
        if subprocess.run(["cp", "-al", self.pristine, self.qemu], stderr=subprocess.DEVNULL, check=False).returncode:
            shutil.rmtree(self.qemu, ignore_errors=True)
            subprocess.run(["cp", "-a", self.pristine, self.qemu], check=True)

    def environment(self, **more):
        found = {}
        if self.build != "7.2":
            try:
                found = NewMeson(Sources()).environment()
            except Missing as missing:
                raise unittest.SkipTest(str(missing)) from missing
        return {**os.environ, "PATH": "/usr/bin:/bin", "PYTHONDONTWRITEBYTECODE": "1", **found, **more}

    def command(self, *words, cwd=None, **environment):
        done = subprocess.run([*map(str, words)], cwd=cwd, env=self.environment(**environment),
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=500, check=False)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        return done.stdout

    def configured(self, **environment):
        """What configure says."""
        os.mkdir(self.build_folder)
        tool = "--meson=/usr/bin/meson" if self.build == "7.2" else "--python=/usr/bin/python3"
        return self.command(os.path.join(self.qemu, "configure"), tool, *OPTIONS, cwd=self.build_folder, **environment)

    def compiled(self):
        """The commands that compile the files of hw/misc/ivflat: {name: command}."""
        with open(os.path.join(self.build_folder, "compile_commands.json")) as file:
            entries = json.load(file)
        return {os.path.basename(entry["file"]): entry for entry in entries if "hw/misc/ivflat/" in entry["file"]}

    def link_of_qemu(self):
        """What qemu-system-arm is made of."""
        with open(os.path.join(self.build_folder, "build.ninja")) as file:
            return re.search(r"^build qemu-system-arm: .*?\n\n", file.read(), re.M | re.S).group()

    def compile_what_the_page_shows(self, like):
        """The code for authors of boards in docs/qemu.md, with the flags of one of our files and no warning."""
        pieces = re.findall(r"^```c\n(.*?)^```$", (CHECKOUT / "docs" / "qemu.md").read_text(), re.M | re.S)
        self.assertEqual(len(pieces), 1)
        board = Path(self.path("board.c"))
        board.write_text(pieces[0])
        words = [str(board) if word == like["file"] else word for word in shlex.split(like["command"])]
        words[words.index(like["output"])] = self.path("board.o")
        self.command(*words, "-Werror", cwd=self.build_folder)

    def installed(self):
        """libivflat in a folder as a system has it; where its .pc is."""
        build, prefix = self.path("library"), self.path("prefix")
        self.command("meson", "setup", build, CHECKOUT, f"--prefix={prefix}", "--libdir=lib",
                     *(f"-D{part}=disabled" for part in ("tests", "examples", "docs")))
        self.command("meson", "install", "-C", build)
        return os.path.join(prefix, "lib", "pkgconfig")

    def integrate_whole(self, **environment):
        done = integrate(self.qemu, "--library=installed", env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stderr

    def test_with_the_library_installed(self):
        packages = {"PKG_CONFIG_PATH": self.installed()}
        self.assertEqual(self.integrate_whole(PKG_CONFIG_LIBDIR=None, **packages), "")
        said = self.configured(**packages)
        self.assertRegex(said, r"Run-time dependency libivflat found: YES 0\.")
        commands = self.compiled()
        self.assertLess({"sysbus.c", "front.c", "flat-name.c"}, set(commands))
        self.command("ninja", "-j2", *(entry["output"] for entry in commands.values()), cwd=self.build_folder)
        self.assertIn(self.path("prefix") + "/lib/libivflat.so", self.link_of_qemu())
        self.compile_what_the_page_shows(commands["sysbus.c"])

    def test_without_the_library_the_device_is_left_out(self):
        self.assertIn("QEMU leaves the device out", self.integrate_whole())
        said = self.configured()
        self.assertRegex(said, "WARNING: the devices ivflat and ivflat-sysbus are left out: there is no libivflat")
        self.assertEqual(self.compiled(), {})
        self.assertNotIn("ivflat", self.link_of_qemu())
        # Its trace events are declared, and nothing of it is missed.
        self.command("ninja", "-j2", "trace/trace-hw_misc.h", "trace/trace-hw_misc.c", cwd=self.build_folder)
