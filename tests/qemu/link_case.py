# SPDX-License-Identifier: BSD-3-Clause
"""A device seen from all sides: the server by path= or chardev=, the guest by qtest, the rest by QMP."""
import fcntl
import os
import re
import select
import struct
import termios

from harness import fds
from harness.case import Case
from harness.fake import MEMORY, count
from harness.wait import PATIENCE, Deadline, TooLate

INTRMASK, INTRSTATUS, IVPOSITION, DOORBELL = 0, 4, 8, 12

FRONT = "/machine/peripheral/front"

# With path= in milliseconds; a chardev of old QEMUs counts seconds.
RECONNECT_MS = 20
CHARDEV_RECONNECT = {"7.2": "reconnect=1", "10.0": "reconnect-ms=20", "asan": "reconnect-ms=20"}

# Which type has the interrupt inputs, for qtest to listen at.
INPUTS = {"lm3s6965evb": "armv7m", "mps2-an385": "armv7m", "virt": "arm_gic"}

# Seconds; one that is taken would run for ever.
REFUSED_WITHIN = 10

F_ADD_SEALS, SEAL_ALL = 1033, 0x0007

# What QEMU begins a line on the standard error with.
COMPLAINT = re.compile(r"^qemu-system-arm: ", re.MULTILINE)


class LinkCase(Case):
    """A test class of both ways derives twice, with `way` set."""

    way = "path"

    def joining(self, path, reconnect=False, name="front", chardev="", **properties):
        """QEMU's words for a device that joins the server at @path; @chardev: more of the chardev's options."""
        if self.way == "path":
            if reconnect:
                properties.setdefault("reconnect_ms", RECONNECT_MS)
            return self.device(path=path, id=name, **properties)
        options = f"socket,id={name}-link,path={path}"
        if reconnect:
            options += "," + CHARDEV_RECONNECT[self.build]
        return ["-chardev", options + chardev, *self.device(chardev=f"{name}-link", id=name, **properties)]

    def joined(self, fake, own=0, each=1, others=(), extra=(), **properties):
        """A machine that @fake has greeted: (machine, connection, {id: eventfds}).  @each: vectors of each peer."""
        vm = self.vm(*self.joining(fake.path, **properties), *extra, qtest=True)
        client = fake.accept()
        table = fake.greet(client, own, each, self.memory(fake), others)
        self.until(vm, "messages", 3 + each * (1 + len(others)))
        return vm, client, table

    def memory(self, fake, size=MEMORY):
        """Memory that needs no warning: nobody can shrink it."""
        fd = os.memfd_create("tests", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        fake.made.append(fd)
        os.ftruncate(fd, size)
        fcntl.fcntl(fd, F_ADD_SEALS, SEAL_ALL)
        return fd

    # What the guest does.

    def read(self, vm, register, width="l"):
        return vm.qtest.read(width, self.board.registers + register)

    def write(self, vm, register, value, width="l"):
        vm.qtest.write(width, self.board.registers + register, value)

    def ring(self, vm, peer, vector=0):
        self.write(vm, DOORBELL, peer << 16 | vector)

    def listen(self, vm):
        """From now on the machine's interrupt inputs are noted in vm.qtest.irqs."""
        vm.qtest.irq_intercept(self.first(vm, INPUTS[self.board.name]))

    @staticmethod
    def first(vm, type_name):
        """The path of the machine's first object of a type: by one question, where vm.find() asks hundreds."""
        path = []
        for line in vm.hmp("info qom-tree").splitlines():
            name, _, kind = line.strip().partition(" ")
            path[(len(line) - len(line.lstrip())) // 2:] = [name]
            if kind == f"({type_name})":
                return "".join(path)
        raise AssertionError(f"there is no {type_name}")

    def pulses(self, vm, number=1, line=None):
        """Waits for so many pulses of a line."""
        for _ in range(number):
            vm.qtest.wait_irq(self.board.irq if line is None else line, True)
            vm.qtest.wait_irq(self.board.irq if line is None else line, False)

    def quiet(self, vm):
        """No line has moved up to now: an access is answered behind them."""
        self.read(vm, IVPOSITION)
        self.assertEqual(vm.qtest.irqs, [])

    # What people ask.

    def asked(self, vm, name, front=FRONT):
        return vm.get(front, name)

    def until(self, vm, name, value, front=FRONT, seconds=PATIENCE):
        """Asks until the answer is @value."""
        deadline = Deadline(seconds)
        while True:
            answer = self.asked(vm, name, front)
            if answer == value:
                return
            if not deadline.left():
                raise TooLate(f"{name} is {answer} and not {value} after {seconds} s; QEMU said:\n{vm.said()}")

    def descriptors(self, vm, expected, seconds=PATIENCE):
        """Waits until QEMU has just these open: QEMU frees what it has taken out of the machine a little later."""
        deadline = Deadline(seconds)
        while fds.count(vm.pid) != expected:
            vm.qmp("query-status")
            if not deadline.left():
                raise TooLate(f"open are {fds.count(vm.pid)} and not {expected}")

    def alive(self, vm, own):
        """The registers answer, and the monitor does."""
        self.assertEqual(self.read(vm, IVPOSITION), own)
        self.assertIn(self.asked(vm, "link"), ("down", "greeting", "ready"))

    def idle(self, vm, seconds=0.3):
        """It computes next to nothing while nothing happens: a loop that spins computes all the time."""
        before = cpu_seconds(vm.pid)
        select.select([], [], [], seconds)
        self.assertLess(cpu_seconds(vm.pid) - before, seconds / 3)

    def untouched(self, *fds):
        """None of these eventfds was rung."""
        self.assertEqual([count(fd) for fd in fds], [0] * len(fds))

    # What QEMU says as it refuses.

    def complaint(self, vm):
        """The one sentence that it said: QEMU puts the option before it, and below it there is a hint at most."""
        said = vm.said()
        lines = said.strip().splitlines()
        self.assertTrue(lines and COMPLAINT.match(lines[0]), said)
        self.assertEqual(len(COMPLAINT.findall(said)), 1, said)
        self.assertLessEqual(len(lines), 2, said)
        sentence = COMPLAINT.sub("", lines[0])
        words = vm.process.argv
        for option, value in zip(words, words[1:]):
            if sentence.startswith(f"{option} {value}: "):
                return sentence[len(f"{option} {value}: "):]
        return sentence

    def refusal(self, *args, **options):
        """QEMU's sentence, without the option, as it ends by itself and with 1."""
        vm = self.vm(*args, **options)
        self.assertEqual(vm.wait(REFUSED_WITHIN), 1, vm.said())
        return self.complaint(vm)


def consumed(client, seconds=PATIENCE):
    """Waits until the other side has read all that @client was sent."""
    deadline = Deadline(seconds)
    while struct.unpack("i", fcntl.ioctl(client.connection, termios.TIOCOUTQ, b"\0" * 4))[0]:
        if not deadline.left():
            raise TooLate(f"what was sent is unread after {seconds} s")
        os.sched_yield()


def cpu_seconds(pid):
    """What all threads of a process have computed up to now."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
