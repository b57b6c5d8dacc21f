#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""bindings/qemu/integrate on real source trees: in, again, out, as a patch.  By itself: test_integrate.py [TREE]..."""
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness.case import Case  # noqa: E402 (the path comes first)
from harness.source_tree import (EVENTS, FOLDER, KCONFIG, LIBRARY, MESON, PAGE, RECORD, TOC, Ours,  # noqa: E402
                                 SourceTree, differences, integrate, snapshot, written)
from make.common import ADAPTER, CHECKOUT  # noqa: E402

EDITED = (MESON, KCONFIG, EVENTS, TOC)
# By the names and arguments of QEMU 10.0's hw/misc/trace-events.
ORIGINAL = {
    "irq_handler": "uint16_t", "new_peer": "uint16_t", "add_vector_failure": "uint16_t uint32_t uint16_t",
    "add_vector_success": "uint16_t uint32_t uint16_t", "irq_resolved": "const char *",
    "proto_ver_own_id": "uint64_t uint16_t", "shmem_size": "int uint64_t", "shmem_map": "uint64_t",
    "mmio_map": "uint64_t", "read_mmr": "uint64_t", "read_mmr_doorbell": "void",
    "read_write_mmr_invalid": "uint64_t", "interrupt_invalid_peer": "uint16_t", "write_mmr": "uint64_t",
    "interrupt_peer": "uint16_t uint16_t"}


def declared(text):
    """[(name, types of its arguments)] of a trace-events file, as they stand there."""
    found = re.findall(r"^(?:disable )?(\w+)\((.*?)\) \"", text, re.M)
    return [(name, " ".join(re.sub(r"\b\w+$", "", word.strip()).strip() or "void" for word in words.split(",")))
            for name, words in found]


def types(words):
    return re.sub(r"\s+", " ", words)


class Integration(Case):
    """With a piece of the build's source tree as self.tree."""

    builds = ("7.2", "10.0", "newest")
    boards = ()

    def setUp(self):
        super().setUp()
        # For nobody: the test's folder, and the runner's around it.
        for folder in (self.folder, os.path.dirname(self.folder)):
            if os.path.basename(folder).startswith("ivflat-"):
                os.chmod(folder, 0o755)
        self.pristine = self.builds_made[self.build].tree.pristine
        self.tree = SourceTree(self.path("qemu"), self.pristine)

    def expect(self, state):
        """The tree is in the @state of a snapshot."""
        self.assertEqual(differences(self.tree.now(), state), [])

    def run_on(self, *options, **more):
        """What it said; it has to succeed."""
        done = integrate(self.tree.root, *options, **more)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def ours(self):
        return Ours(self.path("ours"))

    def integrated(self, *options):
        self.run_on(*options)
        return self.tree.now()


