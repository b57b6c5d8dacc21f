# SPDX-License-Identifier: GPL-2.0-or-later
"""A QEMU source tree: is it one, which version, and what is in its files."""
import os
import re

from . import Refusal
from .ours import Link

OLDEST = (7, 2)
NEWEST_TRIED = (10, 2)


class Tree:
    """Reads; writes nothing."""

    def __init__(self, root):
        self.root = root
        if not os.path.isdir(root):
            raise Refusal(f'{root} is no folder: name the top folder of a QEMU source tree')
        self.version = self._version()

    def _version(self):
        found = re.fullmatch(rb'(\d+)\.(\d+)(\.\d+)*(-\S+)?\s*', self.read('VERSION') or b'')
        if not found or b"project('qemu'" not in (self.read('meson.build') or b''):
            raise Refusal(f'{self.root} is no QEMU source tree: its files VERSION and meson.build do not say so')
        version = int(found.group(1)), int(found.group(2))
        if version < OLDEST:
            raise Refusal(f'{self.root} is QEMU {found.group().decode().strip()}: the oldest that will do is 7.2')
        return version

    def name(self):
        """For sentences: QEMU 10.0.2."""
        return 'QEMU ' + self.read('VERSION').decode().strip()

    def untried(self):
        """Newer than all that the device was tried in: the edits may fit all the same, so that is no refusal."""
        return self.version > NEWEST_TRIED

    def path(self, name):
        return os.path.join(self.root, name)

    def read(self, name):
        """A file's bytes, a Link, or None when it is not there."""
        path = self.path(name)
        try:
            if os.path.islink(path):
                return Link(os.readlink(path))
            with open(path, 'rb') as file:
                return file.read()
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise Refusal(f'{path} cannot be read: {error.strerror}') from error

    def must_read(self, name):
        """A file that every QEMU has, and that we are going to change."""
        text = self.read(name)
        if not isinstance(text, bytes):
            what = 'a symbolic link' if text else 'missing'
            raise Refusal(f'{self.path(name)} is {what}: this is not the QEMU tree that integrate knows')
        return text

    def exists(self, name):
        return os.path.lexists(self.path(name))

    def is_link(self, name):
        return os.path.islink(self.path(name))

    def files_below(self, name):
        """Names of all files in a folder, or of a link that is in its place."""
        if self.is_link(name):
            return [name]
        found = []
        for folder, folders, names in os.walk(self.path(name)):
            links = [entry for entry in folders if os.path.islink(os.path.join(folder, entry))]
            found += [os.path.relpath(os.path.join(folder, entry), self.root) for entry in names + links]
        return sorted(found)
