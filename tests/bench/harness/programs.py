# SPDX-License-Identifier: BSD-3-Clause
"""Building, and starting a program to read what it found."""
import json
import os
import platform
import subprocess
import time
from pathlib import Path

import shape

ROOT = Path(__file__).resolve().parents[3]
BENCH = ROOT / "tests" / "bench"
SKIPPED = 77
PATIENCE = 300


class Failed(Exception):
    """A program of ours failed: what it said."""


class Skipped(Exception):
    """This machine cannot do it: why."""


def output(*command, env=None):
    """What it prints."""
    try:
        done = subprocess.run([str(word) for word in command], env=env, text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=PATIENCE, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Failed(str(error)) from None
    if done.returncode == SKIPPED:
        lines = done.stdout.strip().splitlines() or ["it does not say why"]
        raise Skipped(lines[-1].partition("skipped: ")[2] or lines[-1])
    if done.returncode:
        raise Failed(f"{command[0]} ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-2000:]}")
    return done.stdout


def figures_of(program, build, quick):
    """(figures, why some are not there or None) of a program that keeps to README.md."""
    words = [program, "--json", *(["--quick"] if quick else []), build]
    try:
        return shape.read(output(*words), quick, program)
    except Skipped as skipped:
        return [], str(skipped)


PACKAGES = ("gcc libc6-dev meson ninja-build pkg-config libglib2.0-dev check binutils strace valgrind libc6-dbg "
            "qemu-system-x86").split()


def built():
    """The build folder, up to date.  Meson's default is optimised, with assertions."""
    subprocess.run([ROOT / "tests/packages", *PACKAGES], check=False)  # what cannot be had is told, here or later
    folder = Path(os.environ.get("IVFLAT_BUILD", ROOT / "build-tests"), "bench").resolve()
    if not (folder / "build.ninja").exists():
        output("meson", "setup", folder, ROOT, "-Ddocs=disabled")
    output("ninja", "-C", folder)
    return folder


def compiler_of(build):
    """The C compiler and its optimisation, as Meson has them; nothing where there is no such build."""
    info = build / "meson-info"
    try:
        targets = json.loads((info / "intro-targets.json").read_text())
        options = {one["name"]: one["value"] for one in json.loads((info / "intro-buildoptions.json").read_text())}
        command = next(source["compiler"] for target in targets for source in target["target_sources"]
                       if source.get("language") == "c")
    except (OSError, KeyError, ValueError, StopIteration):
        return ""
    return f", {output(*command, '--version').splitlines()[0]}, -O{options.get('optimization', '?')}"


def processor():
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def machine(build):
    """One line: what the figures are true of."""
    where = ", in a virtual machine" if " hypervisor" in Path("/proc/cpuinfo").read_text(errors="replace") else ""
    return (f"{len(os.sched_getaffinity(0))} processors of {processor()}{where}, Linux {platform.release()}"
            f"{compiler_of(build)}; load at the beginning {os.getloadavg()[0]:.1f}")


def today():
    return time.strftime("%Y-%m-%d")
