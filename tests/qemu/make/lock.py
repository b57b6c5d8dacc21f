# SPDX-License-Identifier: BSD-3-Clause
"""
Runs share the cache.  There is a lock for what is set up first (sources, trees), and one a build: who makes a build
has it alone, who tests shares it.  Nobody waits for one while it has another alone, so nobody waits for ever.
"""
import contextlib
import fcntl

from make.common import cache, say


class Lock:
    def __init__(self, name):
        folder = cache() / "locks"
        folder.mkdir(parents=True, exist_ok=True)
        self.name = name
        self.file = open(folder / name, "w")

    def take(self, how):
        try:
            fcntl.flock(self.file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run that uses {cache()} ({self.name})")
            fcntl.flock(self.file, how)

    def share(self):
        """Until this process ends."""
        self.take(fcntl.LOCK_SH)

    @contextlib.contextmanager
    def alone(self):
        self.take(fcntl.LOCK_EX)
        try:
            yield
        finally:
            fcntl.flock(self.file, fcntl.LOCK_UN)
