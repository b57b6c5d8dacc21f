# SPDX-License-Identifier: BSD-3-Clause
"""Builds what runs inside: the firmware of firmware/ and of examples/ for a board, and the host's ends of it."""
import contextlib
import hashlib
import os
import re
import subprocess
import time
from pathlib import Path

from make import files
from make.common import CHECKOUT, cache

HERE = Path(__file__).resolve().parent
FIRMWARE = CHECKOUT / "examples" / "firmware"
HOST_PEER = CHECKOUT / "examples" / "host-peer.c"
DAY = 24 * 3600

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Wmissing-prototypes", "-Werror"]
BARE = ["-std=gnu11", "-O2", "-g", *WARNINGS, "-ffreestanding", "-nostdlib", "-I", FIRMWARE,
        "-T", FIRMWARE / "link.ld", "-Wl,--fatal-warnings"]

START = [FIRMWARE / name for name in ("startup.c", "startup-a.c", "startup-m.c", "console.c")]
TESTS = sorted((HERE / "firmware").glob("*.c"))
DEMO = [FIRMWARE / "main.c", FIRMWARE / "demo.c"]

# How many lines from the board's own on the tests' firmware listens to.
LINES = {"lm3s6965evb": 8, "mps2-an385": 6, "virt": 8}


def words(text):
    return re.findall(r"'([^']*)'", text)


def example_flags(board_name):
    """What examples/firmware/meson.build has for a board, so that what the tests run is what people build."""
    text = (FIRMWARE / "meson.build").read_text()
    processor, more = re.search(rf"^  '{board_name}': (\w+)(?: \+ \[(.*?)\])?,$", text, re.S | re.M).groups()
    return words(re.search(rf"^{processor} = \[(.*?)\]$", text, re.S | re.M)[1]) + words(more or "")


def example_place(board_name):
    """Registers, memory and line that a board's firmware is built for; what is not said is as board.h has it."""
    defaults = dict(re.findall(r"^#define (BOARD_\w+) (\w+?)u?\b", (FIRMWARE / "board.h").read_text(), re.M))
    told = dict(re.findall(r"-D(BOARD_\w+)=(\w+)", " ".join(example_flags(board_name))))
    return [int({**defaults, **told}["BOARD_" + name], 0) for name in ("MMR", "MEMORY", "IRQ")]


def forget(folder):
    """Removes what nobody has made or found there for a day."""
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > DAY:
                path.unlink()


def made(name, command, sources):
    """The path of what @command with -o makes of @sources, kept as long as neither it nor a source changes."""
    argv = [str(word) for word in [*command, *sources]]
    text = " ".join(argv) + files.digest(HERE / "firmware", HERE / "host", FIRMWARE, HOST_PEER)
    path = cache() / "guest" / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if path.exists():
        path.touch()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        forget(path.parent)
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        done = subprocess.run([*argv, "-o", str(partial)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=100, check=False)
        assert done.returncode == 0, done.stdout
        partial.rename(path)
    return path


def demo_firmware(board_name):
    """The demonstration, for the example's own places."""
    return made(f"demo-{board_name}.elf", ["arm-none-eabi-gcc", *BARE, *example_flags(board_name)], [*DEMO, *START])


def firmware(board, sources, name):
    """The tests' own, for the places that the harness has for the board."""
    kept = [flag for flag in example_flags(board.name) if not re.match("-DBOARD_(MMR|MEMORY|IRQ)=", flag)]
    places = [f"-DBOARD_MMR={board.registers:#x}u", f"-DBOARD_MEMORY={board.memory:#x}u", f"-DBOARD_IRQ={board.irq}",
              f"-DBOARD_LINES={LINES[board.name]}"]
    return made(f"{name}-{board.name}.elf", ["arm-none-eabi-gcc", *BARE, *kept, *places], [*sources, *START])


def host_program(name, sources, library, packages=()):
    """A program for the host, with the library that the harness built (its folder of programs is @library)."""
    built = Path(library).parent
    flags = [word for package in packages for word in subprocess.run(
        ["pkg-config", "--cflags", "--libs", package], stdout=subprocess.PIPE, text=True, check=True).stdout.split()]
    return made(name, ["cc", "-std=gnu11", "-O2", *WARNINGS, "-I", CHECKOUT, "-I", FIRMWARE,
                       "-I", built.parent],
                [*sources, f"-L{built}", f"-Wl,-rpath,{built}", "-livflat", *flags])
