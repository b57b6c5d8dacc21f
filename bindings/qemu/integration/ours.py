# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes into a tree: our files, by the names that they have there."""
import os
import re

from . import Refusal

HERE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
LIBRARY_ROOT = os.path.dirname(os.path.dirname(HERE))

DEVICE_FOLDER = 'hw/misc/ivflat'
LIBRARY_FOLDER = 'subprojects/libivflat'
PAGE = 'docs/system/devices/ivflat.rst'

# What Meson needs of the library in a subproject, and its licence; no tests, no build folders, no leftovers of editors.
LIBRARY_TOP = ('meson.build', 'meson_options.txt', 'LICENSE')
LIBRARY_ENDINGS = ('.c', '.h', '.h.in', '.map')


class Link:
    """A symbolic link, where a file's bytes would be."""

    def __init__(self, target):
        self.target = target

    def __eq__(self, other):
        return isinstance(other, Link) and other.target == self.target

    def __hash__(self):
        return hash(self.target)


def read(path):
    """One of our own files."""
    try:
        with open(path, 'rb') as file:
            return file.read()
    except OSError as error:
        raise Refusal(f'{path}: {error.strerror}; integrate needs the whole of libivflat around it') from error


def device_files():
    """The device, and its page for QEMU's manual."""
    folder = os.path.join(HERE, 'device')
    names = [name for name in sorted(os.listdir(folder))
             if name.endswith(('.c', '.h')) or name in ('meson.build', 'Kconfig')]
    files = {f'{DEVICE_FOLDER}/{name}': read(os.path.join(folder, name)) for name in names}
    files[PAGE] = read(os.path.join(HERE, 'ivflat.rst'))
    return files


def library_sources():
    """The library's files, relative to its root."""
    found = list(LIBRARY_TOP)
    for folder, folders, names in os.walk(os.path.join(LIBRARY_ROOT, 'libivflat')):
        folders.sort()
        inside = os.path.relpath(folder, LIBRARY_ROOT)
        found += [f'{inside}/{name}' for name in sorted(names)
                  if name.endswith(LIBRARY_ENDINGS) or name == 'meson.build']
    return found


def library_files():
    """The library as a folder of subprojects/."""
    return {f'{LIBRARY_FOLDER}/{name}': read(os.path.join(LIBRARY_ROOT, name)) for name in library_sources()}


def library_link():
    """The same, but as a link to where the library is: for who works on it."""
    return {LIBRARY_FOLDER: Link(LIBRARY_ROOT)}


def events(name):
    """The lines of trace-events.NAME, comments too, but not the licence: QEMU's file has its own."""
    lines = read(os.path.join(HERE, 'device', f'trace-events.{name}')).decode().splitlines()
    return [line for line in lines if 'SPDX' not in line]


def version():
    """The library's version, as its build says it."""
    text = read(os.path.join(LIBRARY_ROOT, 'meson.build')).decode()
    return re.search(r"version: '([^']+)'", text).group(1)
