# SPDX-License-Identifier: BSD-3-Clause
"""Compiles each piece of C that a page shows, as it stands there.

usage: snippets.py SOURCE_ROOT BUILD_ROOT PAGE... | snippets.py SOURCE_ROOT BUILD_ROOT --self-test
"""

import re
import subprocess
import sys

WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wno-unused-function', '-Werror']


def pieces(page):
    """Line and text of each fenced block of C."""
    for block in re.finditer(r'^```c\n(.*?)^```$', page, re.M | re.S):
        yield page.count('\n', 0, block.start()) + 2, block[1]


def complaints(page, folders):
    for line, text in pieces(page):
        run = subprocess.run(['cc', '-std=c11', '-fsyntax-only', *WARNINGS, *('-I' + folder for folder in folders),
                              '-xc', '-'], input=text, text=True, stderr=subprocess.PIPE, check=False)
        if run.returncode:
            yield f'line {line}:\n{run.stderr}'


def self_test(folders):
    good = 'Text.\n\n```c\n#include <libivflat/ivflat.h>\nuint32_t f(void);\n```\n'
    bad = good.replace('uint32_t f(void)', 'uint32_t f(ivflat_nothing x)')
    seen = len(list(complaints(good + bad, folders)))
    print(f'{seen} of 1 faults seen')
    return seen != 1 or bool(list(complaints(good, folders)))


def main(source_root, build_root, *pages):
    folders = [source_root, build_root]
    if pages == ('--self-test',):
        return self_test(folders)
    count, found = 0, []
    for page in pages:
        with open(page, encoding='utf-8') as file:
            text = file.read()
        count += len(list(pieces(text)))
        found += [f'{page}, {complaint}' for complaint in complaints(text, folders)]
    print('\n'.join(found) or f'{count} pieces of C compile')
    return bool(found) or count == 0


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
