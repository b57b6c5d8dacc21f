# SPDX-License-Identifier: GPL-2.0-or-later
"""What integrate left in a tree, so that a later run knows its own files from those that somebody changed."""
import hashlib

from . import Refusal
from .ours import DEVICE_FOLDER, LIBRARY_FOLDER, PAGE, Link

NAME = f'{DEVICE_FOLDER}/integrated.sha256'
HEADING = '# Put here by bindings/qemu/integrate of libivflat, which takes it out again with --undo.\n'
EVENTS = '# trace events: '
LINK = '# link: '


def digest(content):
    """Of a file's bytes, or of where a link points."""
    data = b'link ' + content.target.encode() if isinstance(content, Link) else content
    return hashlib.sha256(data).hexdigest()


class Record:
    """Names and digests of our files, and the digest of our trace events; 'sha256sum -c' reads it too."""

    def __init__(self, files=None, events=''):
        self.files, self.events = files or {}, events

    @classmethod
    def of(cls, contents, events):
        return cls({name: digest(content) for name, content in contents.items()}, digest(events))

    @classmethod
    def parse(cls, content):
        """From the tree; nothing when there is none."""
        record = cls()
        if content is None:
            return record
        if isinstance(content, Link):
            raise Refusal(f'{NAME} is a symbolic link: this is not what integrate wrote')
        for line in content.decode(errors='replace').splitlines():
            if line.startswith(EVENTS):
                record.events = line[len(EVENTS):]
                continue
            value, _, name = (line[len(LINK):] if line.startswith(LINK) else line).partition('  ')
            if name and not value.startswith('#'):
                record.files[_inside(name)] = value
        return record

    def format(self, links):
        lines = [f'{LINK if name in links else ""}{value}  {name}\n' for name, value in sorted(self.files.items())]
        return (HEADING + f'{EVENTS}{self.events}\n' + ''.join(lines)).encode()


def _inside(name):
    """A record that names other files was not written by us, and must not make us remove them."""
    places = name in (PAGE, LIBRARY_FOLDER) or name.startswith((f'{DEVICE_FOLDER}/', f'{LIBRARY_FOLDER}/'))
    if not places or '..' in name.split('/'):
        raise Refusal(f'{NAME} names {name}, where integrate puts nothing: somebody changed it')
    return name
