# SPDX-License-Identifier: BSD-3-Clause
"""
Debian's arm64 packages on a machine of any architecture: apt with a state of its own in the cache folder downloads
them, and checks them against the archive's signature.  The machine's packages, lists and settings stay as they are.
"""
import re
import shutil

from make import mirror
from make.common import logged, output_of

from host.common import Missing, check_space

ARCHITECTURE = "arm64"


def sources():
    """A deb822 text of where this machine gets its own release from, updates and security with it."""
    own, stanzas = mirror.release(), []
    for uri, suite, components, key in mirror.configured():
        if suite.split("-")[0].split("/")[0] in (own, "stable") and "main" in components:
            signed = f"Signed-By: {key}\n" if key else ""
            stanzas.append(f"Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n{signed}")
    if not stanzas:
        raise Missing(f"apt is not configured with a mirror that has {own}'s main component")
    return "\n".join(stanzas)


class Apt:
    """apt for arm64, in @folder."""

    def __init__(self, folder):
        if not shutil.which("apt-get"):
            raise Missing("this machine has no apt-get")
        self.folder, self.log = folder, folder / "apt.log"
        for part in ("state/lists/partial", "cache/archives/partial", "sources.list.d"):
            (folder / part).mkdir(parents=True, exist_ok=True)
        (folder / "status").touch()
        (folder / "sources.list.d" / "mirror.sources").write_text(sources())
        self.log.unlink(missing_ok=True)

    def options(self):
        where = self.folder
        settings = {"Dir::State": where / "state", "Dir::State::status": where / "status",
                    "Dir::Cache": where / "cache", "Dir::Etc::sourcelist": "/dev/null",
                    "Dir::Etc::sourceparts": where / "sources.list.d", "Dir::Etc::preferences": "/dev/null",
                    "Dir::Etc::preferencesparts": "/dev/null", "APT::Architecture": ARCHITECTURE,
                    "APT::Architectures": ARCHITECTURE, "APT::Sandbox::User": "root", "Acquire::Languages": "none",
                    "Acquire::Retries": 1, "Acquire::http::Timeout": 20, "Acquire::https::Timeout": 20,
                    "Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled": "false"}
        return [word for name, value in settings.items() for word in ("-o", f"{name}={value}")]

    def get(self, *words, cwd=None):
        return logged(["apt-get", "-q", "-y", *self.options(), *words], self.log, 600, cwd=cwd)

    def show(self, package):
        """The newest version's fields."""
        text = output_of(["apt-cache", *self.options(), "--no-all-versions", "show", package])
        return dict(re.findall(r"^([\w-]+): (.*)$", text.split("\n\n")[0], re.M))

    def why(self):
        """What apt complains of first."""
        check_space(self.log, f"{ARCHITECTURE} packages", self.folder.parent)
        said = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        complaints = [line for line in said if re.match("[WE]: ", line)] or said[-1:]
        return complaints[0] if complaints else "apt said nothing"

    def must(self, holds, package):
        if not holds:
            raise Missing(f"the package {package} for {ARCHITECTURE} is not to be had: {self.why()}")

    def fetch(self, package, folder):
        """Downloads the newest: its record."""
        fields = self.show(package)
        self.must(fields, package)
        self.must(self.get("download", f"{package}={fields['Version']}", cwd=folder), package)
        file = next(folder.glob(f"{package}_*.deb"))
        return {"package": package, "version": fields["Version"], "file": file.name, "sha256": fields["SHA256"]}
