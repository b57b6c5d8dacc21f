# SPDX-License-Identifier: BSD-3-Clause
"""Includes and calls go downwards only: who may know whom, who may touch the kernel, who may call out.

usage: layers.py SOURCE_ROOT ARCHIVE | layers.py --self-test SOURCE_ROOT
"""

import os
import re
import subprocess
import sys

# From the bottom up: the headers of ours that each unit may include beside its own.
LOW = {
    'error': [], 'wire': [], 'regs': [], 'trace': [], 'notify': [],
    'abi': ['error'], 'fdio': ['error'], 'region': ['error'], 'region-create': ['error', 'fdio'],
    'session': ['error', 'wire'], 'ringers': ['fdio'], 'peers': ['fdio', 'ringers'],
}
# They make up the device together, in this order.
DEVICE = ['hooks', 'guest', 'vectors', 'attach', 'link', 'link-fed', 'link-socket', 'device']
UNITS = {**LOW, **{unit: [*LOW, 'device', *DEVICE] for unit in DEVICE}, 'glib': []}
UNITS['hooks'] = [*LOW, 'device']
# The server shares the wire with the device, and nothing of what a device is.
# With region-create, which makes memory for servers only, it may use GLib.
SERVER = ['error', 'abi', 'wire', 'fdio', 'region', 'region-create']

KERNEL_UNITS = ['fdio', 'notify', 'region', 'region-create', 'server-io', 'server-map']
KERNEL_HEADER = re.compile(r'sys/|linux/|netinet/|(unistd|fcntl|poll|signal|time|pthread|spawn)\.h')
KERNEL_CALL = re.compile(r'(__)?(accept4?|bind|close|connect|dup[23]?|epoll_\w+|eventfd|fcntl|fstat|ftruncate|listen|'
                         r'memfd_create|mkstemp|mmap|mremap|munmap|nanosleep|open|openat|pipe2?|poll|preadv2|pwritev2|read|recv|'
                         r'recvmsg|send|sendmmsg|sendmsg|shm_open|shm_unlink|socket|syscall|timerfd_\w+|unlink|write)'
                         r'(64)?(_chk)?(_2)?')
CALLING_OUT = ['hooks', 'server-hooks']
HOOK_CALL = re.compile(r'\bhooks(\.|->)\w+\s*\)?\s*\(')
GLIB_CALL = re.compile(r'\bg_\w+\s*\(')
PUBLIC = ['ivflat.h', 'ivflat-server.h', 'ivflat-glib.h', 'ivflat-trace.h', 'ivflat-version.h']


def unit_of(path):
    return os.path.splitext(os.path.basename(path))[0]


def is_server(unit):
    return unit == 'server' or unit.startswith('server-')


def may_use_glib(unit):
    return is_server(unit) or unit in ('region-create', 'glib')


def may_include(unit):
    return [*SERVER, *(name for name in ALL_SERVER if name != unit)] if is_server(unit) else UNITS.get(unit, [])


ALL_SERVER = []  # the server's own units, filled in by tree_faults()


def is_beside(folder, name, files):
    """In the folder; an example's parts share what lies above them, and guests the firmware's files."""
    folders = [folder, os.path.dirname(folder), 'examples/firmware'] if folder.startswith('examples/') else [folder]
    return any(os.path.normpath(os.path.join(place, name)) in files for place in folders)


def public_only(path, quoted, angled, files):
    """For tools, examples and glib.c: the public headers, and headers beside the program."""
    folder = os.path.dirname(path)
    for name in quoted:
        if not is_beside(folder, name, files):
            yield f'{path}: includes "{name}", which is not beside it: a user of the public headers sees no others'
        if os.path.normpath(os.path.join(folder, name)).startswith('libivflat/') and unit_of(path) == 'glib':
            yield f'{path}: includes "{name}": it is a user of the public headers'
    for name in angled:
        if name.startswith('libivflat/') and name[len('libivflat/'):] not in PUBLIC:
            yield f'{path}: includes <{name}>, which is no public header'


def core_faults(path, unit, text, quoted, angled):
    """For the library's own files."""
    if unit not in UNITS and not is_server(unit):
        yield f'{path}: a new unit; say in tests/guards/layers.py what it may include'
        return
    for name in quoted:
        if unit_of(name) != unit and unit_of(name) not in may_include(unit):
            yield f'{path}: includes "{name}"; {unit} may know {", ".join(may_include(unit)) or "nobody"}'
    for name in angled:
        if KERNEL_HEADER.match(name) and unit not in KERNEL_UNITS:
            yield f'{path}: includes <{name}>; only {", ".join(KERNEL_UNITS)} touch the kernel'
        if name in ('libivflat/ivflat-server.h', 'libivflat/ivflat-glib.h') and not is_server(unit):
            yield f'{path}: includes <{name}>; the device knows nothing of it'
        if name.startswith('glib') and not may_use_glib(unit):
            yield f'{path}: includes <{name}>; GLib ends the process when memory is out, the core does not'
    if GLIB_CALL.search(text) and not may_use_glib(unit):
        yield f'{path}: calls {GLIB_CALL.search(text)[0]}); the core does without GLib'
    if HOOK_CALL.search(text) and unit not in CALLING_OUT:
        yield f'{path}: calls {HOOK_CALL.search(text)[0]}); only {" and ".join(CALLING_OUT)} call out'


