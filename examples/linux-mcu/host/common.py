# SPDX-License-Identifier: BSD-3-Clause
"""What all of host/ shares: the folders, and the reasons to stop."""
import os
import re
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
CHECKOUT = HERE.parents[1]


class Missing(Exception):
    """What this machine cannot give (network, package): the run is skipped, with the reason."""


class Refused(Exception):
    """What went wrong, in one sentence that begins with the side's name."""


def cache():
    named = os.environ.get("IVFLAT_LINUX_MCU_CACHE")
    if named:
        return Path(named).absolute()
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "libivflat" / "linux-mcu"


def check_space(log, what, folder):
    """Whether it was for lack of space that a program failed: @log has what it said."""
    text = log.read_text(errors="replace") if log.exists() else ""
    if re.search("No space left|enough free space|File too large", text):
        raise Refused(f"host: no space for {what} in {folder}: it takes some 150 MB")


def say(text):
    print(text, flush=True)
