# SPDX-License-Identifier: BSD-3-Clause
"""A machine that runs firmware: what the test types, what the guest says."""
import re
import select
import shutil

from guest_code import START, TESTS, demo_firmware, example_place, firmware, host_program, made
from harness.case import Case
from harness.process import Process
from harness.wait import PATIENCE, Deadline, TooLate, readable

__all__ = ["GREETING", "START", "TESTS", "Guest", "GuestCase", "firmware", "made", "numbers", "until_each"]

# Messages: the version, the id, the memory.
GREETING = 3


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

    def demo(self, server, name=None):
        """The demonstration's firmware, which begins at once; device and firmware are where the example has them."""
        name = name or self.board.name
        registers, memory, irq = example_place(name)
        device = self.device(path=server.path, registers=hex(registers), memory=hex(memory), irq=irq)
        vm = self.vm(*device, board=name, kernel=demo_firmware(name))
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
