# SPDX-License-Identifier: BSD-3-Clause
"""apt with a state of its own in the cache folder: the machine's packages, lists and settings stay as they are."""
import functools
import re
import shutil
import subprocess
import time

from make import mirror
from make.common import Missing, logged, output_of

DAY = 24 * 3600


def compare(a, b):
    for word, answer in (("lt", -1), ("gt", 1)):
        if subprocess.run(["dpkg", "--compare-versions", a, word, b], check=False).returncode == 0:
            return answer
    return 0


class Apt:
    def __init__(self, folder):
        if not shutil.which("apt-get"):
            raise Missing("this machine has no apt-get")
        self.folder = folder / "apt"
        self.log = folder / "apt.log"
        self.asked = False

    def options(self):
        where = self.folder
        settings = {"Dir::State": where / "state", "Dir::State::status": "/var/lib/dpkg/status",
                    "Dir::State::lists": where / "lists", "Dir::Cache": where / "cache",
                    "Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": where / "sources.list.d",
                    "Dir::Etc::preferences": "/dev/null", "Dir::Etc::preferencesparts": "/dev/null",
                    "APT::Sandbox::User": "root", "Acquire::Languages": "none", "Acquire::Retries": 1,
                    "Acquire::http::Timeout": 20, "Acquire::https::Timeout": 20,
                    "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false"}
        return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]

    def get(self, *words, timeout=600, cwd=None):
        return logged(["apt-get", "-qq", "-y", *self.options(), *words], self.log, timeout, cwd=cwd)

    def fresh(self):
        """True when the suites' lists were read in the last day."""
        stamp = self.folder / "updated"
        return stamp.exists() and 0 <= time.time() - stamp.stat().st_mtime < DAY

    def update(self):
        """Reads the suites' lists, once a day, and tries to once a run."""
        if self.asked or self.fresh():
            return
        self.asked = True
        for part in ("state/lists/partial", "lists/partial", "cache/archives/partial", "sources.list.d"):
            (self.folder / part).mkdir(parents=True, exist_ok=True)
        (self.folder / "sources.list.d" / "mirror.sources").write_text(mirror.sources())
        self.log.unlink(missing_ok=True)
        self.get("update", timeout=180)
        if self.versions("qemu"):
            (self.folder / "updated").touch()

    def versions(self, package):
        """The versions of a source package that are to be had, newest first."""
        text = output_of(["apt-cache", *self.options(), "showsrc", package])
        found = set()
        for stanza in text.split("\n\n"):
            if re.search(rf"^Package: {re.escape(package)}$", stanza, re.M):
                found.update(re.findall(r"^Version: (\S+)$", stanza, re.M))
        return sorted(found, key=functools.cmp_to_key(compare), reverse=True)

    def download_source(self, package, version, folder):
        """The path of the .dsc, or None: a version may be listed and its files not there."""
        folder.mkdir(parents=True, exist_ok=True)
        if not self.get("--download-only", "source", f"{package}={version}", cwd=folder):
            return None
        return next(folder.glob("*.dsc"), None)

    def binary_versions(self, package):
        found = set(re.findall(r"^Version: (\S+)$",
                               output_of(["apt-cache", *self.options(), "show", package]), re.M))
        return sorted(found, key=functools.cmp_to_key(compare))

    def download_binary(self, package, version, folder):
        folder.mkdir(parents=True, exist_ok=True)
        if not self.get("download", f"{package}={version}", cwd=folder):
            return None
        return next(folder.glob(f"{package}_*.deb"), None)

    def why(self):
        """What apt complains of first, in one line."""
        said = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        complaints = [line for line in said if re.match("[WE]: ", line)] or said[-1:]
        return complaints[0] if complaints else "apt said nothing"
