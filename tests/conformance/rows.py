#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Reads docs/protocol.md beside the tests: each row is there in order, a test is named for each, and what the page
names exists.  And beside libivflat/session.c: the rows of the greeting come there in the page's order.

usage: rows.py ROOT"""
import pathlib
import re
import sys

ROWS = [f"R{i}" for i in range(1, 10)] + [f"P{i}" for i in range(1, 24)] + [f"C{i}" for i in range(1, 5)]
SESSION_ROWS = ["P3", "P4", "P5", "P6", "P12", "P13", "P14", "P17"]


def tests_of(root):
    """The names of all tests: START_TEST(name) and scripts."""
    names = {path.stem for path in (root / "tests/conformance/scripts").glob("*.txt")}
    for path in (root / "tests").rglob("*.c"):
        names |= set(re.findall(r"START_TEST\((\w+)\)", path.read_text()))
    return names


def check_page(page, names):
    rows = re.findall(r"^\*\*([RPC]\d+)\.\*\*", page, re.M)
    if rows != ROWS:
        yield f"docs/protocol.md: its rows are {' '.join(rows)}, and {' '.join(ROWS)} are right"
    for row in ROWS:
        if not any(re.match(rf"{row}[_-]", name) for name in names):
            yield f"no test is named for {row}: call one {row}_what_it_shows"
    for name in re.findall(r"`([RPC]\d+[_-][\w-]+)`", page):
        if name not in names:
            yield f"docs/protocol.md names {name}, and there is no such test"


def check_session(text):
    """The comments' rows, first mention each."""
    found = []
    for row in re.findall(r"\b(P\d+)\b", "".join(re.findall(r"/\*.*?\*/", text, re.S))):
        if row in SESSION_ROWS and row not in found:
            found.append(row)
    if found != SESSION_ROWS:
        yield f"libivflat/session.c: its rows come as {' '.join(found)}, and {' '.join(SESSION_ROWS)} is right"


def check_scripts(root):
    for path in sorted((root / "tests/conformance/scripts").glob("*.txt")):
        row = path.name.split("-")[0]
        if not path.read_text().startswith(f"# {row}: "):
            yield f"{path.name}: its first line is not '# {row}: ...'"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    root = pathlib.Path(sys.argv[1])
    names = tests_of(root)
    faults = list(check_page((root / "docs/protocol.md").read_text(), names))
    faults += check_session((root / "libivflat/session.c").read_text())
    faults += check_scripts(root)
    for fault in faults:
        print(fault, file=sys.stderr)
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
