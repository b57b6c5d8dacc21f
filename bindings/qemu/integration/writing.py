# SPDX-License-Identifier: GPL-2.0-or-later
"""All changes to a tree, or none: new files are written aside, and then everything is renamed into its place."""
import fcntl
import os
import shutil
import signal
from contextlib import contextmanager

from . import Refusal
from .ours import DEVICE_FOLDER, LIBRARY_FOLDER, Link

ASIDE = '.integrate-ivflat'


@contextmanager
def alone_in(tree):
    """One integrate at a time in a tree; two would take each other's files for somebody's changes."""
    folder = os.open(tree.root, os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Refusal(f'another integrate is at work in {tree.root}: wait for it') from None
    finally:
        os.close(folder)


@contextmanager
def uninterrupted():
    """Renaming takes milliseconds: a signal waits for so long, and what is done by then is not to be interrupted."""
    signals = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signals)
    try:
        yield
        for number in signals:
            signal.signal(number, signal.SIG_IGN)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Writing:
    """The changes of one plan on their way into the tree."""

    def __init__(self, tree, changes):
        self.tree, self.changes = tree, changes
        self.aside = tree.path(ASIDE)
        self.undo = []  # what takes each step back, in the order of the steps

    def run(self):
        try:
            self._stage()
            with uninterrupted():
                self._commit()
        except OSError as error:
            where = error.filename2 or error.filename or self.tree.root
            raise Refusal(f'{where} cannot be written ({error.strerror}): the tree is as it was') from error
        finally:
            shutil.rmtree(self.aside, ignore_errors=True)

    def _stage(self):
        """Whatever can fail for want of room or right fails here, and nothing is changed yet."""
        shutil.rmtree(self.aside, ignore_errors=True)  # of a run that was killed
        os.mkdir(self.aside)
        for number, change in enumerate(self.changes):
            if change.after is not None:
                self._write_aside(self._new(number), change)

    def _new(self, number):
        return os.path.join(self.aside, f'{number}.new')

    def _write_aside(self, path, change):
        if isinstance(change.after, Link):
            os.symlink(change.after.target, path)
            return
        with open(path, 'wb') as file:
            file.write(change.after)
        if isinstance(change.before, bytes):
            self._dress(path, os.stat(self.tree.path(change.name)))

    @staticmethod
    def _dress(path, like):
        """A file that was there keeps its mode and, where we may, its owner."""
        if os.geteuid() == 0:
            os.chown(path, like.st_uid, like.st_gid)
        os.chmod(path, like.st_mode & 0o7777)

    def _commit(self):
        try:
            for number, change in enumerate(self.changes):
                self._one(number, change)
        except BaseException:
            for step in reversed(self.undo):
                step()
            raise
        for change in reversed(self.changes):
            if change.after is None:
                self._prune(os.path.dirname(change.name))

    def _one(self, number, change):
        path, old = self.tree.path(change.name), os.path.join(self.aside, f'{number}.old')
        if change.after is None:
            os.rename(path, old)
            self.undo.append(lambda: os.rename(old, path))
        elif change.before is None:
            self._make_folder(os.path.dirname(change.name))
            os.rename(self._new(number), path)
            self.undo.append(lambda: os.unlink(path))
        else:
            self._keep(path, old)
            os.rename(self._new(number), path)
            self.undo.append(lambda: os.rename(old, path))

    @staticmethod
    def _keep(path, old):
        """A second name, so that the file is at its place at every moment, and comes back as itself if need be."""
        try:
            os.link(path, old, follow_symlinks=False)
        except OSError:  # a file system without links, or a file that is not ours to link
            shutil.copy2(path, old, follow_symlinks=False)

    def _make_folder(self, name):
        path = self.tree.path(name)
        if not os.path.isdir(path):
            self._make_folder(os.path.dirname(name))
            os.mkdir(path)
            self.undo.append(lambda: os.rmdir(path))

    def _prune(self, name):
        """Folders of ours that are empty now; those that were QEMU's stay."""
        while (name + '/').startswith((DEVICE_FOLDER + '/', LIBRARY_FOLDER + '/')):
            try:
                os.rmdir(self.tree.path(name))
            except OSError:
                return
            name = os.path.dirname(name)