def tree_faults(files):
    """What is wrong in a tree, given as path -> text."""
    ALL_SERVER[:] = sorted({unit_of(path) for path in files if is_server(unit_of(path))})
    for path, text in files.items():
        quoted, angled = (re.findall(rf'^\s*#\s*include\s*{form}', text, re.M) for form in (r'"([^"]+)"', r'<([^>]+)>'))
        unit, folder = unit_of(path), os.path.dirname(path)
        if folder != 'libivflat' or unit == 'glib':
            yield from public_only(path, quoted, angled, files)
        elif os.path.basename(path) not in PUBLIC:
            yield from core_faults(path, unit, text, quoted, angled)


def object_faults(listing):
    """What is wrong with the calls that the archive's objects make, from nm's listing."""
    unit = ''
    for line in listing.splitlines():
        heading = re.match(r'(?:.*[/_])?([\w-]+)\.c\.o:$', line)
        symbol = line.split()[-1] if line.split() else ''
        if heading:
            unit = heading[1]
        elif symbol.startswith('g_') and not may_use_glib(unit):
            yield f'{unit}.c: calls {symbol}(); the core does without GLib'
        elif unit not in KERNEL_UNITS and KERNEL_CALL.fullmatch(symbol):
            yield f'{unit}.c: calls {symbol}(); only {", ".join(KERNEL_UNITS)} touch the kernel'


def read_tree(root):
    """The C files of the library, its tools and the examples."""
    files = {}
    for top in ('libivflat', 'examples'):
        for folder, _, names in os.walk(os.path.join(root, top)):
            for name in names:
                if name.endswith(('.c', '.h')):
                    path = os.path.join(folder, name)
                    with open(path, encoding='utf-8') as file:
                        files[os.path.relpath(path, root)] = file.read()
    return files


PLANTED = {
    'libivflat/wire.c': '#include "session.h"',
    'libivflat/session.c': '#include "peers.h"',
    'libivflat/regs.c': '#include "device.h"',
    'libivflat/peers.c': '#include "hooks.h"',
    'libivflat/fdio.c': '#include "wire.h"',
    'libivflat/hooks.c': '#include "link.h"',
    'libivflat/session.h': '#include <sys/socket.h>',
    'libivflat/guest.c': '#include <unistd.h>',
    'libivflat/vectors.c': 'void f(void)\n{\n    dev->hooks.line(dev->hooks.user, 1);\n}',
    'libivflat/server-ids.c': 'void f(void)\n{\n    server->hooks.log(user, 1, text);\n}',
    'libivflat/error.c': 'void f(void)\n{\n    g_free(0);\n}',
    'libivflat/trace.c': '#include <glib.h>',
    'libivflat/abi.c': '#include <libivflat/ivflat-server.h>',
    'libivflat/unheard-of.c': '',
    'libivflat/glib.c': '#include "device.h"',
    'libivflat/tools/x.c': '#include "../fdio.h"\n#include <libivflat/fdio.h>',
    'examples/x.c': '#include "libivflat/fdio.h"',
}
LISTING = '''
x.p/device.c.o:
                 U memcpy
x.p/fdio.c.o:
                 U recvmsg
x.p/glib.c.o:
                 U g_source_new
'''
BAD_CALLS = ['\nx.p/session.c.o:\n   U read\n', '\nx.p/session.c.o:\n   U __read_chk\n', '\npeers.c.o:\n   U g_malloc\n',
             '\nx.p/server.c.o:\n   U sendmsg\n']


def self_test(root):
    files = read_tree(root)
    before = set(tree_faults(files))
    missed = [path for path, line in PLANTED.items()
              if not set(tree_faults({**files, path: files.get(path, '') + '\n' + line + '\n'})) - before]
    missed += [calls for calls in BAD_CALLS if not list(object_faults(calls))]
    wrong = list(object_faults(LISTING))
    print(f'not seen: {missed}; wrongly seen: {wrong}')
    return bool(missed or wrong)


def main(root, archive):
    files = read_tree(root)
    listing = subprocess.run(['nm', '-u', archive], check=True, text=True, stdout=subprocess.PIPE).stdout
    found = [*tree_faults(files), *object_faults(listing)]
    print('\n'.join(found) or f'{len(files)} files include and call downwards')
    return bool(found) or 'fdio.c.o:' not in listing or len(files) < 20


if __name__ == '__main__':
    sys.exit(self_test(sys.argv[2]) if sys.argv[1] == '--self-test' else main(*sys.argv[1:]))
