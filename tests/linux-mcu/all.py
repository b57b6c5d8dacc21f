# SPDX-License-Identifier: BSD-3-Clause
"""Runs the tests of this folder, one after the other, and says how long each took."""
import argparse
import sys
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:1] = [str(HERE), str(ROOT / "examples" / "linux-mcu"), str(ROOT / "tests" / "qemu")]

from example import Example  # noqa: E402 (the paths come first)


class Result(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        self.start, self.how = time.monotonic(), "ok"

    def note(self, how, text):
        self.how = how
        print(text, flush=True)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self.note("FAILED", self._exc_info_to_string(err, test))

    def addError(self, test, err):
        super().addError(test, err)
        self.note("FAILED", self._exc_info_to_string(err, test))

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err:
            self.note("FAILED", f"{subtest}: {self._exc_info_to_string(err, test)}")

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self.how = f"skipped: {reason}"

    def stopTest(self, test):
        super().stopTest(test)
        print(f"{self.how}: {test.id()} ({time.monotonic() - self.start:.1f} s)", flush=True)


def flat(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flat(item)
        else:
            yield item


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--qemu")
    parser.add_argument("tests", nargs="*")
    chosen = parser.parse_args()
    Example.options = ["--qemu", chosen.qemu] if chosen.qemu else []
    result = Result()
    every = flat(unittest.defaultTestLoader.discover(str(HERE), "test_*.py"))
    unittest.TestSuite(test for test in every if not chosen.tests or any(part in test.id() for part in chosen.tests)
                       ).run(result)
    failed = len({test for test, _ in result.failures + result.errors})
    skipped = len(result.skipped)
    print(f"{result.testsRun - failed - skipped} passed, {failed} failed, {skipped} skipped")
    return 1 if failed or not result.testsRun else 0


sys.exit(main())
