# SPDX-License-Identifier: BSD-3-Clause
"""
QEMU's own device, ivshmem-doorbell on a PC's PCI bus, as a peer: the distribution's qemu-system-x86_64. It runs no
guest: what a driver would do is done by qtest. Each vector's MSI-X message is a word written to the machine's RAM.
"""
import shutil
import socket
import subprocess

from harness.process import Process
from harness.qtest import Qtest
from harness.wait import Deadline, TooLate

PROGRAM = "qemu-system-x86_64"

SLOT = 5
WORDS = 0x200000  # in RAM: a word a vector
REGISTERS, MSIX, MEMORY = 0xe0000000, 0xe0100000, 0xd0000000  # where the three regions are put
IVPOSITION, DOORBELL = 8, 12

COMMAND, BARS, CAPABILITIES = 0x04, 0x10, 0x34
MEMORY_AND_MASTER = 6
MSIX_CAPABILITY, MSIX_ENABLE = 0x11, 0x80000000


def missing():
    """Why there is no such peer on this machine, or None."""
    if not shutil.which(PROGRAM):
        return f"{PROGRAM} is not installed"
    done = subprocess.run([PROGRAM, "-device", "help"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
                          check=False)
    return None if '"ivshmem-doorbell"' in done.stdout else f"{PROGRAM} has no ivshmem-doorbell"


class PciPeer:
    def __init__(self, path, vectors, said):
        ours, theirs = socket.socketpair()
        self.socket, self.vectors = ours, vectors
        device = f"ivshmem-doorbell,chardev=server,addr={SLOT},vectors={vectors}"
        self.process = Process([PROGRAM, "-M", "pc", "-m", "16", "-accel", "tcg", "-S", "-display", "none",
                                "-nodefaults", "-no-user-config", "-qtest-log", "none",
                                "-chardev", f"socket,id=qtest,fd={theirs.fileno()}", "-qtest", "chardev:qtest",
                                "-chardev", f"socket,id=server,path={path}", "-device", device],
                               said=said, fds=[theirs.fileno()])
        theirs.close()
        self.qtest = Qtest(ours)
        self.set_up()

    # The configuration space, by the two ports.

    def select(self, offset):
        self.qtest.command("outl", 0xcf8, 0x80000000 | SLOT << 11 | offset)

    def get(self, offset):
        self.select(offset)
        return int(self.qtest.command("inl", 0xcfc)[0], 0)

    def put(self, offset, value):
        self.select(offset)
        self.qtest.command("outl", 0xcfc, value)

    def capability(self, number):
        offset = self.get(CAPABILITIES) & 0xfc
        while offset and self.get(offset) & 0xff != number:
            offset = self.get(offset) >> 8 & 0xfc
        return offset

    def set_up(self):
        """What a PC's firmware does, then the driver."""
        for number, address in enumerate((REGISTERS, MSIX, MEMORY)):
            self.put(BARS + 4 * number, address)
        self.put(COMMAND, MEMORY_AND_MASTER)
        msix = self.capability(MSIX_CAPABILITY)
        table = MSIX + (self.get(msix + 4) & ~7)
        for vector in range(self.vectors):
            for word, value in enumerate((WORDS + 4 * vector, 0, self.word(vector), 0)):
                self.qtest.writel(table + 16 * vector + 4 * word, value)
        self.put(msix, self.get(msix) | MSIX_ENABLE)

    # What a guest would do.

    @staticmethod
    def word(vector):
        return 0x5ec70000 | vector

    @property
    def id(self):
        return self.qtest.readl(REGISTERS + IVPOSITION)

    def ring(self, number, vector=0):
        self.qtest.writel(REGISTERS + DOORBELL, number << 16 | vector)

    def heard(self):
        """The vectors whose message came since last time."""
        found = [vector for vector in range(self.vectors)
                 if self.qtest.readl(WORDS + 4 * vector) == self.word(vector)]
        for vector in found:
            self.qtest.writel(WORDS + 4 * vector, 0)
        return found

    def wait_heard(self):
        deadline = Deadline()
        while deadline.left():
            found = self.heard()
            if found:
                return found
        raise TooLate("no message of MSI-X came")

    def load(self, offset):
        return self.qtest.readl(MEMORY + offset)

    def store(self, offset, value):
        self.qtest.writel(MEMORY + offset, value)

    def close(self):
        self.process.close()
        self.socket.close()