class InAndOut(Integration):
    def test_what_is_added(self):
        said = self.run_on("--library=subproject")
        for name, line, beside in ((MESON, "subdir('ivflat')", "subdir('macio')"),
                                   (KCONFIG, "source ivflat/Kconfig", "source macio/Kconfig"),
                                   (TOC, "   devices/ivflat.rst", "   devices/ivshmem")):
            lines = self.tree.text(name).splitlines()
            self.assertEqual(lines.count(line), 1, name)
            self.assertTrue(lines[lines.index(line) + 1].startswith(beside), name)
            lines.remove(line)
            self.assertEqual("\n".join(lines) + "\n", self.tree.before[name][1].decode(), name)
            self.assertIn(f"{name}: the line \"{line.strip()}\"", said)
        self.assertIn(str(self.tree.root), said.splitlines()[0])

    def test_the_folder_is_what_we_have(self):
        self.integrated()
        names = {path.name for path in (ADAPTER / "device").iterdir() if not path.name.startswith("trace-events")}
        there = {path.name for path in self.tree.path(FOLDER).iterdir()}
        self.assertEqual(there, names | {"integrated.sha256"})
        for name in names:
            self.assertEqual((ADAPTER / "device" / name).read_bytes(), self.tree.path(f"{FOLDER}/{name}").read_bytes())
        self.assertEqual((ADAPTER / "ivflat.rst").read_bytes(), self.tree.path(PAGE).read_bytes())

    def test_of_the_library_what_meson_needs(self):
        self.integrated("--library=subproject")
        there = {str(path.relative_to(self.tree.path(LIBRARY))) for path in self.tree.path(LIBRARY).rglob("*")
                 if path.is_file()}
        tracked = subprocess.run(["git", "-C", str(CHECKOUT), "ls-files", "libivflat"], stdout=subprocess.PIPE,
                                 text=True, check=False).stdout.split()
        if tracked:  # not in a release's archive
            needed = {name for name in tracked if "/systemd/" not in name}  # units are for who installs
            self.assertEqual(there, {*needed, "meson.build", "meson_options.txt", "LICENSE"})
        for name in there:
            self.assertEqual((CHECKOUT / name).read_bytes(), self.tree.path(LIBRARY).joinpath(name).read_bytes())

    def test_the_record_is_checked_by_sha256sum(self):
        self.integrated("--library=subproject")
        check = ["sha256sum", "--check", "--strict", "--quiet", RECORD]
        self.assertEqual(subprocess.run(check, cwd=self.tree.root, check=False).returncode, 0)
        recorded = {line.split("  ")[1] for line in self.tree.text(RECORD).splitlines() if not line.startswith("#")}
        added = {name for name, (_, content) in self.tree.now().items() if content and name not in self.tree.before}
        self.assertEqual(recorded, added - {RECORD})

    def test_a_second_run_writes_nothing(self):
        self.integrated()
        times = written(self.tree.root)
        self.assertIn("nothing to do", self.run_on())
        self.assertEqual(written(self.tree.root), times)

    def test_undone_byte_for_byte(self):
        for way in ("subproject", "installed"):
            with self.subTest(library=way):
                self.assertNotEqual(self.integrated("--library=" + way), self.tree.before)
                self.run_on("--undo")
                self.expect(self.tree.before)
                self.assertIn("nothing to do", self.run_on("--undo"))
                self.expect(self.tree.before)

    def test_what_others_added_stays(self):
        self.integrated()
        for name in EDITED:
            with self.tree.path(name).open("a") as file:
                file.write("# somebody's\n")
        self.run_on("--undo")
        for name in EDITED:
            self.assertEqual(self.tree.path(name).read_bytes(), self.tree.before[name][1] + b"# somebody's\n")

    def test_modes_and_other_names_of_edited_files_stay(self):
        self.tree.path(MESON).chmod(0o640)
        os.link(self.tree.path(MESON), self.path("another-name"))
        self.integrated()
        self.assertEqual(self.tree.path(MESON).stat().st_mode & 0o777, 0o640)
        self.assertEqual(Path(self.path("another-name")).read_bytes(), self.tree.before[MESON][1])

    def test_a_dry_run_says_the_same_and_writes_nothing(self):
        said = self.run_on("--dry-run")
        self.expect(self.tree.before)
        self.assertEqual(said.splitlines()[1:], self.run_on().splitlines()[1:])
        integrated = self.tree.now()
        said = self.run_on("--undo", "--dry-run")
        self.expect(integrated)
        self.assertEqual(said.splitlines()[1:], self.run_on("--undo").splitlines()[1:])


class Events(Integration):
    def test_each_once_and_the_original_by_its_arguments(self):
        self.integrated()
        events = declared(self.tree.text(EVENTS))
        names = [name for name, _ in events]
        self.assertEqual(sorted(names), sorted(set(names)))
        for name, arguments in ORIGINAL.items():
            self.assertEqual(types(dict(events)["ivshmem_flat_" + name]), arguments)
        self.assertTrue([name for name in names if name.startswith("ivflat_")])

    def test_where_the_tree_has_them_they_stay_the_trees(self):
        before = declared(self.tree.before[EVENTS][1].decode())
        had = [event for event in before if event[0].startswith("ivshmem_flat_")]
        self.assertEqual(len(had), 0 if self.build == "7.2" else len(ORIGINAL))
        self.integrated()
        self.assertEqual(declared(self.tree.text(EVENTS))[:len(before)], before)

    def test_a_tree_with_some_of_them_gets_the_rest(self):
        events = self.tree.path(EVENTS)
        some = 'ivshmem_flat_new_peer(uint16_t id) "%d"\nivshmem_flat_shmem_map(uint64_t addr) "0x%"PRIx64\n'
        rest = [line for line in events.read_text().splitlines(True) if not line.startswith("ivshmem_flat_")]
        events.write_text("".join(rest) + some)
        self.integrated()
        names = [name for name, _ in declared(events.read_text()) if name.startswith("ivshmem_flat_")]
        self.assertEqual(sorted(names), sorted("ivshmem_flat_" + name for name in ORIGINAL))

    def test_qemus_own_tool_takes_them(self):
        self.integrated()
        for form in ("h", "c"):
            out = self.path("trace." + form)
            subprocess.run([sys.executable, "-B", self.pristine / "scripts" / "tracetool.py", "--group=hw_misc",
                            "--backends=log", "--format=" + form, self.tree.path(EVENTS), out],
                           check=True, timeout=60)
            for name in ORIGINAL:
                self.assertIn("ivshmem_flat_" + name, Path(out).read_text())


