# SPDX-License-Identifier: BSD-3-Clause
"""Waiting for descriptors, always with an end, and lines read from one."""
import os
import re
import select
import time

PATIENCE = 30


class TooLate(AssertionError):
    """What was waited for did not come."""


class Deadline:
    def __init__(self, seconds=PATIENCE):
        self.end = time.monotonic() + seconds

    def left(self):
        return max(0.0, self.end - time.monotonic())


def readable(fd, seconds=PATIENCE):
    """True when @fd has something to read, or its end, within @seconds."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


class Lines:
    """Text that comes from a descriptor (a pipe, a socket), a line at a time; @what names it in the messages."""

    def __init__(self, fd, what):
        self.fd, self.what = fd, what
        self.pending, self.seen, self.ended = b"", [], False

    def more(self, deadline):
        if self.ended or not readable(self.fd, deadline.left()):
            return False
        try:
            got = os.read(self.fd, 65536)
        except ConnectionResetError:
            got = b""
        self.ended = not got
        self.pending += got
        return bool(got)

    def line(self, seconds=PATIENCE):
        """The next line without its end."""
        deadline = Deadline(seconds)
        while b"\n" not in self.pending:
            if not self.more(deadline):
                said = "ended" if self.ended else f"said nothing more in {seconds} s"
                raise TooLate(f"{self.what} {said}; so far:\n" + "\n".join(self.seen + [self.pending.decode("latin1")]))
        line, _, self.pending = self.pending.partition(b"\n")
        self.seen.append(line.decode("utf-8", "replace").rstrip("\r"))
        return self.seen[-1]

    def until(self, pattern, seconds=PATIENCE):
        """Reads up to the line in which @pattern (a regular expression) is found: its match."""
        deadline = Deadline(seconds)
        while True:
            match = re.search(pattern, self.line(deadline.left()))
            if match:
                return match

    def rest(self, seconds=PATIENCE):
        """All that comes up to the end of file, as one text with what came before."""
        deadline = Deadline(seconds)
        while self.more(deadline):
            pass
        return "\n".join(self.seen + [self.pending.decode("utf-8", "replace")])
