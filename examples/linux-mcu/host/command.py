# SPDX-License-Identifier: BSD-3-Clause
"""The command line, what comes of it, and that nothing stays behind."""
import argparse
import errno
import os
import re
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from make.common import Missing as MissingForQemu

from host.common import Missing, Refused, cache, say
from host.process import Cast
from host.sides import BOARDS, LEAST_MEMORY
from host.stage import Stage
from host.story import Story
from host.verdict import Verdict

FAILED, SKIPPED = 1, 77
TEXT = """
A Linux VM (Debian's QEMU and kernel, with the PCI ivshmem device) and two microcontroller VMs (QEMU with libivflat's
device; Unicorn) exchange samples and answers by shared memory and doorbells, while a program on the host watches.
Station 1 is killed and started again, then Linux.  What came out of the serial ports is counted and judged.

exit status: 0 all was right; 1 something was not, and one sentence says whose side; 2 an option is wrong; 77 skipped,
since this machine lacks packages or network
"""


def number_of(text):
    match = re.fullmatch(r"(\d{1,12})([KMG]?)", text)
    return int(match[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[match[2]] if match else 0


def size(text):
    number = number_of(text)
    if number < LEAST_MEMORY or number & (number - 1):
        raise argparse.ArgumentTypeError(f"'{text}' is no power of two from 128K on, such as 4M (QEMU's PCI device "
                                         "takes no other size)")
    return text


def positive(text):
    if not re.fullmatch(r"\d{1,6}", text) or int(text) == 0:
        raise argparse.ArgumentTypeError(f"'{text}' is no number from 1 to 999999")
    return int(text)


def readable(text):
    path = Path(text).absolute()
    try:
        path.open("rb").close()
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{text}: {error.strerror}") from None
    return path


def kernel(text):
    """An arm64 kernel: as it is, packed by gzip, or one that unpacks itself."""
    with readable(text).open("rb") as file:
        head = file.read(64)
    if head[56:60] != b"ARMd" and head[:2] != b"\x1f\x8b" and head[4:8] != b"zimg":
        raise argparse.ArgumentTypeError(f"{text} is no kernel for arm64")
    return Path(text).absolute()


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog="examples/linux-mcu/run", usage="examples/linux-mcu/run [OPTION]...", description=TEXT,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--samples", metavar="NUMBER", type=positive, default=1000,
        help="that Linux gets of each station between two events (default: 1000)")
    add("--board", choices=sorted(BOARDS), default="lm3s6965evb",
        help="QEMU's board of station 1 (default: lm3s6965evb)")
    add("--firmware", metavar="FILE", type=readable, help="an ELF of yours for that board, in place of ours")
    add("--qemu", metavar="PROGRAM", type=readable,
        help="a qemu-system-arm that has the device, in place of one built here")
    add("--kernel", metavar="FILE", type=kernel, help="another arm64 kernel; it needs vfio-pci built in")
    add("--packages-from", metavar="FOLDER",
        help="where linux-image-*_arm64.deb and busybox-static_*_arm64.deb are, in place of apt")
    add("--fresh", action="store_true", help="ask apt for newer packages than those in the cache")
    add("--memory", metavar="SIZE", type=size, default="4M", help="bytes of shared memory (default: 4M)")
    add("--server", metavar="SOCKET", help="a server that is up, with 4 vectors, in place of one of ours")
    add("--patience", metavar="SECONDS", type=positive, default=60, help="for each step (default: 60)")
    add("--spoil", action="store_true", help="write over a sample, to see that it is found")
    add("--prepare", action="store_true", help="only fetch and build what is needed")
    add("--verbose", action="store_true", help="also show the command lines, and what the emulators say")
    add("--keep", action="store_true", help="keep the folder with all that was said")
    options = parser.parse_args(arguments)
    options.bytes = number_of(options.memory)
    return options


def work_folder():
    """A socket's path may have 107 bytes."""
    where = tempfile.gettempdir()
    return Path(tempfile.mkdtemp(prefix="ivflat-linux-mcu.", dir=where if len(os.fsencode(where)) <= 75 else "/tmp"))


def play(options, folder):
    cast = Cast(options.verbose, options.patience, open(folder / "log", "w"))
    try:
        stage = Stage(options, folder, cast)
        if options.prepare:
            return 0
        start = time.monotonic()
        story = Story(stage, cast, options.samples)
        story.tell()
        return judge(Verdict(story), time.monotonic() - start)
    finally:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        cast.close()
        cast.log.close()


def judge(verdict, seconds):
    say("")
    for line in verdict.lines():
        say(line)
    for fault in verdict.faults:
        say(f"FAILED: {fault}")
    if verdict.faults:
        return FAILED
    say(f"{verdict.summary()}, in {seconds:.0f} s")
    return 0


def ended(number, _frame):
    sys.exit(128 + number)


def sentence(error):
    """What the system refused."""
    where = error.filename2 or error.filename
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
        return f"no space to write {where or f'in {cache()} or {tempfile.gettempdir()}'}: {error.strerror}"
    return f"{where}: {error.strerror}" if where else str(error)


def run(options):
    """Its exit status."""
    try:
        cache().mkdir(parents=True, exist_ok=True)
        folder = work_folder()
        try:
            return play(options, folder)
        finally:
            if options.keep:
                say(f"kept: {folder}")
            else:
                shutil.rmtree(folder, ignore_errors=True)
    except (Missing, MissingForQemu) as missing:
        say(f"SKIPPED: {missing}")
        return SKIPPED
    except Refused as refused:
        say(f"FAILED: {refused}")
        return FAILED
    except OSError as error:
        say(f"FAILED: host: {sentence(error)}")
        return FAILED


def main(arguments):
    options = parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, ended)
    try:
        return run(options)
    except BrokenPipeError:
        # Nobody reads us any more: nor what Python still has for the output when it ends.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
