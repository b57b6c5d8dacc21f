# SPDX-License-Identifier: BSD-3-Clause
"""A peer in Python: joins a server, has the shared memory mapped, rings others and is rung."""
import array
import mmap
import os
import socket
import struct

from harness.wait import PATIENCE, Deadline, TooLate, readable

SIZE = 8


def receive(connection, seconds=PATIENCE):
    """One message: (number, descriptor or None).  None at the end of file."""
    data, fds = b"", array.array("i")
    deadline = Deadline(seconds)
    while len(data) < SIZE:
        if not readable(connection.fileno(), deadline.left()):
            raise TooLate(f"the server said nothing in {seconds} s")
        got, ancillary, _, _ = connection.recvmsg(SIZE - len(data), socket.CMSG_SPACE(4))
        for _, _, raw in ancillary:
            fds.frombytes(raw[:len(raw) - len(raw) % 4])
        if not got:
            return None
        data += got
    return struct.unpack("<q", data)[0], (fds[0] if fds else None)


class Peer:
    """@vectors: how many each client of this server has."""

    def __init__(self, path, vectors=1):
        self.connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.connection.settimeout(PATIENCE)
        self.connection.connect(path)
        self.peers = {}  # id: [descriptor of each vector], without us
        self.vectors = []  # our own
        self.version, _ = receive(self.connection)
        self.id, _ = receive(self.connection)
        _, self.fd = receive(self.connection)
        self.size = os.fstat(self.fd).st_size
        self.memory = mmap.mmap(self.fd, self.size)
        while len(self.vectors) < vectors:
            self.take(PATIENCE)

    def take(self, seconds):
        """Takes in one message."""
        message = receive(self.connection, seconds)
        if message is None:
            raise TooLate("the server is gone")
        number, fd = message
        if fd is None:
            for old in self.peers.pop(number, []):
                os.close(old)
        elif number == self.id:
            self.vectors.append(fd)
        else:
            self.peers.setdefault(number, []).append(fd)

    def update(self):
        """Takes in all that the server has said up to now."""
        while readable(self.connection.fileno(), 0):
            self.take(PATIENCE)

    def wait_for(self, number, vectors=1, seconds=PATIENCE):
        """Waits until the peer @number is there with so many vectors."""
        deadline = Deadline(seconds)
        while len(self.peers.get(number, [])) < vectors:
            self.take(deadline.left())

    def wait_gone(self, number, seconds=PATIENCE):
        deadline = Deadline(seconds)
        while number in self.peers:
            self.take(deadline.left())

    def ring(self, number, vector=0):
        os.write(self.peers[number][vector], struct.pack("=Q", 1))

    def rung(self, vector=0, seconds=PATIENCE):
        """How often that vector of ours was rung since last time; waits for the first."""
        if not readable(self.vectors[vector], seconds):
            raise TooLate(f"vector {vector} of peer {self.id} was not rung in {seconds} s")
        return struct.unpack("=Q", os.read(self.vectors[vector], SIZE))[0]

    def is_rung(self, vector=0):
        return readable(self.vectors[vector], 0)

    def close(self):
        if self.fd is None:
            return
        self.memory.close()
        self.connection.close()
        for fd in [self.fd, *self.vectors, *(fd for fds in self.peers.values() for fd in fds)]:
            os.close(fd)
        self.fd, self.vectors, self.peers = None, [], {}
