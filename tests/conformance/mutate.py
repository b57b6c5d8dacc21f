#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Puts each small fault of mutants.txt into a copy of the library and demands that a test named for its row fails.
A fault that no such test sees, and one whose text the source no longer has, are failures; and so is a script that no
fault of its row makes fail.

usage: mutate.py ROOT BUILD [WORD...]
  BUILD holds the built version header; with WORDs (P13, wire.c) only the faults with one of them in their head."""
import concurrent.futures
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile

FLAGS = ["-std=gnu11", "-O0", "-g0", "-w", "-D_GNU_SOURCE"]
WRAP = "-Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc"
CORE = ["abi", "attach", "device", "error", "fdio", "guest", "hooks", "link", "link-fed", "link-socket", "notify",
        "peers", "region", "regs", "ringers", "session", "trace", "vectors", "wire"]
SUPPORT = ["raw", "record", "story", "support"]
TESTS = ["wire", "session", "peers", "regs", "fdio", "notify", "region", "device_guest", "device_link", "device_memory",
         "device_short", "device_time", "device_vectors"]
PLAYER = ["script", "script-load", "test_conformance"]
PATIENCE = 120


class Mutant:
    def __init__(self, head, old, new):
        *self.rows, self.file = head.split()
        self.head, self.old, self.new = head, old, new

    def apply(self, text):
        """The faulty text; None unless the sound one is there exactly once, with any white space."""
        pattern = r"\s*".join(map(re.escape, re.findall(r"\w+|[^\w\s]", self.old)))
        faulty, count = re.subn(pattern, lambda _: self.new, text)
        return faulty if count == 1 else None


def read_mutants(path):
    mutants, head, old, new = [], None, [], []
    for line in path.read_text().splitlines() + ["= end"]:
        kind, _, rest = line.partition(" ")
        if kind == "=":
            if head:
                mutants.append(Mutant(head, " ".join(old), " ".join(new)))
            head, old, new = rest, [], []
        elif kind == "-":
            old.append(rest)
        elif kind == "+":
            new.append(rest)
    return mutants


class Builder:
    def __init__(self, root, build, work):
        self.root, self.build, self.work = root, build, work
        self.cc = shlex.split(os.environ.get("CC", "cc"))
        config = ["pkg-config", "--cflags", "--libs", "check", "glib-2.0"]
        words = subprocess.run(config, check=True, capture_output=True, text=True).stdout.split()
        self.libs = [word for word in words if word.startswith(("-l", "-L", "-pthread"))]
        includes = [build, root, root / "libivflat", root / "tests", root / "tests/conformance"]
        self.flags = FLAGS + [f"-I{path}" for path in includes] + [word for word in words if word not in self.libs]

    def compile(self, source, to):
        subprocess.run([*self.cc, *self.flags, "-c", source, "-o", to], check=True)
        return to

    def link(self, objects, to, *more):
        subprocess.run([*self.cc, *objects, "-o", to, *more, *self.libs], check=True)
        return to

    def prepare(self):
        """The objects of all that no fault is put into."""
        sources = [(self.root / f"libivflat/{name}.c", f"core-{name}") for name in CORE]
        sources += [(self.root / f"tests/{name}.c", name) for name in SUPPORT + ["failing"]]
        sources += [(self.root / f"tests/test_{name}.c", f"test_{name}") for name in TESTS]
        sources += [(self.root / f"tests/conformance/{name}.c", name) for name in PLAYER]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(lambda pair: self.compile(pair[0], self.object(pair[1])), sources))

    def object(self, name):
        return self.work / f"{name}.o"

    def program(self, folder, name, core):
        """One test program, with @core in place of the sound objects."""
        objects = [core.get(one, self.object(f"core-{one}")) for one in CORE] + [self.object(one) for one in SUPPORT]
        if name == "conformance":
            return self.link(objects + [self.object(one) for one in PLAYER], folder / name)
        failing = [self.object("failing")] if name in ("peers", "device_short") else []
        return self.link(objects + [self.object(f"test_{name}")] + failing, folder / name, *([WRAP] if failing else []))


def failures(command):
    """The names of the tests that fail; a tenth of the usual time-outs, so that what blocks is soon seen."""
    environment = dict(os.environ, CK_TIMEOUT_MULTIPLIER="0.1", CK_VERBOSITY="normal", CONFORMANCE_QUICK="1")
    try:
        result = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        return {"(hangs)"}
    return set(re.findall(r":[FE]:[^:]*:([^:]+):", result.stdout))


def rows_of(source):
    return set(re.findall(r"START_TEST\(([RPC]\d+)_", source.read_text()))


def seen_by(builder, mutant, folder, core):
    """The tests of the mutant's rows that fail: scripts, and if there is none, a unit's."""
    def of_rows(names):
        return sorted(name for name in names if any(re.match(rf"{row}[-_]", name) for row in mutant.rows))
    root = builder.root
    program = builder.program(folder, "conformance", core)
    hits = of_rows(failures([program, root / "tests/conformance/scripts", *mutant.rows]))
    units = [name for name in TESTS if rows_of(root / f"tests/test_{name}.c") & set(mutant.rows)]
    for name in sorted(units, key=lambda name: name != mutant.file[:-2]):
        if hits:
            break
        hits = of_rows(failures([builder.program(folder, name, core)]))
    return hits


def faulty_builder(builder, mutant, text, folder):
    """For a header, which is compiled into everything: all anew, from a tree with the faulty one in it."""
    tree = folder / "tree"
    shutil.copytree(builder.root / "libivflat", tree / "libivflat")
    (tree / "tests").symlink_to(builder.root / "tests")
    (tree / "libivflat" / mutant.file).write_text(text)
    other = Builder(tree, builder.build, folder)
    other.prepare()
    return other


def tests_for(builder, mutant, text, folder):
    if mutant.file.endswith(".h"):
        return seen_by(faulty_builder(builder, mutant, text, folder), mutant, folder, {})
    (folder / mutant.file).write_text(text)
    name = mutant.file.removesuffix(".c")
    return seen_by(builder, mutant, folder, {name: builder.compile(folder / mutant.file, folder / f"{name}.o")})


def attempt(builder, number, mutant):
    """What is wrong, or None when it is seen; and the tests that saw it."""
    folder = builder.work / str(number)
    text = mutant.apply((builder.root / "libivflat" / mutant.file).read_text())
    if text is None:
        return f"{mutant.head}: its text is not in the file exactly once: {mutant.old}", []
    folder.mkdir()
    try:
        tests = tests_for(builder, mutant, text, folder)
        print(f"{number:3} {mutant.head:24} {' '.join(tests) or 'NOT SEEN'}", flush=True)
        return None if tests else f"{mutant.head}: no test of its row fails with: {mutant.new or '(nothing)'}", tests
    except subprocess.CalledProcessError:
        return f"{mutant.head}: does not compile: {mutant.new}", []
    finally:
        shutil.rmtree(folder)


def scripts_of(root):
    return {path.stem for path in (root / "tests/conformance/scripts").glob("*.txt")}


def main():
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    root, build, words = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), set(sys.argv[3:])
    mutants = read_mutants(root / "tests/conformance/mutants.txt")
    mutants = [mutant for mutant in mutants if not words or words & set(mutant.head.split())]
    with tempfile.TemporaryDirectory(prefix="ivflat-mutants-") as work:
        builder = Builder(root, build, pathlib.Path(work))
        builder.prepare()
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            results = list(pool.map(lambda pair: attempt(builder, *pair), enumerate(mutants, 1)))
    faults = [fault for fault, _ in results if fault]
    seen = {test for _, tests in results for test in tests}
    blind = [f"{name}.txt: no fault of its row makes it fail" for name in scripts_of(root) - seen if not words]
    print(f"{len(mutants) - len(faults)} of {len(mutants)} faults seen", flush=True)
    faults += sorted(blind)
    print(*faults, sep="\n", file=sys.stderr)
    sys.exit(1 if faults or not mutants else 0)


if __name__ == "__main__":
    main()
