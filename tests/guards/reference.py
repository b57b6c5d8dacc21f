# SPDX-License-Identifier: BSD-3-Clause
"""Builds the reference pages in a temporary folder; every warning of Doxygen's is a fault.

usage: reference.py DOXYGEN DOXYFILE | reference.py DOXYGEN DOXYFILE --self-test
"""

import os
import re
import subprocess
import sys
import tempfile


def complaint(doxygen, settings):
    """What Doxygen says; '' for nothing, and then the pages are there."""
    with tempfile.TemporaryDirectory() as folder:
        run = subprocess.run([doxygen, '-'], input=f'{settings}\nOUTPUT_DIRECTORY = {folder}\n', text=True, check=False,
                             stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if not os.path.exists(folder + '/html/index.html'):
            return run.stdout or 'no pages were made'
        return run.stdout or f'exit code {run.returncode}' if run.returncode else ''


# What to change in ivflat.h, and what Doxygen has to say about it.
PLANTED = [
    (r'(IVFLAT_API const char \*ivflat_last_error)', r'IVFLAT_API void ivflat_new_one(void);\n\1', 'ivflat_new_one'),
    (r' \*  @param offset bytes from the region\'s start; any\n', '', 'offset'),
    (r'@return the register\'s value.*\n', '*/\n', 'return type'),
    (r'/\*\*< an argument, or a call out of order \*/', '', 'IVFLAT_ERR_INVALID'),
    (r'/\*\*< bytes, exact; 0: [^*]*\*/', '', 'memory_size'),
    (r'/\*\*< bytes of registers, no more \*/', '', 'IVFLAT_MMIO_SIZE'),
    (r'#IVFLAT_ERR_BUSY, or', '#IVFLAT_ERR_GONE, or', 'IVFLAT_ERR_GONE'),
]


def self_test(doxygen, settings):
    """Each fault, planted in a copy of the header, is seen."""
    header = re.search(r'\S+/libivflat/ivflat\.h', settings)[0]
    with open(header, encoding='utf-8') as file:
        text = file.read()
    missed = []
    with tempfile.TemporaryDirectory() as folder:
        copy = folder + '/ivflat.h'
        for pattern, instead, word in PLANTED:
            with open(copy, 'w', encoding='utf-8') as file:
                file.write(re.sub(pattern, instead, text, count=1))
            said = complaint(doxygen, settings.replace(header, copy))
            if word not in said:
                missed.append(word)
    print(f'not seen: {missed}')
    return bool(missed)


def main(doxygen, doxyfile, *options):
    with open(doxyfile, encoding='utf-8') as file:
        settings = file.read()
    if options == ('--self-test',):
        return self_test(doxygen, settings)
    said = complaint(doxygen, settings)
    print(said or 'no warnings')
    return bool(said)


if __name__ == '__main__':
    sys.exit(main(*sys.argv[1:]))
