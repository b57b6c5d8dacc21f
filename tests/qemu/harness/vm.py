# SPDX-License-Identifier: BSD-3-Clause
"""A machine in a built QEMU: its monitor, its serial port, qtest where asked, and a clean end."""
import contextlib
import os
import re
import socket

from harness.process import Process
from harness.qmp import Qmp, Refused
from harness.qtest import Qtest
from harness.wait import PATIENCE, Lines

# A sanitizer's finding is an exit status of its own, so that it cannot be taken for a refusal.
SANITIZERS = {"ASAN_OPTIONS": "detect_leaks=0:exitcode=86:abort_on_error=0", "UBSAN_OPTIONS": "print_stacktrace=1"}
FOUND = re.compile(r"ERROR: \w+Sanitizer|runtime error:")


class Vm:
    """
    Starts at once and does not wait: what needs an answer (qmp, qtest, serial) waits for it, so that a test can play
    the server that QEMU's start waits for.

    @board: from boards.py.  @args: QEMU's further arguments.  @kernel: firmware; without it nothing runs.
    @qtest: no guest code at all, but accesses from outside.  @paused: the guest begins at `cont`.
    """

    def __init__(self, program, board, args=(), folder=".", name="vm", kernel=None, qtest=False, paused=False,
                 env=None):
        self.board, self.folder, self.name = board, folder, name
        self.ours, self.theirs = [], []
        monitor, console = self.pair(), self.pair()
        tester = self.pair() if qtest else None
        argv = [program, "-M", board.name, "-nodefaults", "-no-user-config", "-display", "none",
                *self.chardev("qmp", 0), "-mon", "chardev=qmp,mode=control",
                *self.chardev("serial0", 1), "-serial", "chardev:serial0"]
        if qtest:
            argv += [*self.chardev("qtest", 2), "-accel", "qtest", "-qtest", "chardev:qtest", "-qtest-log", "none"]
        if paused or not (kernel or qtest):
            argv += ["-S"]
        argv += ["-kernel", kernel] if kernel else []
        self.process = Process([*argv, *args], said=os.path.join(folder, name + ".out"),
                               fds=[theirs.fileno() for theirs in self.theirs], env={**SANITIZERS, **(env or {})})
        for theirs in self.theirs:
            theirs.close()
        self.console = console
        self.monitor, self.serial = Qmp(monitor), Lines(console.fileno(), f"the serial port of {name}")
        self.qtest = Qtest(tester) if qtest else None

    def pair(self):
        """Our end of a new socket pair; QEMU gets the other."""
        ours, theirs = socket.socketpair()
        self.ours.append(ours)
        self.theirs.append(theirs)
        return ours

    def chardev(self, name, number):
        return ["-chardev", f"socket,id={name},fd={self.theirs[number].fileno()}"]

    @property
    def pid(self):
        return self.process.pid

    def said(self):
        """What QEMU wrote to standard output and error."""
        return self.process.said()

    def qmp(self, command, seconds=PATIENCE, **arguments):
        return self.monitor.execute(command, seconds, **arguments)

    def refusal(self, command, **arguments):
        """The sentence with which QEMU refuses @command."""
        try:
            answer = self.qmp(command, **arguments)
        except Refused as refused:
            return str(refused)
        raise AssertionError(f"{command} {arguments} was not refused, but answered {answer}")

    def hmp(self, line):
        """What the monitor for people answers."""
        return self.qmp("human-monitor-command", command_line=line).replace("\r\n", "\n")

    def event(self, name, seconds=PATIENCE):
        return self.monitor.event(name, seconds)

    def get(self, path, name):
        """A QOM property."""
        return self.qmp("qom-get", path=path, property=name)

    def children(self, path="/machine"):
        """(path, type) of every object below @path."""
        for item in self.qmp("qom-list", path=path):
            if item["type"].startswith("child<"):
                below = f"{path}/{item['name']}"
                yield below, item["type"][len("child<"):-1]
                yield from self.children(below)

    def find(self, type_name):
        """The paths of all objects of a type."""
        return [path for path, name in self.children() if name == type_name]

    def ready(self):
        """Waits until the machine is there; what it may have said by then is in said()."""
        self.monitor.greet()
        return self

    def type(self, data):
        """Sends @data to the guest's serial port."""
        self.console.sendall(data)

    def wait(self, seconds=PATIENCE):
        """The exit status, once QEMU has ended by itself."""
        return self.process.wait(seconds)

    def quit(self, seconds=PATIENCE):
        """Ends QEMU as a user does; its exit status."""
        if self.process.running():
            with contextlib.suppress(AssertionError):
                self.qmp("quit", seconds)
        return self.wait(seconds)

    def close(self):
        self.process.close()
        for ours in self.ours:
            ours.close()

    def fault(self):
        """Why this machine's end is no good one: a signal (an assertion, a crash), a sanitizer's finding; or None."""
        status = self.process.child.returncode
        if FOUND.search(self.said()):
            return f"{self.name}: a sanitizer found:\n{self.said()}"
        if status is not None and status < 0 and not self.process.killed:
            return f"{self.name} ended by signal {-status}; it said:\n{self.said()}"
        return None
