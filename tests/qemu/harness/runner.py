# SPDX-License-Identifier: BSD-3-Clause
"""
Runs each test in a process of its own, two at a time, with an end to its time; whatever it left running is killed and
counts as a failure.
"""
import collections
import contextlib
import ctypes
import fnmatch
import json
import os
import select
import shutil
import signal
import sys
import tempfile
import time
import traceback
import unittest

from harness.boards import BOARDS
from harness.case import Case
from harness.server import children

PR_SET_CHILD_SUBREAPER = 36

Outcome = collections.namedtuple("Outcome", "word text")


def adopt():
    """Daemons, and whatever lost its parent, come to this process from now on, so that nothing can get away."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def expand(test):
    """@test once for each of its builds and boards."""
    if not isinstance(test, Case):
        yield test.id(), test
        return
    for build in test.builds or (None,):
        for board in test.boards or (None,):
            one = type(test)(test._testMethodName)
            one.build, one.board = build, BOARDS.get(board)
            where = " ".join(filter(None, (build, board)))
            yield test.id() + (f"[{where}]" if where else ""), one


def flat(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flat(item)
        else:
            yield item


def discover(folder):
    """[(name, test)] of all test_*.py in @folder."""
    suite = unittest.TestLoader().discover(folder, pattern="test_*.py", top_level_dir=folder)
    return [pair for test in flat(suite) for pair in expand(test)]


def chosen(tests, wanted):
    """Those whose name has one of the words @wanted in it, or matches it as a pattern; all when there is none."""
    def fits(name):
        return any(word in name or fnmatch.fnmatchcase(name, word) for word in wanted)
    return [(name, test) for name, test in tests if not wanted or fits(name)]


def judge(test):
    """Runs @test here."""
    result = unittest.TestResult()
    left = []
    try:
        test.run(result)
        left = [describe(pid) for pid in children() if runs(pid)]
    except BaseException:  # whatever it is, the parent has to hear of it
        return Outcome("FAILED", traceback.format_exc())
    broken = [text for _, text in result.failures + result.errors]
    broken += [f"{test} passed, and was expected not to" for test in result.unexpectedSuccesses]
    if left:
        broken.append(f"left running: {', '.join(left)}")
    if broken:
        return Outcome("FAILED", "\n".join(broken))
    if result.skipped:
        return Outcome("skipped", result.skipped[0][1])
    return Outcome("ok", "")


def runs(pid):
    """Whether a child has not ended; one that has, an orphan that came to us, is reaped."""
    return os.waitpid(pid, os.WNOHANG)[0] == 0


def describe(pid):
    with contextlib.suppress(OSError), open(f"/proc/{pid}/cmdline") as file:
        return file.read().replace("\0", " ")[:200]
    return str(pid)


class Running:
    """A test's process.  @keep: what a failed one had in its folder stays."""

    def __init__(self, name, test, keep=False):
        self.name, self.test, self.keep = name, test, keep
        self.folder = tempfile.mkdtemp(prefix="ivflat-test-")
        os.chmod(self.folder, 0o755)
        self.began = time.monotonic()
        self.end = self.began + getattr(test, "timeout", 120)
        self.pipe, theirs = os.pipe()
        sys.stdout.flush()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.pipe)
            self.child(theirs)
        os.close(theirs)
        self.said = b""

    def child(self, pipe):
        os.setsid()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_DFL)
        adopt()
        tempfile.tempdir = os.environ["TMPDIR"] = self.folder
        outcome = judge(self.test)
        with open(pipe, "w") as file:
            json.dump(outcome, file)
        # Not gone before the runner looked at what we left: it kills us, and that.
        while True:
            signal.pause()

    def more(self):
        """Reads what came; False at the end."""
        got = os.read(self.pipe, 65536)
        self.said += got
        return bool(got)

    def close(self):
        """Ends all that is left of it; the outcome."""
        late = time.monotonic() >= self.end
        os.close(self.pipe)
        kill_below(self.pid)
        outcome = self.outcome(late)
        if self.keep and outcome.word == "FAILED":
            return Outcome(outcome.word, f"{outcome.text}\nits files are in {self.folder}")
        shutil.rmtree(self.folder, ignore_errors=True)
        return outcome

    def outcome(self, late):
        try:
            return Outcome(*json.loads(self.said))
        except ValueError:
            return Outcome("FAILED", "it took too long, and was killed" if late else "its process died")


def kill_below(pid):
    """Kills and reaps the test's process and all that descends from it, sessions of their own included."""
    tree, queue = [], [pid]
    while queue:
        one = queue.pop()
        with contextlib.suppress(OSError):
            os.kill(one, signal.SIGSTOP)
            tree.append(one)
            for task in os.listdir(f"/proc/{one}/task"):
                with open(f"/proc/{one}/task/{task}/children") as file:
                    queue += map(int, file.read().split())
    for one in tree:
        with contextlib.suppress(OSError):
            os.kill(one, signal.SIGKILL)
    for one in tree:
        # Parents first: what they leave becomes ours when they end.
        with contextlib.suppress(ChildProcessError):
            os.waitpid(one, 0)


class Runner:
    def __init__(self, at_once, keep=False):
        self.at_once, self.keep = at_once, keep
        self.count = collections.Counter()

    def report(self, running, outcome):
        self.count[outcome.word] += 1
        print(f"{outcome.word:8}{time.monotonic() - running.began:7.2f} s  {running.name}", flush=True)
        if outcome.text:
            # Without the marks below the lines that newer Pythons set.
            lines = [line for line in outcome.text.strip().splitlines() if line.strip(" ^~")]
            print("\n".join("    " + line for line in lines), flush=True)

    def step(self, active):
        """Waits for one to say something, to end, or to be too late; those that are still at work."""
        poll = select.poll()
        for running in active:
            poll.register(running.pipe, select.POLLIN)
        soonest = min(running.end for running in active) - time.monotonic()
        ready = {fd for fd, _ in poll.poll(max(0, soonest) * 1000 + 1)}
        still = []
        for running in active:
            if running.pipe in ready and not running.more() or time.monotonic() >= running.end:
                self.report(running, running.close())
            else:
                still.append(running)
        return still

    @staticmethod
    def kill_strays(active):
        """What lost its parent, a test's process that died, is ours now."""
        for pid in children() - {running.pid for running in active}:
            kill_below(pid)

    def room(self, active, test):
        """Whether @test may begin beside those: who needs the machine for itself has it."""
        busy = any(getattr(running.test, "alone", False) for running in active)
        return not active or not busy and not getattr(test, "alone", False) and len(active) < self.at_once

    def run(self, tests):
        adopt()
        # What takes longest first, so that it is not what all wait for in the end.
        active, waiting = [], sorted(tests, key=lambda pair: -getattr(pair[1], "timeout", 0))
        try:
            while waiting or active:
                while waiting and self.room(active, waiting[0][1]):
                    active.append(Running(*waiting.pop(0), self.keep))
                active = self.step(active)
                self.kill_strays(active)
        finally:
            for running in active:
                running.close()
        return self.count
