# SPDX-License-Identifier: BSD-3-Clause
"""The shared library, the symbol map and the headers name the same functions, and each is of one release.

usage: symbols.py SOURCE_ROOT BUILD_ROOT LIBRARY | symbols.py --self-test
"""

import re
import subprocess
import sys

import declarations


def exported(listing):
    """Name -> version node, from nm's listing; the nodes' own names are left out."""
    found = {}
    for line in listing.splitlines():
        name, _, node = line.split()[-1].partition('@@')
        if line.split()[-2] != 'A':
            found[name] = node
    return found


def mapped(text):
    """Name -> version node, from the map."""
    found = {}
    for node, body in re.findall(r'(\w[\w.]*) \{(.*?)\}', text, re.S):
        for name in re.findall(r'^\s*(\w+);', body.split('local:')[0], re.M):
            found[name] = node
    return found


def faults(library, symbol_map, headers):
    for name in sorted(library.keys() | symbol_map.keys() | headers):
        places = [place for place, names in (('library', library), ('map', symbol_map), ('headers', headers))
                  if name in names]
        if len(places) != 3:
            yield f'{name}: only in the {" and the ".join(places)}'
        elif library[name] != symbol_map[name]:
            yield f'{name}: {library[name] or "no version"} in the library, {symbol_map[name]} in the map'


def self_test():
    node = {'a': 'V1', 'b': 'V1'}
    cases = {'a name the library lacks': ({'a': 'V1'}, node, {'a', 'b'}),
             'a name too many': ({**node, 'c': ''}, node, {'a', 'b'}),
             'a name the map lacks': (node, {'a': 'V1'}, {'a', 'b'}),
             'a name the headers lack': (node, node, {'a'}),
             'another version': ({**node, 'b': 'V2'}, node, {'a', 'b'})}
    missed = [name for name, case in cases.items() if not list(faults(*case))]
    missed += ['nm'] if exported('0000 A V1\n0001 T a@@V1\n0002 T c\n') != {'a': 'V1', 'c': ''} else []
    missed += ['map'] if mapped('V1 {\nglobal:\n  a;\n  b;\nlocal:\n  *;\n};\n') != node else []
    wrong = list(faults(node, node, {'a', 'b'}))
    print(f'not seen: {missed}; wrongly seen: {wrong}')
    return bool(missed or wrong)


def main(source_root, build_root, library):
    listing = subprocess.run(['nm', '-D', '--defined-only', library], check=True, text=True,
                             stdout=subprocess.PIPE).stdout
    glib = subprocess.run(['pkg-config', '--cflags', 'glib-2.0'], check=True, text=True, stdout=subprocess.PIPE)
    headers = set()
    for header in declarations.CORE + [declarations.GLIB]:
        headers |= declarations.functions(header, [source_root, build_root], glib.stdout.split())
    with open(source_root + '/libivflat/libivflat.map', encoding='utf-8') as file:
        found = list(faults(exported(listing), mapped(file.read()), headers))
    print('\n'.join(found) or f'{len(headers)} functions')
    return bool(found) or not headers


if __name__ == '__main__':
    sys.exit(self_test() if sys.argv[1:] == ['--self-test'] else main(*sys.argv[1:]))
