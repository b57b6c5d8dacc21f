# SPDX-License-Identifier: BSD-3-Clause
"""Compiles each public header alone, in each language that a program of ours may be written in.

usage: headers.py SOURCE_ROOT BUILD_ROOT | headers.py --self-test
"""

import os
import shutil
import subprocess
import sys
import tempfile

import declarations

WARNINGS = ['-Wall', '-Wextra', '-Wpedantic', '-Wshadow', '-Wundef', '-Werror']
COMPILERS = {
    'gcc': ['c99', 'c11', 'c17', 'gnu17'],
    'clang': ['c99', 'c11', 'c17', 'gnu17'],
    'g++': ['c++11', 'c++17', 'c++20'],
    'clang++': ['c++11', 'c++17', 'c++20'],
}


def complaint(compiler, standard, source, flags):
    """What the compiler says against the source; '' for nothing."""
    language = 'c++' if '++' in compiler else 'c'
    with tempfile.TemporaryDirectory() as folder:
        command = [compiler, '-std=' + standard, '-x' + language, *WARNINGS, *flags, '-c', '-', '-o', folder + '/o']
        run = subprocess.run(command, input=source, text=True, stderr=subprocess.PIPE, check=False)
    return run.stderr if run.returncode else ''


def complaints(source, flags):
    for compiler, standards in COMPILERS.items():
        for standard in standards if shutil.which(compiler) else []:
            text = complaint(compiler, standard, source, flags)
            yield f'{compiler} -std={standard}', text


def self_test():
    """Each compiler refuses an extension of GNU's, and takes what is right."""
    missed = [name for name, text in complaints('int f(int n) { return ({ int a = n; a; }); }\n', []) if not text]
    wrong = [name for name, text in complaints('int f(int n);\nint f(int n) { return n; }\n', []) if text]
    print(f'takes what it should refuse: {missed}; refuses what it should take: {wrong}')
    return bool(missed or wrong)


def glib_flags():
    run = subprocess.run(['pkg-config', '--cflags', 'glib-2.0'], check=True, text=True, stdout=subprocess.PIPE)
    return [flag.replace('-I', '-isystem', 1) for flag in run.stdout.split()]


def main(source_root, build_root):
    folders, bad, count = ['-I' + source_root, '-I' + build_root], 0, 0
    for header in declarations.CORE + [declarations.GLIB]:
        flags = folders + (glib_flags() if header == declarations.GLIB else [])
        # The second time shows that it may be included twice.
        source = f'#include <libivflat/{header}>\n#include <libivflat/{header}>\nextern int used;\nint used;\n'
        for name, text in complaints(source, flags):
            count += 1
            bad += bool(text)
            print(f'{name}: {header}:\n{text}' if text else f'{name}: {header}: fine')
    return bad > 0 or count == 0


if __name__ == '__main__':
    os.environ['LC_ALL'] = 'C'
    sys.exit(self_test() if sys.argv[1:] == ['--self-test'] else main(*sys.argv[1:]))
