# SPDX-License-Identifier: BSD-3-Clause
"""Machines under KVM with the guest of tests/kvm in them, each linked to a server of its own or of its pair."""
import mmap
import os
import socket
import struct
import subprocess

from harness.fake import eventfd, memory
from harness.peer import Peer
from harness.process import Process
from harness.qmp import Qmp
from harness.server import Server
from harness.wait import TooLate
from worker import ANSWER, PING, RETRY, Worker, doorbell

QEMU = "qemu-system-x86_64"
VECTORS = 2
MEMORY = 1 << 20
TRIES = 10
LOOKS = 100
WORKER = "tests/kvm/worker.bin"


class Keeper:
    """What was started ends with the figure."""

    def __init__(self, folder, stack):
        self.folder, self.stack, self.count = folder, stack, 0

    def __call__(self, part):
        self.stack.callback(part.close)
        return part

    def path(self):
        self.count += 1
        return str(self.folder / f"socket{self.count}")


def ours(*options, program="examples/kvm/ivflat-kvm"):
    """Starts the emulator: answers its process and its id."""

    def start(keep, build, path):
        process = keep(Process([build / program, *options, path, build / WORKER]))
        return int(process.lines.until(r"^id (\d+)$")[1])

    return start


def qemu(keep, build, path):
    """QEMU 7.2 ends when its guest enables MSI-X before the server's last message was read: then once more."""
    for left in reversed(range(TRIES)):
        process, monitor = stopped_qemu(keep, build, path)
        try:
            for _ in range(LOOKS):  # each is a round of QEMU's main loop, which reads a message of the server's in each
                monitor.execute("query-status")
            monitor.execute("cont")
            return int(process.lines.until(r"^id (\d+)")[1])
        except TooLate:
            if process.running() or not left:
                raise
    return None


def stopped_qemu(keep, build, path):
    """Its process, and its monitor."""
    ours_end, its_end = socket.socketpair()
    with its_end:
        fd = its_end.fileno()
        words = [QEMU, "-S", "-M", "pc,accel=kvm", "-cpu", "qemu64,+x2apic", "-m", "16", "-nodefaults",
                 "-display", "none", "-chardev", f"socket,id=m,fd={fd}", "-mon", "chardev=m,mode=control", "-debugcon", "stdio",
                 "-bios", build / WORKER, "-chardev", f"socket,id=c,path={path}",
                 "-device", f"ivshmem-doorbell,chardev=c,vectors={VECTORS}"]
        process = keep(Process(words, fds=[fd]))
    return process, Qmp(keep(ours_end))


def qemu_version():
    said = subprocess.run([QEMU, "--version"], capture_output=True, text=True, check=True).stdout
    return "QEMU " + said.split()[3]


def guest(keep, build, start, host, path):
    worker = Worker(host, start(keep, build, path))
    host.wait_for(worker.id, len(host.vectors))
    worker.wake()
    return worker


def hosted(keep, build, vectors=VECTORS):
    server = keep(Server(build / "libivflat/tools/ivflat-server", keep.path(), vectors, str(MEMORY)))
    return keep(Peer(server.path, vectors)), server.path


def crowd(keep, build, start, vectors, peers):
    """A guest with so many peers, and the last of them."""
    host, path = hosted(keep, build, vectors)
    last = host
    for _ in range(peers - 1):
        last = keep(Peer(path, vectors))
    return guest(keep, build, start, host, path), last


def single(keep, build, start):
    host, path = hosted(keep, build)
    return guest(keep, build, start, host, path)


def pair(keep, build, start):
    """Two that know each other: the second greets the first before it is asked for its own."""
    host, path = hosted(keep, build)
    first, second = (guest(keep, build, start, host, path) for _ in range(2))
    introduce(first, second)
    return first, second


def introduce(first, second):
    """Until a ring of the first one's, who was there first, gets through to the second and back."""
    for _ in range(100):
        second.does(ANSWER, doorbell(first.id))
        first.order(PING, doorbell(second.id), 1)
        try:
            first.done(RETRY)
            return
        except TooLate:
            first.does(ANSWER)
    raise TooLate("the two guests do not hear each other")


class BareHost:
    """What a Worker needs of a Peer, without a server."""

    id = 0

    def __init__(self):
        self.fd = memory(MEMORY)
        self.memory = mmap.mmap(self.fd, MEMORY)
        self.vectors, self.order = [eventfd(), eventfd()], eventfd()

    def ring(self, number, vector):
        os.write(self.order, struct.pack("=Q", 1))

    rung = Peer.rung
    is_rung = Peer.is_rung

    def close(self):
        self.memory.close()
        for fd in [self.fd, self.order, *self.vectors]:
            os.close(fd)


def bare(keep, build):
    host = keep(BareHost())
    fds = [host.fd, *host.vectors, host.order]
    process = keep(Process([build / "tests/bench/kvm/bare", build / WORKER, *fds], fds=fds))
    worker = Worker(host, int(process.lines.until(r"^id (\d+)")[1]))
    worker.wake()
    return worker
