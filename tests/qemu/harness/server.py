# SPDX-License-Identifier: BSD-3-Clause
"""Real servers: ours, and the one that comes with QEMU."""
import os
import signal

from harness.process import Process


class Server:
    """ivflat-server, ready when this returns.  @size: bytes, or as the program takes it (4M)."""

    def __init__(self, program, path, vectors=1, size="4M", options=(), said=None):
        self.path = path
        self.process = Process([program, "-F", "-S", path, "-n", vectors, "-l", size, *options])
        self.process.lines.until("ready on")

    @property
    def pid(self):
        return self.process.pid

    def end(self, number=signal.SIGTERM):
        """Ends it as a user does: the status is 0."""
        return self.process.end(number)

    def close(self):
        self.process.close()


class StockServer:
    """
    QEMU's contrib/ivshmem-server; its memory is a file in @folder.

    It says nothing when it listens, but it goes into the background then: what we started has ended, and its child is
    ours, as the runner made us the reaper of what our children leave.
    """

    def __init__(self, program, path, folder, vectors=1, size="4M"):
        self.path, self.said = path, path + ".out"
        known = children()
        first = Process([program, "-p", path + ".pid", "-S", path, "-n", vectors, "-l", size, "-m", folder],
                        said=self.said)
        status = first.wait()
        first.close()
        assert status == 0, first.said()
        self.pid, = children() - known

    def end(self, number=signal.SIGTERM):
        """Its exit status, negative for a signal."""
        os.kill(self.pid, number)
        status = reap(self.pid)
        self.pid = None
        return status

    def close(self):
        if self.pid:
            self.end(signal.SIGKILL)


def children():
    """The processes whose parent we are."""
    found = set()
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children") as file:
            found.update(map(int, file.read().split()))
    return found


def reap(pid):
    _, status = os.waitpid(pid, 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)
