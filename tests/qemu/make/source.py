# SPDX-License-Identifier: BSD-3-Clause
"""QEMU's source as Debian has it, unpacked in the cache and never changed there."""
import json
import re
import shutil
import subprocess
import sys

from make.apt import Apt, compare
from make.common import Broken, Missing, cache, logged, say, tail

# What configure of QEMU 8.1 and later asks for.
MESON = "1.5"


def upstream(version):
    """7.2 of 1:7.2+dfsg-7+deb12u18."""
    match = re.match(r"(?:\d+:)?(\d+\.\d+)", version)
    return match[1] if match else ""


class Sources:
    def __init__(self):
        self.folder = cache()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.apt = Apt(self.folder)
        self.noted = self.folder / "sources.json"

    def known(self):
        try:
            return json.loads(self.noted.read_text())
        except (OSError, ValueError):
            return {}

    def path(self, version):
        return self.folder / "source" / version.rpartition(":")[2]

    def unpack(self, version):
        """Brings @version; False when its files are not there."""
        goal = self.path(version)
        if goal.is_dir():
            return True
        say(f"fetching the source of QEMU {version}")
        download = self.folder / "download"
        shutil.rmtree(download, ignore_errors=True)
        description = self.apt.download_source("qemu", version, download)
        if description is None:
            return False
        goal.parent.mkdir(exist_ok=True)
        partial = download / "tree"
        log = self.folder / "unpack.log"
        log.unlink(missing_ok=True)
        if not logged(["dpkg-source", "--no-check", "-x", description, partial], log, 300):
            raise Broken(f"{description.name} cannot be unpacked:\n{tail(log, 5)}")
        partial.rename(goal)
        shutil.rmtree(download)
        return True

    def candidates(self, wanted):
        every = self.apt.versions("qemu")
        return every if wanted == "newest" else [v for v in every if upstream(v) == wanted]

    def resolve(self, wanted):
        """The version that stands for @wanted ("7.2", "newest"), unpacked."""
        version = self.settled(wanted)
        if version:
            return version
        known = self.known()
        self.apt.update()
        for version in self.candidates(wanted):
            if self.unpack(version):
                self.noted.write_text(json.dumps({**known, wanted: version}))
                return version
        if wanted in known and self.path(known[wanted]).is_dir():
            return known[wanted]
        raise Missing(f"the source of QEMU {wanted} is not to be had: {self.apt.why()}")

    def settled(self, wanted):
        """The version that stands for @wanted since the lists were last read; None when that is to be found out."""
        version = self.known().get(wanted)
        return version if version and self.apt.fresh() and self.path(version).is_dir() else None

    def used(self):
        """The names of the folders of the versions in use."""
        return {self.path(version).name for version in self.known().values()}


def system_meson():
    done = subprocess.run(["/usr/bin/meson", "--version"], stdout=subprocess.PIPE, text=True, check=False)
    return done.stdout.strip()


class NewMeson:
    """A Meson that a new QEMU accepts: the machine's, or Debian's next one, unpacked and used from the cache."""

    def __init__(self, sources):
        self.sources = sources
        self.folder = cache() / "meson"

    def environment(self):
        """What to add to the environment of configure and ninja."""
        if compare(system_meson(), MESON) >= 0:
            return {}
        path = self.folder / "usr" / "lib" / "python3" / "dist-packages"
        if not path.is_dir():
            self.fetch()
        return {"PYTHONPATH": str(path)}

    def fetch(self):
        apt = self.sources.apt
        apt.update()
        download = self.sources.folder / "download"
        for version in apt.binary_versions("meson"):
            if compare(version, MESON) < 0:
                continue
            say(f"fetching Meson {version}")
            package = apt.download_binary("meson", version, download)
            if package:
                subprocess.run(["dpkg", "-x", package, self.folder], check=True, stdout=sys.stderr)
                return
        raise Missing(f"Meson {MESON} or later is not to be had: {apt.why()}")
