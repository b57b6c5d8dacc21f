# SPDX-License-Identifier: BSD-3-Clause
"""The size of the stripped library."""
import os
import tempfile
from pathlib import Path

from programs import Failed, output


def library(build):
    found = [path for path in (build / "libivflat").glob("libivflat.so.*") if path.is_file() and not path.is_symlink()]
    if len(found) != 1:
        raise Failed(f"there are {len(found)} shared libraries in {build / 'libivflat'}, one is right")
    return found[0]


def figures(build, quick):
    path = library(build)
    with tempfile.TemporaryDirectory(prefix="ivflat-bench-") as folder:
        stripped = Path(folder, "stripped")
        output("strip", "--strip-unneeded", "-o", stripped, path)
        size = os.path.getsize(stripped)
        parts = output("size", stripped).splitlines()[1].split()
    return [{"figure": "size", "title": "The stripped library", "unit": "bytes", "counted": True,
             "cases": [{"case": "", "rounds": [{"file": size, "code and constants": int(parts[0]),
                                                "data": int(parts[1]), "zeroed": int(parts[2])}]}],
             "notes": ["The device and the server together"]}]
