# SPDX-License-Identifier: BSD-3-Clause
"""The table of boards: docs/qemu.md has the rows of boards.py, and those work that this build has the machines for."""
import re
import subprocess

import boards
from harness.case import Case
from make.common import CHECKOUT

ROW = re.compile(r"^\| ([\w-]+) \| (0x[0-9a-f]{8}) \| (0x[0-9a-f]{8}) \| (\S+) \|$", re.M)


class Page(Case):
    builds = ("10.0",)
    boards = ()

    def test_the_pages_table_is_the_one_that_is_tried(self):
        page = ROW.findall((CHECKOUT / "docs" / "qemu.md").read_text())
        tried = [(row[0].partition(",")[0], f"0x{row[1]:08x}", f"0x{row[2]:08x}", row[3]) for row in boards.ROWS]
        self.assertEqual(page, sorted(tried))


class Tried(Case):
    boards = ()

    def test_each_of_this_build(self):
        said = subprocess.run([self.program("qemu-system-arm"), "-M", "help"], stdout=subprocess.PIPE, text=True,
                              timeout=30, check=True).stdout
        here = {line.split()[0] for line in said.splitlines()[1:]}
        programs = self.program("qemu-system-arm"), f"{self.library}/ivflat-server"
        wrong = {row[0]: boards.tried(programs, row) for row in boards.ROWS if row[0].partition(",")[0] in here}
        self.assertGreater(len(wrong), 3)
        self.assertEqual({name: what for name, what in wrong.items() if what}, {})
