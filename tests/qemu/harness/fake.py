# SPDX-License-Identifier: BSD-3-Clause
"""A server that says what the test wants, right or wrong, and to the byte."""
import ctypes
import os
import socket
import struct

from harness.wait import PATIENCE, TooLate, readable

MEMORY = 4 << 20

libc = ctypes.CDLL(None, use_errno=True)


def eventfd(count=0):
    """os.eventfd is not there before Python 3.10."""
    fd = libc.eventfd(count, os.O_CLOEXEC | os.O_NONBLOCK)
    if fd < 0:
        raise OSError(ctypes.get_errno(), "eventfd")
    return fd


def memory(size=MEMORY):
    fd = os.memfd_create("tests")
    os.ftruncate(fd, size)
    return fd


def number(value):
    """One message's bytes."""
    return struct.pack("<q", value)


class Client:
    """The connection of whoever joined."""

    def __init__(self, connection):
        self.connection = connection

    def bytes(self, data, fds=()):
        """Any bytes in one send, with any descriptors, which stay the test's."""
        if fds:
            socket.send_fds(self.connection, [data], list(fds))
        else:
            self.connection.sendall(data)

    def send(self, value, *fds):
        """One message."""
        self.bytes(number(value), fds)

    def gone(self, seconds=PATIENCE):
        """True when the other side closed within @seconds."""
        if not readable(self.connection.fileno(), seconds):
            return False
        try:
            return self.connection.recv(1) == b""
        except ConnectionResetError:
            return True

    def expect_gone(self, seconds=PATIENCE):
        if not self.gone(seconds):
            raise TooLate(f"the other side kept its connection for {seconds} s")

    def close(self):
        self.connection.close()


class FakeServer:
    """Listens; the rest is said by the test.  What it makes (memory, eventfds) it closes at its end."""

    def __init__(self, path):
        self.path = path
        self.clients, self.made = [], []
        self.listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.listener.bind(path)
        self.listener.listen(16)

    def accept(self, seconds=PATIENCE):
        if not readable(self.listener.fileno(), seconds):
            raise TooLate(f"nobody connected in {seconds} s")
        client = Client(self.listener.accept()[0])
        client.connection.settimeout(PATIENCE)
        self.clients.append(client)
        return client

    def memory(self, size=MEMORY):
        self.made.append(memory(size))
        return self.made[-1]

    def eventfd(self):
        self.made.append(eventfd())
        return self.made[-1]

    def greet(self, client, own=0, vectors=1, shared=None, others=()):
        """
        A right greeting.  @shared: the memory, one of 4 MiB where none is given.  @others: ids with @vectors each.
        Answers {id: [eventfd of each vector]}, ours of the id @own.
        """
        client.send(0)
        client.send(own)
        client.send(-1, self.memory() if shared is None else shared)
        table = {}
        for peer in [*others, own]:
            table[peer] = [self.eventfd() for _ in range(vectors)]
            for fd in table[peer]:
                client.send(peer, fd)
        return table

    def join(self, client, peer, vectors=1):
        """A newcomer; its eventfds."""
        fds = [self.eventfd() for _ in range(vectors)]
        for fd in fds:
            client.send(peer, fd)
        return fds

    def close(self):
        for client in self.clients:
            client.close()
        self.listener.close()
        for fd in self.made:
            os.close(fd)
        self.made = []


def count(fd):
    """What was added to an eventfd and not taken yet: 0 when nothing was.  Takes it."""
    if not readable(fd, 0):
        return 0
    return struct.unpack("=Q", os.read(fd, 8))[0]


def wait_rung(fd, seconds=PATIENCE):
    if not readable(fd, seconds):
        raise TooLate(f"no ring in {seconds} s")
    return count(fd)
