# SPDX-License-Identifier: BSD-3-Clause
"""What a public header declares, as a compiler without GLib's folders sees it."""

import re
import subprocess

# The headers of the C ABI; ivflat-glib.h is for C alone and has GLib's types in it.
CORE = ['ivflat.h', 'ivflat-server.h', 'ivflat-trace.h', 'ivflat-version.h']
GLIB = 'ivflat-glib.h'


def preprocess(header, includes, flags=()):
    """The header's own text and that of our headers it includes, without comments and without the system's."""
    command = ['cc', '-E', '-DIVFLAT_API=IVFLAT_API', *('-I' + folder for folder in includes), *flags, '-xc', '-']
    text = subprocess.run(command, input=f'#include <libivflat/{header}>\n', check=True, text=True,
                          stdout=subprocess.PIPE).stdout
    ours, kept = False, []
    for line in text.splitlines():
        marker = re.match(r'# \d+ "([^"]*)"', line)
        if marker:
            ours = '/libivflat/ivflat' in marker[1]
        elif ours:
            kept.append(line)
    return '\n'.join(kept)


def split(text, end=';'):
    """The pieces of the text that end in a semicolon outside of any brace, spaces made one."""
    pieces, depth, piece = [], 0, ''
    for letter in text:
        depth += (letter in '{(') - (letter in '})')
        if letter == end and depth == 0:
            pieces.append(piece)
            piece = ''
        else:
            piece += letter
    return [re.sub(r'\s+', ' ', piece).strip() for piece in pieces + [piece] if piece.strip()]


def functions(header, includes, flags=()):
    """The names that the header marks with IVFLAT_API."""
    text = ' '.join(split(preprocess(header, includes, flags)))
    return set(re.findall(r'IVFLAT_API [^(]*?(\w+) ?\(', text))
