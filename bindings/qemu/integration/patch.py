# SPDX-License-Identifier: GPL-2.0-or-later
"""The same changes as a patch that 'git am', 'git apply' and 'patch -p1' take."""
import difflib

from . import Refusal
from .ours import Link, version

SUBJECT = 'hw/misc: the ivshmem-flat device of libivflat, for every machine'
BODY = '''\
-device ivflat puts an ivshmem-flat device, shared memory and doorbells
between virtual machines without PCI, at addresses and an interrupt line
of one's choice; ivflat-sysbus is the same for the code of boards.

Written by bindings/qemu/integrate --patch of libivflat {version}, which can
update these files, and take them out again.
'''


def _header():
    return ('From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001\n'
            'From: libivflat <integrate@libivflat.invalid>\n'
            f'Subject: [PATCH] {SUBJECT}\n'
            'MIME-Version: 1.0\nContent-Type: text/plain; charset=UTF-8\nContent-Transfer-Encoding: 8bit\n\n'
            + BODY.format(version=version()) + '---\n')


def _lines(content):
    return [] if content is None else content.decode('utf-8', 'surrogateescape').splitlines(keepends=True)


def _file(change):
    if isinstance(change.before, Link) or isinstance(change.after, Link):
        raise Refusal(f'{change.name} is a link, and a patch with a path of this machine in it is of use to nobody')
    name = change.name
    old, new = f'a/{name}', f'b/{name}'
    head = f'diff --git {old} {new}\n'
    if change.before is None:
        head, old = head + 'new file mode 100644\n', '/dev/null'
    if change.after is None:
        head, new = head + 'deleted file mode 100644\n', '/dev/null'
    body = difflib.unified_diff(_lines(change.before), _lines(change.after), old, new)
    return head + ''.join(line if line.endswith('\n') else line + '\n\\ No newline at end of file\n' for line in body)


def patch(changes):
    """All of it, as text."""
    return _header() + '\n' + ''.join(_file(change) for change in changes) + f'-- \nlibivflat {version()}\n'
