# SPDX-License-Identifier: BSD-3-Clause
"""The arm64 packages that the Linux side is made of, downloaded once and checked in each run."""
import hashlib
import json
import re
import shutil
from pathlib import Path

from host.common import Refused, say
from host.foreign import ARCHITECTURE, Apt

# Follows whatever kernel the release has now.
KERNEL = "linux-image-cloud-arm64"
OTHERS = ("busybox-static",)


def sha256(path):
    digest = hashlib.sha256()
    with open(path, "rb") as file:
        for block in iter(lambda: file.read(1 << 20), b""):
            digest.update(block)
    return digest.hexdigest()


def kernel_package(apt):
    """The name of the one that has the kernel itself: the one that is always named the same depends on it."""
    match = re.search(r"\blinux-image-\d\S*", apt.show(KERNEL).get("Depends", ""))
    apt.must(match, KERNEL)
    return match[0]


class Packages:
    """The arm64 packages as files, in the cache or in a folder that the user has named."""

    def __init__(self, cache, given=None, fresh=False):
        self.cache, self.given, self.fresh = cache, given, fresh
        self.folder = cache / "packages"
        self.record = self.folder / "packages.json"

    def paths(self):
        """{"kernel": path, "busybox-static": path}"""
        if self.given:
            return self.found()
        if self.fresh or not self.whole():
            self.download()
        return {entry["role"]: self.folder / entry["file"] for entry in self.entries()}

    def entries(self):
        try:
            return json.loads(self.record.read_text())
        except (OSError, ValueError):
            return []

    def whole(self):
        """Whether all is there as apt has checked it."""
        entries = self.entries()
        for entry in entries:
            path = self.folder / entry["file"]
            if not path.is_file() or sha256(path) != entry["sha256"]:
                say(f"{path} is not what was downloaded: fetching all again")
                return False
        return bool(entries)

    def download(self):
        say(f"fetching {KERNEL} and busybox for {ARCHITECTURE}")
        apt = Apt(self.cache / "apt")
        partial = self.cache / "packages.partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        # What cannot be read of the lists is not to be had then, and apt has said why.
        apt.get("update")
        entries = [{"role": "kernel", **apt.fetch(kernel_package(apt), partial)}]
        entries += [{"role": name, **apt.fetch(name, partial)} for name in OTHERS]
        (partial / self.record.name).write_text(json.dumps(entries, indent=1))
        shutil.rmtree(self.folder, ignore_errors=True)
        partial.rename(self.folder)

    def found(self):
        """The same from a folder of the user's."""
        chosen = {}
        for role, pattern in (("kernel", "linux-image-[0-9]*_arm64.deb"), *((n, f"{n}_*_arm64.deb") for n in OTHERS)):
            paths = sorted(Path(self.given).glob(pattern))
            if not paths:
                raise Refused(f"linux: {self.given} has no package {pattern}")
            chosen[role] = paths[-1]
        return chosen
