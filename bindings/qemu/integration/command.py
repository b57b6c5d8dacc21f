# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line, and what is said."""
import argparse
import os
import signal
import sys

from . import Refusal
from .ours import DEVICE_FOLDER, LIBRARY_FOLDER
from .patch import patch
from .plan import Plan
from .tree import NEWEST_TRIED, Tree
from .writing import Writing, alone_in

EPILOG = '''\
The library: with "installed" QEMU asks pkg-config for it; with "subproject" its sources go to subprojects/libivflat,
and it is linked in; "auto", the default, takes the second where pkg-config does not know it.

Exit status: 0, or 2 when it was refused; the tree is then as it was.'''


def parse(arguments):
    parser = argparse.ArgumentParser(
        prog='integrate', epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter,
        description='Puts the ivshmem-flat device into a QEMU source tree, 7.2 or newer, or brings it up to date.')
    parser.add_argument('tree', metavar='QEMU-TREE', help='the top folder of the sources')
    parser.add_argument('--undo', action='store_true', help='take all of it out again')
    parser.add_argument('--dry-run', action='store_true', help='only say what would be done')
    parser.add_argument('--patch', action='store_true', help='write the same changes as a patch, and touch nothing')
    parser.add_argument('--library', choices=('installed', 'subproject', 'auto'), default='auto',
                        help='where QEMU finds the library')
    parser.add_argument('--link', action='store_true',
                        help='subprojects/libivflat is a link to the library instead of a copy: for who works on it')
    chosen = parser.parse_args(arguments)
    if chosen.link and chosen.library == 'installed':
        parser.error('--link is for a library in subprojects/, and --library=installed says that there is none')
    return chosen


def say(text):
    print(f'integrate: {text}', file=sys.stderr)


def _verb(change):
    if change.before is None:
        return 'added'
    return 'removed' if change.after is None else 'changed'


def summary(changes):
    """A line for each of QEMU's files, and one for each folder of ours."""
    folders, lines = {}, []
    for change in changes:
        for folder in (DEVICE_FOLDER, LIBRARY_FOLDER):
            if change.name.startswith(folder + '/'):
                counts = folders.setdefault(folder, {})
                counts[_verb(change)] = counts.get(_verb(change), 0) + 1
                break
        else:
            lines.append(f'{change.name}: {change.what or _verb(change)}')
    for folder, counts in folders.items():
        files = ', '.join(f'{number} {verb}' for verb, number in sorted(counts.items()))
        lines.append(f'{folder}/: files {files}')
    return sorted(lines)


def report(chosen, tree, plan):
    """What was done, or would be."""
    verb = ('would take out of' if chosen.undo else 'would put into') if chosen.dry_run else \
        ('taken out of' if chosen.undo else 'put into')
    if not plan.changes:
        state = 'nothing of ivflat is in' if chosen.undo else 'ivflat is up to date in'
        print(f'{state} {tree.root} ({tree.name()}): nothing to do')
        return
    print(f'{verb} {tree.root} ({tree.name()}):')
    for line in summary(plan.changes):
        print(f'  {line}')


def run(chosen):
    tree = Tree(os.path.realpath(chosen.tree))
    with alone_in(tree):
        plan = Plan(tree)
        plan = plan.undo() if chosen.undo else plan.integrate(chosen.library, chosen.link)
        if chosen.patch:
            sys.stdout.buffer.write(patch(plan.changes).encode('utf-8', 'surrogateescape') if plan.changes else b'')
        elif not chosen.dry_run:
            Writing(tree, plan.changes).run()
    if not chosen.patch:
        report(chosen, tree, plan)
    advise(chosen, tree, plan)


def advise(chosen, tree, plan):
    """What may still go wrong, for people."""
    for note in plan.notes:
        say(note)
    if chosen.patch and not plan.changes:
        say(f'{tree.root} has all of it already: the patch is empty')
    if tree.untried() and not chosen.undo:
        say('{} is newer than {}.{}, the newest that this was tried in; all places were found'.format(
            tree.name(), *NEWEST_TRIED))


def interrupted(number, _frame):
    """Unwinds, so that what was written aside is removed."""
    raise Refusal(f'interrupted by {signal.Signals(number).name}: the tree is as it was')


def main(arguments):
    chosen = parse(arguments)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupted)
    try:
        run(chosen)
        sys.stdout.flush()
    except Refusal as refusal:
        say(refusal)
        return 2
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        say('who was to read the output is gone')
        return 2
    except OSError as error:
        say(error)
        return 2
    return 0