class Patch(Integration):
    def setUp(self):
        super().setUp()
        self.goal = self.integrated("--library=subproject")
        self.run_on("--undo")
        self.file = self.path("ivflat.patch")
        self.make("--library=subproject")

    def make(self, *options):
        done = integrate(self.tree.root, "--patch", *options, text=False)
        self.assertEqual((done.returncode, done.stderr), (0, b""))
        Path(self.file).write_bytes(done.stdout)

    def command(self, *words):
        home = {"HOME": self.folder, "GIT_CONFIG_NOSYSTEM": "1", "PATH": os.environ["PATH"]}
        for role in ("AUTHOR", "COMMITTER"):
            home.update({f"GIT_{role}_NAME": "somebody", f"GIT_{role}_EMAIL": "somebody@example.org"})
        done = subprocess.run(words, cwd=self.tree.root, env=home, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def expect_files_of_before(self):
        """Folders aside, which may have been removed with their last file, or not."""
        changed = differences(self.tree.now(), self.tree.before)
        self.assertEqual([name for name in changed if self.tree.path(name).exists() and not
                          self.tree.path(name).is_dir()], [])
        self.assertEqual([name for name in changed if self.tree.before.get(name, (0, None))[1] is not None], [])

    def without_git(self):
        return {name: what for name, what in self.tree.now().items() if name.split("/")[0] != ".git"}

    def test_making_it_touches_nothing(self):
        self.expect(self.tree.before)

    def test_patch_makes_the_same_tree(self):
        self.command("patch", "-s", "-p1", "-i", self.file)
        self.expect(self.goal)
        self.assertIn("nothing to do", self.run_on())

    def test_patch_reversed_is_undo(self):
        self.run_on("--library=subproject")
        self.command("patch", "-s", "-p1", "-R", "-i", self.file)
        self.expect_files_of_before()

    def test_git_apply_makes_the_same_tree(self):
        said = self.command("git", "apply", "--whitespace=error", self.file)
        self.assertEqual(said, "")
        self.expect(self.goal)

    def test_git_am_makes_the_same_tree(self):
        self.command("git", "init", "-q")
        self.command("git", "add", "-A")
        self.command("git", "commit", "-q", "-m", "QEMU")
        self.command("git", "am", "--whitespace=error", self.file)
        self.assertEqual(differences(self.without_git(), self.goal), [])
        self.assertIn("ivshmem-flat", self.command("git", "log", "-1", "--format=%s"))

    def test_beside_a_last_line_without_an_end(self):
        kconfig = self.tree.path(KCONFIG)
        kconfig.write_bytes(kconfig.read_bytes()[:-1])
        self.assertEqual(kconfig.read_text().splitlines()[-1], "source macio/Kconfig")
        before = self.tree.now()
        goal = self.integrated("--library=subproject")
        self.run_on("--undo")
        self.expect(before)
        self.make("--library=subproject")
        self.command("git", "apply", self.file)
        self.expect(goal)

    def test_of_the_undoing(self):
        self.run_on("--library=subproject")
        self.make("--undo")
        self.expect(self.goal)
        self.command("git", "apply", self.file)
        self.expect_files_of_before()

    def test_of_a_tree_that_has_it_there_is_none(self):
        self.run_on("--library=subproject")
        done = integrate(self.tree.root, "--patch")
        self.assertEqual((done.returncode, done.stdout), (0, ""))
        self.assertIn("the patch is empty", done.stderr)

    def test_a_link_makes_no_patch(self):
        done = integrate(self.tree.root, "--patch", "--link")
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("is a link", done.stderr)


class Update(Integration):
    builds = ("10.0",)

    def setUp(self):
        super().setUp()
        self.mine = self.ours()
        self.run_mine("--library=subproject")

    def run_mine(self, *options):
        return self.run_on(*options, program=self.mine.integrate)

    def changed_by(self, *options):
        """The names of what a run wrote, added or removed."""
        times = written(self.tree.root)
        self.run_mine(*options)
        now = written(self.tree.root)
        return {name for name in times.keys() | now.keys()
                if times.get(name) != now.get(name) and not self.tree.path(name).is_dir()}

    def append(self, path):
        path.write_text(path.read_text() + "/* new */\n")

    def test_only_what_changed_is_written(self):
        self.append(self.mine.device / "sysbus.c")
        self.append(self.mine.root / "libivflat" / "wire.c")
        self.assertEqual(self.changed_by(),
                         {FOLDER + "/sysbus.c", LIBRARY + "/libivflat/wire.c", RECORD})

    def test_files_come_and_go(self):
        (self.mine.device / "new.c").write_text("/* new */\n")
        (self.mine.device / "status.c").unlink()
        self.assertEqual(self.changed_by(), {FOLDER + "/new.c", FOLDER + "/status.c", RECORD})

    def test_events_change(self):
        with (self.mine.device / "trace-events.further").open("a") as file:
            file.write('ivflat_new(void) "new"\n')
        self.assertEqual(self.changed_by(), {EVENTS, RECORD})
        self.assertIn('ivflat_new(void) "new"\n', self.tree.text(EVENTS))

    def test_undone_all_the_same(self):
        self.append(self.mine.device / "sysbus.c")
        (self.mine.device / "status.c").unlink()
        (self.mine.device / "trace-events.further").write_text("")
        self.run_mine("--undo")
        self.expect(self.tree.before)

    def test_what_was_lost_is_put_back(self):
        goal = self.tree.now()
        for name in (FOLDER + "/sysbus.c", LIBRARY + "/meson.build", PAGE):
            self.tree.path(name).unlink()
        self.tree.rewrite(MESON, "subdir('ivflat')\n", "")
        self.run_mine()
        self.expect(goal)


class Library(Integration):
    builds = ("10.0",)

    def known(self, version):
        """Where pkg-config finds a libivflat of a version."""
        folder = Path(self.path("pc-" + version))
        folder.mkdir()
        (folder / "libivflat.pc").write_text(f"Name: libivflat\nDescription: .\nVersion: {version}\n")
        return {"PKG_CONFIG_LIBDIR": str(folder)}

    def has_copy(self):
        return self.tree.path(LIBRARY + "/meson.build").is_file()

    def test_auto_takes_the_installed_one(self):
        self.run_on(env=self.known("0.1.0"))
        self.assertFalse(self.has_copy())

    def test_auto_takes_a_copy_when_the_installed_one_is_too_old(self):
        self.run_on(env=self.known("0.0.9"))
        self.assertTrue(self.has_copy())

    def test_auto_takes_a_copy_without_pkg_config(self):
        self.run_on(env={"PKG_CONFIG": "/nowhere/pkg-config"})
        self.assertTrue(self.has_copy())

    def test_auto_stays_with_what_it_did(self):
        self.run_on()
        self.assertIn("nothing to do", self.run_on(env=self.known("0.1.0")))

    def test_installed_takes_the_copy_out_again(self):
        self.run_on("--library=subproject")
        self.run_on("--library=installed", env=self.known("0.1.0"))
        self.assertFalse(self.tree.path(LIBRARY).exists())

    def test_installed_says_when_it_is_not(self):
        done = integrate(self.tree.root, "--library=installed")
        self.assertEqual(done.returncode, 0)
        self.assertIn("pkg-config does not know libivflat", done.stderr)

    def test_what_somebody_else_put_there_stays(self):
        self.tree.path(LIBRARY).mkdir()
        self.tree.path(LIBRARY + "/meson.build").write_text("project('libivflat')\n")
        theirs = snapshot(self.tree.path(LIBRARY))
        done = integrate(self.tree.root)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("stays as it is", done.stderr)
        self.run_on("--undo")
        self.assertEqual(snapshot(self.tree.path(LIBRARY)), theirs)

    def test_a_link(self):
        mine = self.ours()
        self.run_on("--link", "--library=subproject", program=mine.integrate)
        self.assertEqual(os.readlink(self.tree.path(LIBRARY)), str(mine.root))
        self.assertIn("nothing to do", self.run_on(program=mine.integrate))
        self.run_on("--undo", program=mine.integrate)
        self.expect(self.tree.before)
        self.assertTrue((mine.root / "libivflat" / "wire.c").exists())


def alone(paths):
    """Without the harness's builds: on the trees that are named, or on the sources that apt gives."""
    from types import SimpleNamespace
    from harness import runner
    from make.common import Missing
    from make.source import Sources, upstream
    try:
        if not paths:
            sources = Sources()
            paths = [sources.path(sources.resolve(version)) for version in Integration.builds]
    except Missing as missing:
        print(f"SKIPPED: {missing}")
        return 77
    trees = [Path(path).resolve() for path in paths]
    Case.builds_made = {upstream((path / "VERSION").read_text()): SimpleNamespace(tree=SimpleNamespace(pristine=path))
                        for path in trees}
    Case.builds_made["newest"] = SimpleNamespace(tree=SimpleNamespace(pristine=trees[-1]))
    found = unittest.TestLoader().discover(str(Path(__file__).parent), pattern="test_integrate*.py")
    tests = [pair for test in runner.flat(found) for pair in runner.expand(test)]
    count = runner.Runner(2).run([(name, test) for name, test in tests if test.build in Case.builds_made])
    return 1 if count["FAILED"] else 0


if __name__ == "__main__":
    sys.exit(alone(sys.argv[1:]))
