# SPDX-License-Identifier: BSD-3-Clause
"""The library by Meson, and the adapter and its tests by mcs, once for each shape of Renode's interfaces."""
import os
import subprocess

MCS = ["mcs", "-langversion:5", "-warn:4", "-warnaserror+"]


def run(*command):
    """Says nothing unless it fails."""
    subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                   stderr=subprocess.STDOUT, check=True)


class Library:
    """libivflat.so and its two programs in the build folder @build; @fresh: to be made."""

    def __init__(self, root, build, fresh):
        self.build = build
        self.so = build / "libivflat" / "libivflat.so.0"
        self.server = build / "libivflat" / "tools" / "ivflat-server"
        self.client = build / "libivflat" / "tools" / "ivflat-client"
        if fresh:
            run("meson", "setup", build, root, "-Dtests=disabled", "-Ddocs=disabled")
        # The programs need the library, and the name of its file has a version that is nobody's business here.
        run("ninja", "-C", build, "-j2", *(os.path.relpath(path, build) for path in (self.server, self.client)))


def compile_stubs(root, library, folder):
    """How C lays out the structs, in layout.txt, and libraries that are to be refused."""
    host = root / "tests" / "renode" / "host"
    run("gcc", f"-I{root}", f"-I{library.build}", "-o", folder / "layout", host / "layout.c")
    with open(folder / "layout.txt", "wb") as output:
        subprocess.run([folder / "layout"], stdout=output, check=True)
    for name, version in (("old", "0x000009"), ("lacking", "0x000100")):
        run("gcc", "-shared", "-fPIC", f"-DVERSION={version}", "-o", folder / f"{name}.so", host / "stub.c")


class Shape:
    """One Renode as the adapter sees it: 1.14, 1.15 or 1.16."""

    def __init__(self, root, name):
        self.name = name
        self.adapter = root / "bindings" / "renode" / "IvshmemFlat.cs"
        self.tests = root / "tests" / "renode"

    def compile(self, folder):
        """The test program, beside what it is linked with."""
        into = folder / self.name
        into.mkdir()
        declarations = [self.tests / "declarations" / f"{name}.cs"
                        for name in ("Interfaces", "Support", f"Shape-{self.name}")]
        run(*MCS, "-target:library", f"-out:{into}/renode.dll", *declarations,
            *sorted((self.tests / "machine").glob("*.cs")))
        run(*MCS, "-target:library", f"-r:{into}/renode.dll", f"-out:{into}/IvshmemFlat.dll", self.adapter)
        run(*MCS, f"-r:{into}/renode.dll", f"-r:{into}/IvshmemFlat.dll", f"-out:{into}/tests.exe",
            *sorted((self.tests / "cases").glob("*.cs")))
        return into / "tests.exe"
