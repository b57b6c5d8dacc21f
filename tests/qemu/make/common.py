# SPDX-License-Identifier: BSD-3-Clause
"""What all of make/ shares: the folders, running a command with its output in a log, and the reasons to stop."""
import os
import subprocess
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]
ADAPTER = CHECKOUT / "bindings" / "qemu"


class Missing(Exception):
    """What this machine cannot give (network, package, source): a skip, with the reason."""


class Broken(Exception):
    """A build, or what goes into it, failed: a failure, with the log's end."""


def cache():
    named = os.environ.get("IVFLAT_QEMU_CACHE")
    if named:
        return Path(named).absolute()
    home = os.environ.get("XDG_CACHE_HOME") or os.path.join(os.path.expanduser("~"), ".cache")
    return Path(home) / "libivflat" / "qemu"


def say(text):
    print(text, flush=True)


def tail(path, lines=40):
    text = Path(path).read_text(errors="replace").splitlines()
    # A linker's command is as long as a page.
    return "\n".join(line[:300] for line in text[-lines:])


def logged(command, log, timeout, **options):
    """Runs @command with all that it says added to @log; True when it ended well and in time."""
    with open(log, "ab") as output:
        output.write(("$ " + " ".join(map(str, command)) + "\n").encode())
        output.flush()
        try:
            done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                  timeout=timeout, check=False, **options)
        except subprocess.TimeoutExpired:
            output.write(f"did not end within {timeout} s\n".encode())
            return False
    return done.returncode == 0


def output_of(command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True, timeout=120, check=False, **options)
    return done.stdout if done.returncode == 0 else ""
