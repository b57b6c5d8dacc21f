# SPDX-License-Identifier: BSD-3-Clause
"""examples/linux-mcu/run as a test runs it: in folders of its own, of which nothing may be left, nor any process."""
import os
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from host import programs
from host.common import cache

ROOT = Path(__file__).resolve().parents[2]
RUN = ROOT / "examples" / "linux-mcu" / "run"
# Bounded, whatever it waits for: all together, on a slow machine.
LIMIT = 240


def processes(text):
    """The ids of those that have @text in their command line."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if text.encode() in (folder / "cmdline").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return found


class Example(unittest.TestCase):
    options = []

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ivflat-test-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.tmp = self.folder / "tmp"
        self.tmp.mkdir()
        self.environment = {**os.environ, "TMPDIR": str(self.tmp)}
        self.built = programs.Programs(cache())

    def argv(self, *words):
        return [str(word) for word in [RUN, *self.options, *words]]

    def run_example(self, *words, before=(), **environment):
        """It all: exit status and what was said; nothing is left."""
        done = subprocess.run([*before, *self.argv(*words)], env={**self.environment, **environment}, timeout=LIMIT,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        self.nothing_left(done.stdout)
        return done.returncode, done.stdout

    def nothing_left(self, said=""):
        self.assertEqual(processes(str(self.tmp)), [], said)
        self.assertEqual(list(self.tmp.iterdir()), [], said)

    def fails(self, sentence, *words, status=1, **more):
        """It ends with one sentence, that has @sentence in it, and @status."""
        code, said = self.run_example(*words, **more)
        last = [line for line in said.splitlines() if line.strip()][-1]
        self.assertIn(sentence, last, said)
        self.assertEqual(code, status, said)
        return said

    def start(self, *words):
        """The example in the background, read by line."""
        child = subprocess.Popen(self.argv(*words), env=self.environment, stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.addCleanup(self.end, child)
        return child

    def end(self, child):
        if child.poll() is None:
            child.send_signal(signal.SIGTERM)
        child.wait(LIMIT)
        child.stdout.close()

    def until(self, child, text):
        """Reads up to the line that has @text in it."""
        said = []
        for line in child.stdout:
            said.append(line)
            if text in line:
                return line
        return self.fail(f"it did not say '{text}':\n{''.join(said)}")

    def server(self, *words):
        """A server of the test's own: its socket."""
        path = self.folder / "server"
        child = subprocess.Popen([self.built.tool("ivflat-server"), "-F", "-S", path, *map(str, words)],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(child.stdout.close)
        self.addCleanup(child.wait)
        self.addCleanup(child.kill)
        self.assertIn("ready on", child.stdout.readline())
        return path

    def gone(self, seconds=30):
        """Waits until no process is left: for when the kernel ends them."""
        end = time.monotonic() + seconds
        while processes(str(self.tmp)):
            self.assertLess(time.monotonic(), end, "processes are left")
            time.sleep(0.05)
