# SPDX-License-Identifier: BSD-3-Clause
"""What tests/renode/run does when all is installed: library, shapes, and the sum of it all."""
import concurrent.futures
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from build import Library, Shape, compile_stubs
from real import run_real

ROOT = Path(__file__).resolve().parents[3]
SHAPES = ("1.14", "1.15", "1.16")
SECONDS = 300


class Outcomes:
    """What came of the tests; each is said when it is known."""

    def __init__(self):
        self.passed, self.failed, self.skipped = 0, 0, 0

    def add(self, shape, lines, status):
        """@lines as cases/Main.cs writes them; a run that ended otherwise than it says is a failure more."""
        words = [line.partition(" ")[0] for line in lines]
        self.passed += words.count("ok")
        self.failed += words.count("FAILED")
        for line in lines:
            print(f"{shape}: {line}" if line.startswith(("ok ", "FAILED ")) else f"    {line}", flush=True)
        if (status != 0) != ("FAILED" in words) or not {"ok", "FAILED"} & set(words):
            self.fail(f"{shape}: the tests ended with status {status}")

    def fail(self, why):
        self.failed += 1
        print(f"FAILED {why}", flush=True)

    def skip(self, why):
        self.skipped += 1
        print(f"skipped: {why}", flush=True)

    def last_line(self):
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run_shape(shape, library, folder, wanted):
    """Compiles and runs the tests of one shape; their lines, and the status."""
    program = shape.compile(folder)
    sockets = folder / f"s{shape.name}"
    sockets.mkdir()
    for name in ("layout.txt", "old.so", "lacking.so"):
        (sockets / name).symlink_to(folder / name)
    said = folder / f"{shape.name}.out"
    status = run_session(said, "mono", "--debug", program, sockets, library.so, library.server, library.client, *wanted)
    return said.read_text(errors="replace").splitlines(), status


def run_session(said, *command):
    """The status; what a mono that crashed, or took too long, has left running is killed."""
    with open(said, "wb") as output:
        child = subprocess.Popen(list(map(str, command)), stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, start_new_session=True)
    try:
        return child.wait(SECONDS)
    except subprocess.TimeoutExpired:
        return 124
    finally:
        # The group outlives its leader as long as somebody is in it.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def run_all(folder, build, wanted):
    outcomes = Outcomes()
    library = Library(ROOT, build or folder / "build", build is None)
    compile_stubs(ROOT, library, folder)
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        shapes = [(name, pool.submit(run_shape, Shape(ROOT, name), library, folder, wanted)) for name in SHAPES]
        for name, done in shapes:
            outcomes.add(name, *done.result())
    if not wanted:
        run_real(ROOT, library, folder, outcomes)
    print(outcomes.last_line())
    return outcomes.failed != 0


def split(words):
    """BUILD, if the first is one, and the rest."""
    if words and os.path.exists(os.path.join(words[0], "build.ninja")):
        return Path(words[0]).resolve(), words[1:]
    return None, words


def main(words):
    build, wanted = split(words)
    if len(wanted) > 1 or any(os.sep in word for word in wanted):
        print(f"a build folder of Meson's, and then one test's name, are right: {' '.join(words)}", file=sys.stderr)
        return 2
    # Short, for the sockets' paths, and no name that Renode takes for its own and deletes.
    with tempfile.TemporaryDirectory(prefix="ivflat-mono-") as folder:
        try:
            return run_all(Path(folder), build, wanted)
        except subprocess.CalledProcessError as error:
            print((error.stdout or b"").decode("utf-8", "replace"))
            print(f"FAILED {' '.join(map(str, error.cmd[:4]))} ...\n0 passed, 1 failed, 0 skipped")
            return 1


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
