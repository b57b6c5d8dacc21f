# SPDX-License-Identifier: BSD-3-Clause
"""What all of host/ shares: the folders, and the reasons to stop."""
import contextlib
import fcntl
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


@contextlib.contextmanager
def alone():
    """One run at a time fetches and builds."""
    with open(cache() / "lock", "w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run that prepares {cache()}")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def check_space(log, what, folder):
    """Whether it was for lack of space that a program failed: @log has what it said."""
    text = log.read_text(errors="replace") if log.exists() else ""
    if re.search("No space left|enough free space|File too large|File size limit", text):
        raise Refused(f"host: no space for {what} in {folder}: it takes some 150 MB")


def say(text):
    print(text, flush=True)
