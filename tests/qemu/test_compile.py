# SPDX-License-Identifier: BSD-3-Clause
"""One source for every QEMU: each of our files compiles in each version without a warning, and none is left out."""
import os
import subprocess

from harness.case import Case
from make.common import ADAPTER

STRICT = ("-Wall", "-Wextra", "-Werror")
# A file that is compiled only where QEMU has no ivshmem-flat of its own.
NAME_ALONE = "flat-name.c"


class Made(Case):
    boards = ()

    @property
    def made(self):
        return self.builds_made[self.build]


class Complete(Made):
    builds = ("7.2", "10.0", "asan", "newest")

    def compiled(self):
        """What was: in a build that runs only what gets linked, in the others all."""
        return {os.path.basename(entry["file"]) for entry in self.made.commands()
                if (self.made.path / entry["output"]).exists()}

    def test_every_file_is_compiled_that_this_qemu_needs(self):
        every = {path.name for path in (ADAPTER / "device").glob("*.c")}
        self.assertIn(NAME_ALONE, every)
        recipe = self.made.recipe
        left_out = {NAME_ALONE} if recipe.upstream and recipe.runs else set()
        self.assertEqual(self.compiled(), every - left_out)


class Warnings(Made):
    builds = ("7.2", "10.0", "newest")
    timeout = 300

    def test_no_file_has_one(self):
        said = []
        for entry in self.made.commands():
            done = subprocess.run(self.made.strict(entry, STRICT, self.path("strict.o")), cwd=self.made.path,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
            if done.returncode != 0:
                said.append(done.stdout)
        if said:
            self.fail("\n".join(said))


class Sanitized(Made):
    builds = ("asan",)

    def test_the_build_with_sanitizers_has_them(self):
        with open(self.program("qemu-system-arm"), "rb") as file:
            self.assertIn(b"__asan_init", file.read())
