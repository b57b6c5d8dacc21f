# SPDX-License-Identifier: BSD-3-Clause
"""Where this machine gets Debian from, read from its own apt configuration, with the suites that carry other QEMUs."""
import re
from pathlib import Path

from make.common import Missing, output_of

# Debian's releases in their order; those after the machine's own have the newer QEMUs.
RELEASES = ("bullseye", "bookworm", "trixie", "forky", "sid")


def release(text=None):
    """The release that runs, by /etc/os-release."""
    try:
        text = text or Path("/etc/os-release").read_text()
    except OSError:
        text = ""
    fields = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.M))
    name = fields.get("VERSION_CODENAME", "sid" if fields.get("ID") == "debian" else "")
    if name not in RELEASES:
        raise Missing(f"no Debian release that is known here runs ({name or 'none is named'} in /etc/os-release)")
    return name


def suites(own):
    """The suites to ask: the release that runs, its backports, and all that came later."""
    later = RELEASES[RELEASES.index(own):]
    backports = [own + "-backports"] if own != "sid" else []
    return [own] + backports + list(later[1:])


def one_line_entries(text):
    """(URI, suite, components, key) of each "deb ..." line."""
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[([^]]*)\]\s*)?(\S+)\s+(\S+)\s+([^#]*)", line)
        if match:
            options = dict(word.partition("=")[::2] for word in (match[1] or "").split())
            yield match[2], match[3], match[4].split(), options.get("signed-by", "")


def stanza_fields(stanza):
    lines = [line for line in stanza.splitlines() if not line.startswith("#")]
    return {name.lower(): value.strip() for name, value in
            re.findall(r"^([\w-]+):(.*(?:\n[ \t].*)*)", "\n".join(lines), re.M)}


def stanza_entries(text):
    """The same of each deb822 stanza."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = stanza_fields(stanza)
        if "deb" not in fields.get("types", "").split() or fields.get("enabled", "yes").lower() in ("no", "false"):
            continue
        for uri in fields.get("uris", "").split():
            for suite in fields.get("suites", "").split():
                yield uri, suite, fields.get("components", "").split(), fields.get("signed-by", "")


def configured():
    """What apt itself is configured with."""
    found = output_of(["apt-config", "shell", "list", "Dir::Etc::sourcelist/f", "parts", "Dir::Etc::sourceparts/d"])
    named = dict(re.findall(r"^(\w+)='(.*)'$", found, re.M))
    folder = Path(named.get("parts", "/etc/apt/sources.list.d"))
    files = [Path(named.get("list", "/etc/apt/sources.list"))] + sorted(folder.glob("*"))
    for file in files:
        if file.is_file() and file.suffix in (".list", ".sources"):
            read = stanza_entries if file.suffix == ".sources" else one_line_entries
            yield from read(file.read_text(errors="replace"))


def sources():
    """A deb822 file that has source and binary packages of all suites, from where this machine gets its own."""
    own = release()
    for uri, suite, components, key in configured():
        if suite == own and "main" in components:
            signed = f"Signed-By: {key}\n" if key else ""
            return (f"Types: deb deb-src\nURIs: {uri}\nSuites: {' '.join(suites(own))}\n"
                    f"Components: main\n{signed}")
    raise Missing(f"apt is not configured with a mirror that has {own}'s main component")
