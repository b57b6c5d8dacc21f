# SPDX-License-Identifier: BSD-3-Clause
"""Each source file names its licence at its top, and none is longer than a person reads.

usage: sources.py SOURCE_ROOT | sources.py --self-test
"""

import os
import re
import sys

SOURCE = re.compile(r'.*\.(c|h|py|sh|build|in|map|ld|S|cs|robot|resc|repl)$|.*trace-events\.[a-z]+$|meson_options\.txt$')
SCRIPT = re.compile(r'#!')
TAG = re.compile(r'SPDX-License-Identifier: (BSD-3-Clause|GPL-2\.0-or-later)\b')
# GPL is for what has to be QEMU's.
GPL_FOLDER = 'bindings/qemu/'
MOST_LINES = 450
# Renode loads a peripheral by including one file.
LONGER = {'bindings/renode/IvshmemFlat.cs': 700}


def head_of(path, text):
    """Where the licence has to stand: in the first three lines, or, as is QEMU's way, in the first comment."""
    if path.startswith(GPL_FOLDER) and text.startswith('/*'):
        return text.partition('*/')[0]
    return '\n'.join(text.splitlines()[:3])


def faults(path, text):
    """What is wrong with the file at the path, below the root."""
    head = head_of(path, text)
    if not SOURCE.match(path) and not SCRIPT.match(text):
        return
    tag = TAG.search(head)
    if not tag:
        yield f'{path}: no SPDX-License-Identifier line at its top'
    elif tag[1].startswith('GPL') and not path.startswith(GPL_FOLDER):
        yield f'{path}: is {tag[1]}; all but {GPL_FOLDER} is BSD-3-Clause'
    most = LONGER.get(path, MOST_LINES)
    if len(text.splitlines()) > most:
        yield f'{path}: {len(text.splitlines())} lines; split it before it has more than {most}'


def files(root):
    """Our own files: no build folder (it has a meson-private), nothing hidden, no subproject of somebody else's."""
    for folder, folders, names in os.walk(root):
        folders[:] = [name for name in folders if not name.startswith('.') and name not in ('subprojects', '__pycache__')
                      and not os.path.exists(os.path.join(folder, name, 'meson-private'))]
        for name in names:
            path = os.path.join(folder, name)
            if os.path.isfile(path) and not os.path.islink(path):
                yield os.path.relpath(path, root), path


def main(root):
    found, count = [], 0
    for path, full in files(root):
        with open(full, encoding='utf-8', errors='replace') as file:
            found += faults(path, file.read())
        count += 1
    print('\n'.join(found) or f'{count} files, nothing to say')
    return bool(found) or count < 20


def self_test():
    tag = '/* SPDX-License-Identifier: BSD-3-Clause */\n'
    bad = [('libivflat/x.c', 'int x;\n'), ('examples/run', '#!/bin/sh\n'), ('x/meson.build', ''),
           ('libivflat/x.c', tag.replace('BSD-3-Clause', 'GPL-2.0-or-later')), ('tests/x.py', '\n\n\n\n' + tag),
           ('bindings/qemu/x.c', '/*\n * What\n */\n' + tag.replace('BSD-3-Clause', 'GPL-2.0-or-later')),
           ('libivflat/x.c', '/*\n * What\n *\n * SPDX-License-Identifier: BSD-3-Clause\n */\n'),
           ('libivflat/x.c', tag + '\n' * MOST_LINES), ('tests/x.c', tag + '\n' * MOST_LINES)]
    good = [('libivflat/x.c', tag),
            ('bindings/qemu/x.h', '/*\n * What\n *\n * SPDX-License-Identifier: GPL-2.0-or-later\n */\n'),
            ('bindings/qemu/x.c', tag.replace('BSD-3-Clause', 'GPL-2.0-or-later')),
            ('docs/x.md', 'text\n'), ('examples/run', '#!/bin/sh\n# SPDX-License-Identifier: BSD-3-Clause\n')]
    missed = [path for path, text in bad if not list(faults(path, text))]
    wrong = [path for path, text in good if list(faults(path, text))]
    print(f'not seen: {missed}; wrongly seen: {wrong}')
    return bool(missed or wrong)


if __name__ == '__main__':
    sys.exit(self_test() if sys.argv[1:] == ['--self-test'] else main(*sys.argv[1:]))
