# SPDX-License-Identifier: BSD-3-Clause
"""Runs share the cache: any number may use what is built, one at a time builds, and nobody then uses it."""
import fcntl

from make.common import cache, say


class Lock:
    def __init__(self):
        cache().mkdir(parents=True, exist_ok=True)
        self.file = open(cache() / "lock", "w")

    def take(self, how):
        try:
            fcntl.flock(self.file, how | fcntl.LOCK_NB)
        except BlockingIOError:
            say(f"waiting for another run that uses {cache()}")
            fcntl.flock(self.file, how)

    def share(self):
        self.take(fcntl.LOCK_SH)

    def own(self):
        self.take(fcntl.LOCK_EX)
