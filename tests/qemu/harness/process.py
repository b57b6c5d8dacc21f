# SPDX-License-Identifier: BSD-3-Clause
"""A program that a test starts: what it says goes to a file or is read by line, and it never outlives the test."""
import os
import signal
import subprocess

from harness.wait import PATIENCE, Lines, TooLate


class Process:
    """@said: the file for standard output and error; None: they are read by line, as .lines."""

    def __init__(self, argv, said=None, fds=(), env=None):
        self.argv = [str(word) for word in argv]
        self.name = os.path.basename(self.argv[0])
        self.path, self.killed = said, False
        output = open(said, "ab") if said else subprocess.PIPE
        # Standard input stays open and silent: QEMU's ivshmem-client spins at its end.
        self.child = subprocess.Popen(self.argv, stdin=subprocess.PIPE, stdout=output, stderr=subprocess.STDOUT,
                                      pass_fds=tuple(fds), env={**os.environ, **(env or {})})
        if said:
            output.close()
        else:
            self.lines = Lines(self.child.stdout.fileno(), self.name)

    @property
    def pid(self):
        return self.child.pid

    def said(self):
        """All that it has said; where it is read by line, what was read."""
        if self.path:
            with open(self.path, errors="replace") as file:
                return file.read()
        return "\n".join(self.lines.seen)

    def running(self):
        return self.child.poll() is None

    def wait(self, seconds=PATIENCE):
        """Its exit status, negative for a signal."""
        try:
            return self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise TooLate(f"{self.name} did not end within {seconds} s; it said:\n{self.said()}") from None

    def kill(self, number):
        self.child.send_signal(number)

    def end(self, number=signal.SIGTERM, seconds=PATIENCE):
        self.kill(number)
        return self.wait(seconds)

    def close(self):
        """Whatever happened, it is gone after this, and its pipes too."""
        if self.running():
            self.killed = True
            self.child.kill()
        self.child.wait()
        for pipe in (self.child.stdin, self.child.stdout):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass
