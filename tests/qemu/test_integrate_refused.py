# SPDX-License-Identifier: BSD-3-Clause
"""Trees that bindings/qemu/integrate does not know, or cannot write: one sentence, and all is as it was."""
import contextlib
import errno
import fcntl
import os
import re
import signal
import sys

from harness.source_tree import (EVENTS, FOLDER, KCONFIG, LIBRARY, MESON, PAGE, RECORD, TOC, integrate, nobody,
                                 snapshot)
from make.common import ADAPTER
from test_integrate import Integration

BEGIN = "# ivflat: from here to the end mark by libivflat, see hw/misc/ivflat/integrated.sha256"
END = "# ivflat: end"


class Refusing(Integration):
    builds = ("10.0",)

    def refused(self, sentence, *options, **more):
        """One line on standard error, 2, and no byte of the tree changed."""
        before = self.tree.now()
        done = integrate(self.tree.root, *options, **more)
        self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
        self.assertRegex(done.stderr, r"\Aintegrate: .+\n\Z")
        self.assertRegex(done.stderr, sentence)
        self.expect(before)

    def in_every_way(self, sentence):
        for options in ((), ("--dry-run",), ("--patch",)):
            self.refused(sentence, *options)


class UnknownTree(Refusing):
    def test_no_folder(self):
        done = integrate(self.path("nothing"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("is no folder", done.stderr)

    def test_no_version(self):
        self.tree.path("VERSION").unlink()
        self.in_every_way("is no QEMU source tree")

    def test_a_version_that_is_none(self):
        self.tree.path("VERSION").write_text("ten\n")
        self.in_every_way("is no QEMU source tree")

    def test_another_project(self):
        self.tree.rewrite("meson.build", "project('qemu'", "project('other'")
        self.in_every_way("is no QEMU source tree")

    def test_too_old(self):
        for version in ("6.2.0", "7.1.0", "7.1.93"):
            self.tree.path("VERSION").write_text(version + "\n")
            self.in_every_way(f"QEMU {re.escape(version)}: the oldest that will do is 7.2")

    def test_newer_than_tried_is_done_and_said(self):
        self.tree.path("VERSION").write_text("42.0.50\n")
        done = integrate(self.tree.root)
        self.assertEqual(done.returncode, 0)
        self.assertIn("QEMU 42.0.50 is newer than", done.stderr)

    def test_without_the_lines_that_ours_go_beside(self):
        for name, lines in ((MESON, ("subdir('macio')",)), (KCONFIG, ("source macio/Kconfig",)),
                            (TOC, ("   devices/ivshmem.rst", "   devices/ivshmem-flat.rst"))):
            with self.subTest(file=name):
                text = self.tree.text(name)
                for line in lines:
                    self.tree.path(name).write_text(self.tree.text(name).replace(line + "\n", ""))
                self.in_every_way(f"{name} has no line")
                self.tree.path(name).write_text(text)

    def test_without_a_file_that_changes(self):
        for name in (MESON, KCONFIG, EVENTS, TOC):
            with self.subTest(file=name):
                text = self.tree.text(name)
                self.tree.path(name).unlink()
                self.in_every_way(f"{name} is missing")
                self.refused(f"{name} is missing", "--undo")
                self.tree.path(name).write_text(text)

    def test_a_file_that_changes_is_a_link(self):
        path = self.tree.path(MESON)
        path.rename(self.path("elsewhere"))
        path.symlink_to(self.path("elsewhere"))
        self.in_every_way(f"{MESON} is a symbolic link")

    def test_no_subprojects(self):
        self.tree.path("subprojects").rmdir()
        self.in_every_way("subprojects is no folder")

    def test_bad_options(self):
        for options in (("--library=none",), ("--link", "--library=installed"), ("--what",)):
            done = integrate(self.tree.root, *options)
            self.assertEqual(done.returncode, 2)
        self.expect(self.tree.before)


class SomebodysFiles(Refusing):
    def test_a_folder_of_our_name(self):
        self.tree.path(FOLDER).mkdir()
        self.tree.path(FOLDER + "/sysbus.c").write_text("/* theirs */\n")
        self.in_every_way("sysbus.c is there already and was not put there by integrate")

    def test_a_link_of_our_name(self):
        os.symlink(ADAPTER / "device", self.tree.path(FOLDER))
        self.in_every_way("hw/misc/ivflat was not put there by integrate")

    def test_a_page_of_our_name(self):
        self.tree.path(PAGE).write_text("theirs\n")
        self.in_every_way("ivflat.rst is there already")

    def test_a_library_where_a_copy_is_asked_for(self):
        self.tree.path(LIBRARY).mkdir()
        self.tree.path(LIBRARY + "/meson.build").write_text("theirs\n")
        self.refused("libivflat/meson.build is there already", "--library=subproject")

    def test_changed_by_hand(self):
        self.integrated("--library=subproject")
        for name in (FOLDER + "/sysbus.c", FOLDER + "/Kconfig", PAGE, LIBRARY + "/libivflat/wire.c"):
            with self.subTest(file=name):
                text = self.tree.text(name)
                self.tree.path(name).write_text(text + "/* mine */\n")
                self.in_every_way(f"{name} was changed by hand")
                self.refused(f"{name} was changed by hand", "--undo")
                self.tree.path(name).write_text(text)
        self.run_on("--undo")

    def test_added_by_hand(self):
        self.integrated("--library=subproject")
        for name in (FOLDER + "/mine.c", LIBRARY + "/libivflat/mine.c"):
            with self.subTest(file=name):
                self.tree.path(name).write_text("/* mine */\n")
                self.in_every_way(f"{name} was not put there by integrate")
                self.refused(f"{name} was not put there by integrate", "--undo")
                self.tree.path(name).unlink()
        self.run_on("--undo")

    def test_events_changed_by_hand(self):
        self.integrated()
        self.tree.rewrite(EVENTS, END, 'mine(void) "mine"\n' + END)
        self.in_every_way("trace-events was changed by hand between the marks")
        self.refused("trace-events was changed by hand between the marks", "--undo")

    def test_half_of_the_marks(self):
        self.integrated()
        self.tree.rewrite(EVENTS, END + "\n", "")
        self.in_every_way("is there, and no .* after it")
        self.refused("is there, and no .* after it", "--undo")

    def test_undo_without_the_record(self):
        goal = self.integrated()
        self.tree.path(RECORD).unlink()
        self.refused("integrated.sha256 is missing", "--undo")
        self.run_on()
        self.expect(goal)
        self.run_on("--undo")
        self.expect(self.tree.before)

    def test_a_record_that_names_other_files(self):
        self.integrated()
        for name in ("VERSION", "../victim", "/etc/passwd", FOLDER + "/../meson.build"):
            with self.tree.path(RECORD).open("a") as file:
                file.write(f"{64 * '0'}  {name}\n")
            self.refused("where integrate puts nothing", "--undo")
            self.tree.rewrite(RECORD, f"{64 * '0'}  {name}\n", "")

    def test_a_link_in_a_copys_place(self):
        self.integrated("--library=subproject")
        self.refused("is a copy: a link can take its place after --undo", "--link")

    def test_the_library_copied_and_then_linked_by_hand(self):
        self.integrated("--library=subproject")
        self.tree.path(LIBRARY).rename(self.path("moved"))
        self.tree.path(LIBRARY).symlink_to(self.path("moved"))
        theirs = snapshot(self.path("moved"))
        self.refused("libivflat was not put there by integrate", "--undo")
        self.assertEqual(snapshot(self.path("moved")), theirs)


class Unwritable(Refusing):
    """As nobody, whom permissions stop."""

    def setUp(self):
        super().setUp()
        self.mine = self.ours()
        for folder, _, _ in os.walk(self.path("ours")):
            os.chmod(folder, 0o755)

    def refused_to_nobody(self, sentence, *options):
        self.refused(sentence, *options, program=self.mine.integrate, wrap=nobody)

    def give(self, *names):
        for name in names:
            os.chown(self.tree.path(name), 65534, 65534)

    def test_the_tree(self):
        self.refused_to_nobody("cannot be written .Permission denied.: the tree is as it was")

    def test_one_folder_of_it(self):
        """Each in turn: the renames before it are taken back."""
        folders = [".", "docs/system", "docs/system/devices", "hw/misc", "subprojects"]
        for forbidden in folders[1:]:
            with self.subTest(folder=forbidden):
                self.give(*(name for name in folders if name != forbidden))
                os.chown(self.tree.path(forbidden), 0, 0)
                self.refused_to_nobody("cannot be written .Permission denied.: the tree is as it was",
                                       "--library=subproject")
        self.give(*folders)
        done = integrate(self.tree.root, "--library=subproject", program=self.mine.integrate, wrap=nobody)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_what_cannot_be_read(self):
        for name in ("VERSION", EVENTS):
            self.tree.path(name).chmod(0)
            self.refused_to_nobody(f"{name} cannot be read")
            self.tree.path(name).chmod(0o644)

    def test_the_folder_cannot_be_listed(self):
        self.tree.root.chmod(0o711)
        self.refused_to_nobody("Permission denied")

    def test_a_dry_run_needs_no_right(self):
        done = integrate(self.tree.root, "--dry-run", program=self.mine.integrate, wrap=nobody)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.expect(self.tree.before)

    def test_a_file_that_does_not_fit(self):
        def limited(*command):
            return ["prlimit", "--fsize=4096", *command]
        self.refused("cannot be written .File too large.: the tree is as it was", wrap=limited)


class Interrupted(Refusing):
    """Every single step fails, or is the last."""

    def child(self, options, call, number, act):
        """The exit status of integrate, in a child, whose call @number of os.@call is @act instead."""
        pid = os.fork()
        if pid:
            return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        with contextlib.suppress(BaseException):
            os.environ["PKG_CONFIG_LIBDIR"] = "/nowhere"
            with open(os.path.join(self.folder, "said"), "w") as said:
                sys.path.insert(0, str(ADAPTER))
                from integration.command import main
                self.replace(call, number, act)
                with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
                    status = main([*options, str(self.tree.root)])
            os._exit(status)
        os._exit(99)

    @staticmethod
    def replace(call, number, act):
        real, calls = getattr(os, call), []

        def counted(*arguments, **named):
            calls.append(arguments)
            if len(calls) == number:
                act()
            return real(*arguments, **named)
        setattr(os, call, counted)

    @staticmethod
    def full():
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def said(self):
        with open(os.path.join(self.folder, "said")) as file:
            return file.read()

    def every_step(self, options, act):
        """For each rename: the status when it is replaced by @act, until a run has fewer of them."""
        number = 0
        while True:
            number += 1
            status = self.child(options, "rename", number, act)
            if status == 0:
                self.assertGreater(number, 20)
                return
            yield status

    def test_a_step_that_fails_takes_back_the_others(self):
        for options in (("--library=installed",), ("--undo",)):
            before = self.tree.now()
            for status in self.every_step(options, self.full):
                self.assertEqual(status, 2)
                self.assertRegex(self.said(), "No space left on device.*: the tree is as it was")
                self.expect(before)
        self.expect(self.tree.before)

    def test_killed_at_any_step_the_next_run_mends_it(self):
        goal = self.integrated()
        self.run_on("--undo")
        for number in range(1, 60, 6):
            self.assertEqual(self.child((), "rename", number, lambda: os._exit(9)), 9)
            self.run_on()
            self.expect(goal)
            self.assertEqual(self.child(("--undo",), "rename", number, lambda: os._exit(9)), 9)
            self.run_on(*(("--undo",) if number % 4 == 1 else ()))
            self.run_on("--undo")
            self.expect(self.tree.before)

    def test_a_signal_before_the_first_rename(self):
        status = self.child((), "mkdir", 1, lambda: os.kill(os.getpid(), signal.SIGTERM))
        self.assertEqual(status, 2)
        self.assertIn("interrupted by SIGTERM", self.said())
        self.expect(self.tree.before)

    def test_a_signal_between_renames_comes_too_late(self):
        self.assertEqual(self.child((), "rename", 5, lambda: os.kill(os.getpid(), signal.SIGTERM)), 0)
        self.assertIn("nothing to do", self.run_on())

    def test_one_at_a_time(self):
        folder = os.open(self.tree.root, os.O_RDONLY)
        self.addCleanup(os.close, folder)
        fcntl.flock(folder, fcntl.LOCK_EX)
        self.refused("another integrate is at work")
