# SPDX-License-Identifier: BSD-3-Clause
"""What runs inside: the firmware of firmware/ and of examples/, built for a board, and a machine that runs it."""
import contextlib
import hashlib
import os
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

from harness.case import Case
from harness.process import Process
from harness.wait import PATIENCE, Deadline, TooLate, readable
from make import files
from make.common import CHECKOUT, cache

HERE = Path(__file__).resolve().parent
FIRMWARE = CHECKOUT / "examples" / "firmware"
HOST_PEER = CHECKOUT / "examples" / "host-peer.c"
DAY = 24 * 3600

# Messages: the version, the id, the memory.
GREETING = 3

WARNINGS = ["-Wall", "-Wextra", "-Wshadow", "-Wundef", "-Wmissing-prototypes", "-Werror"]
BARE = ["-std=gnu11", "-O2", "-g", *WARNINGS, "-ffreestanding", "-nostdlib", "-I", FIRMWARE,
        "-T", FIRMWARE / "link.ld", "-Wl,--fatal-warnings"]
CORTEX_M3 = ["-mcpu=cortex-m3", "-mthumb"]
CORTEX_A15 = ["-mcpu=cortex-a15", "-marm", "-mfloat-abi=soft", "-mno-unaligned-access",
              "-Wl,--defsym=BOARD_FLASH=0x40200000", "-Wl,--defsym=BOARD_RAM=0x40300000"]

# Beside what boards.py has: processor and UART, and how many lines from the board's own on the firmware listens to.
BOARDS = {"lm3s6965evb": [*CORTEX_M3, "-DBOARD_LINES=8"],
          "mps2-an385": [*CORTEX_M3, "-DBOARD_LINES=6", "-DBOARD_UART=0x40004000", "-DBOARD_UART_CMSDK"],
          "virt": [*CORTEX_A15, "-DBOARD_LINES=8", "-DBOARD_UART=0x09000000", "-DBOARD_TICK=625000"]}

START = [FIRMWARE / name for name in ("startup.c", "startup-a.c", "startup-m.c", "console.c")]
TESTS = sorted((HERE / "firmware").glob("*.c"))
DEMO = [FIRMWARE / "main.c", FIRMWARE / "demo.c"]


def forget(folder):
    """Removes what nobody has made or found there for a day."""
    for path in folder.iterdir():
        with contextlib.suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > DAY:
                path.unlink()


def made(name, command, sources):
    """The path of what @command with -o makes of @sources, kept as long as neither it nor a source changes."""
    words = [str(word) for word in [*command, *sources]]
    text = " ".join(words) + files.digest(HERE / "firmware", HERE / "host", FIRMWARE, HOST_PEER)
    path = cache() / "guest" / f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    if path.exists():
        path.touch()
    else:
        path.parent.mkdir(parents=True, exist_ok=True)
        forget(path.parent)
        partial = path.with_name(f"{path.name}.{os.getpid()}")
        done = subprocess.run([*words, "-o", str(partial)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=100, check=False)
        assert done.returncode == 0, done.stdout
        partial.rename(path)
    return path


def firmware(board, sources, name):
    defines = [f"-DBOARD_MMR={board.registers:#x}u", f"-DBOARD_MEMORY={board.memory:#x}u", f"-DBOARD_IRQ={board.irq}"]
    return made(f"{name}-{board.name}.elf", ["arm-none-eabi-gcc", *BARE, *BOARDS[board.name], *defines],
                [*sources, *START])


def host_program(name, sources, library, packages=()):
    """A program for the host, with the library that the harness built (its folder of programs is @library)."""
    built = Path(library).parent
    flags = [word for package in packages for word in subprocess.run(
        ["pkg-config", "--cflags", "--libs", package], stdout=subprocess.PIPE, text=True, check=True).stdout.split()]
    return made(name, ["cc", "-std=gnu11", "-O2", *WARNINGS, "-I", CHECKOUT, "-I", FIRMWARE,
                       "-I", built.parent],
                [*sources, f"-L{built}", f"-Wl,-rpath,{built}", "-livflat", *flags])


class Guest:
    """A machine with a firmware on its serial port."""

    def __init__(self, vm, number):
        self.vm, self.id, self.serial = vm, number, vm.serial

    def type(self, *words):
        self.vm.type(" ".join(map(str, words)).encode() + b"\n")

    def says(self, line):
        """The next line, which has to be @line."""
        got = self.serial.line()
        if got != line:
            raise AssertionError("the guest said:\n" + "\n".join(self.serial.seen) + f"\nand not '{line}'")

    def does(self, *words):
        """Has it do one thing, and expects of it that all was well."""
        self.type(*words)
        self.says(f"{words[0]}: ok")

    def until(self, pattern, seconds=PATIENCE):
        return self.serial.until(pattern, seconds)

    def counted(self, counter):
        """One of the front's properties, where the guest has a front of that name."""
        return self.vm.get("/machine/peripheral/front", counter)

    def hears(self, messages):
        """Waits until its device has taken so many messages of its server: until then a doorbell may be in vain."""
        deadline = Deadline()
        while self.counted("messages") < messages:
            if not deadline.left():
                raise TooLate(f"{self.counted('messages')} messages of {messages} came from the server")


class GuestCase(Case):
    """Tests of the device as a guest's code sees it."""

    boards = ("lm3s6965evb", "mps2-an385", "virt")

    def setUp(self):
        if not shutil.which("arm-none-eabi-gcc"):
            self.skipTest("gcc-arm-none-eabi is not installed, which builds the guests")
        super().setUp()

    def guest(self, server, hears=0, board=None, **properties):
        """The tests' firmware in a machine with one device; @properties are the device's.  @hears: how many vectors the
        server has to tell of, of those who were there before and then of the device itself."""
        board = board or self.board
        device = self.device(board, path=server.path, id="front", **properties)
        vm = self.vm(*device, board=board, kernel=firmware(board, TESTS, "tests"))
        guest = Guest(vm, int(vm.serial.until(r"^id (\d+)$")[1]))
        guest.hears(GREETING + hears)
        return guest

    def demo(self, server):
        """The demonstration's firmware, which begins at once."""
        vm = self.vm(*self.device(path=server.path), kernel=firmware(self.board, DEMO, "demo"))
        return Guest(vm, int(vm.serial.until(r"^peer (\d+): up$")[1]))

    def host(self, name, sources, *words, packages=()):
        """A program on the host, read by line."""
        process = Process([host_program(name, sources, self.library, packages), *words])
        self.addCleanup(process.close)
        return process


def until_each(sources, pattern, seconds=PATIENCE):
    """The first line with @pattern in it of each of @sources (Lines). All are read all the time: a socket holds no more
    than some hundred single bytes, and then QEMU's PL011 waits, and the machine with it."""
    deadline, found = Deadline(seconds), {}
    while len(found) < len(sources):
        waiting = [one.fd for one in sources if not one.ended]
        if not waiting or not select.select(waiting, [], [], deadline.left())[0]:
            raise TooLate("\n".join(f"{one.what} said {one.seen}" for one in sources))
        for one in sources:
            if readable(one.fd, 0):
                one.more(deadline)
            while one not in found and b"\n" in one.pending:
                line = one.line(0)
                if re.search(pattern, line):
                    found[one] = line
    return [found[one] for one in sources]


def numbers(line):
    return [int(word) for word in re.findall(r"\d+", line)]
