# SPDX-License-Identifier: BSD-3-Clause
"""One QEMU tree a version: a copy of the pristine source, with our device put in by bindings/qemu/integrate."""
import shutil
import subprocess
import sys

from make import files, library
from make.common import ADAPTER, Broken, cache, say

def ours():
    """Changes when anything of ours that gets into QEMU does."""
    return files.digest(ADAPTER, *library.PARTS)


class Tree:
    def __init__(self, sources, version):
        self.pristine = sources.path(version)
        self.path = cache() / "tree" / self.pristine.name
        self.stamp = self.path / "ivflat.stamp"

    def current(self):
        return self.stamp.exists() and self.stamp.read_text() == ours()

    def copy(self):
        say(f"copying QEMU {self.pristine.name}")
        self.path.parent.mkdir(exist_ok=True)
        partial = self.path.with_name(self.path.name + ".partial")
        shutil.rmtree(partial, ignore_errors=True)
        subprocess.run(["cp", "-a", "--reflink=auto", self.pristine, partial], check=True)
        partial.rename(self.path)

    def integrate(self, *words):
        done = subprocess.run([sys.executable, ADAPTER / "integrate", *words, self.path], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise Broken(f"bindings/qemu/integrate on {self.pristine.name}:\n{done.stdout}")

    def update(self):
        """The tree with what the checkout has now."""
        if not self.path.is_dir():
            self.copy()
        if self.current():
            return
        state = ours()
        self.integrate("--library=subproject")
        self.stamp.write_text(state)
