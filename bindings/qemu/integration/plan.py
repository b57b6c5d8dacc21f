# SPDX-License-Identifier: GPL-2.0-or-later
"""From a tree as it is to the tree as it is to be: all changes, computed before the first is made."""
import os
import subprocess

from . import Refusal, ours
from .edits import Block, Line, missing_events
from .record import NAME as RECORD
from .record import Record, digest

NEEDED = 'libivflat >= 0.1'


class Change:
    """One file before and after; None is no file."""

    def __init__(self, name, before, after, what=''):
        self.name, self.before, self.after, self.what = name, before, after, what


def edits():
    """Our lines in QEMU's own files."""
    original, further = ours.events('original'), ours.events('further')
    return [
        Line('hw/misc/meson.build', b"subdir('ivflat')", [b"subdir('macio')"]),
        Line('hw/misc/Kconfig', b'source ivflat/Kconfig', [b'source macio/Kconfig']),
        Line('docs/system/device-emulation.rst', b'   devices/ivflat.rst',
             [b'   devices/ivshmem-flat.rst', b'   devices/ivshmem.rst']),
        Block('hw/misc/trace-events', lambda text: missing_events(original, further, text)),
    ]


def library_known():
    """Whether pkg-config finds the library, as QEMU's configure is going to ask it."""
    command = [os.environ.get('PKG_CONFIG') or 'pkg-config', '--exists', NEEDED]
    try:
        return subprocess.run(command, check=False, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


class Plan:
    """What to do to one tree."""

    def __init__(self, tree):
        self.tree, self.changes, self.notes = tree, [], []
        self.record = Record.parse(tree.read(RECORD))

    def integrate(self, library, link):
        wanted = ours.device_files()
        wanted.update(self._library(library, link))
        self._compute(wanted)
        return self

    def undo(self):
        texts = [(edit, self.tree.must_read(edit.name)) for edit in edits()]
        traces = [name for name in (ours.DEVICE_FOLDER, ours.PAGE) if self.tree.exists(name)]
        traces += [edit.name for edit, text in texts if edit.take(text) != text]
        if traces and not self.tree.exists(RECORD):
            raise Refusal(f'{self.tree.path(RECORD)} is missing, which says what of {traces[0]} is ours: '
                          'run integrate without --undo once, and then with it')
        self._compute({})
        return self

    def _library(self, way, link):
        """The library's files for the tree: none when QEMU finds it elsewhere."""
        if way == 'auto':
            way = self._library_way()
        if way == 'subproject':
            return self._subproject(link)
        if self._library_is_foreign():
            self.notes.append(f'{ours.LIBRARY_FOLDER} is there already, and stays as it is')
        elif not library_known():
            self.notes.append(f'pkg-config does not know {NEEDED}: QEMU leaves the device out until it does')
        return {}

    def _library_way(self):
        """What was done before is done again; what somebody else put there is left; else as pkg-config says."""
        if self._library_is_ours():
            return 'subproject'
        return 'installed' if self._library_is_foreign() or library_known() else 'subproject'

    def _subproject(self, link):
        if not os.path.isdir(self.tree.path('subprojects')):
            raise Refusal(f'{self.tree.path("subprojects")} is no folder, and the library would go there')
        linked = self.tree.is_link(ours.LIBRARY_FOLDER)
        if link and self._library_is_ours() and not linked:
            raise Refusal(f'{self.tree.path(ours.LIBRARY_FOLDER)} is a copy: a link can take its place after --undo')
        return ours.library_link() if link or linked else ours.library_files()

    def _library_is_ours(self):
        return any(_below(name, ours.LIBRARY_FOLDER) for name in self.record.files)

    def _library_is_foreign(self):
        """Somebody else's, then: not recorded, and not what a run that was killed has left of ours."""
        folder = ours.LIBRARY_FOLDER
        if self._library_is_ours() or not self.tree.exists(folder):
            return not self._library_is_ours() and self.tree.exists(folder + '.wrap')
        left = {**ours.library_files(), **ours.library_link()}
        return any(self.tree.read(name) != left.get(name) for name in self.tree.files_below(folder))

    def _compute(self, wanted):
        self._check_files(wanted)
        events = self._edit(bool(wanted))
        changed = {name: self.tree.read(name) for name in set(self.record.files) | set(wanted)}
        for name in sorted(changed):
            self._change(name, changed[name], wanted.get(name))
        record = None
        if wanted:
            links = [name for name, content in wanted.items() if isinstance(content, ours.Link)]
            record = Record.of(wanted, events).format(links)
        self._change(RECORD, self.tree.read(RECORD), record)

    def _change(self, name, before, after, what=''):
        if before != after:
            self.changes.append(Change(name, before, after, what))

    def _edit(self, put):
        """Our lines into, or out of, QEMU's files; the trace events that are then in there."""
        events = b''
        for edit in edits():
            before = self.tree.must_read(edit.name)
            if isinstance(edit, Block):
                self._check_events(edit, before)
            after = edit.put(before) if put else edit.take(before)
            events = edit.inside(after) if isinstance(edit, Block) else events
            self._change(edit.name, before, after, edit.what)
        return events

    def _check_events(self, edit, text):
        there = edit.inside(text)
        if there and there != edit.inside(edit.put(text)) and digest(there) != self.record.events:
            raise Refusal(f'{self.tree.path(edit.name)} was changed by hand between the marks of ivflat: '
                          'move those lines elsewhere, or remove them with the marks')

    def _check_files(self, wanted):
        for name in sorted(set(self.record.files) | set(wanted)):
            self._check_file(name, self.tree.read(name), wanted.get(name))
        for folder in (ours.DEVICE_FOLDER, ours.LIBRARY_FOLDER):
            if folder == ours.DEVICE_FOLDER or self._library_is_ours():
                self._check_strangers(folder, wanted)

    def _check_file(self, name, there, wanted):
        if there is None or there == wanted:
            return
        if name not in self.record.files:
            raise Refusal(f'{self.tree.path(name)} is there already and was not put there by integrate: '
                          'remove it first')
        if digest(there) != self.record.files[name]:
            raise Refusal(f'{self.tree.path(name)} was changed by hand since integrate put it there: '
                          'keep the change elsewhere and remove the file')

    def _check_strangers(self, folder, wanted):
        known = set(self.record.files) | set(wanted) | {RECORD}
        for name in self.tree.files_below(folder):
            if name not in known:
                raise Refusal(f'{self.tree.path(name)} was not put there by integrate: move it elsewhere')


def _below(name, folder):
    return name == folder or name.startswith(folder + '/')
