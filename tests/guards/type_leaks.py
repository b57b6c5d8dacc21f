# SPDX-License-Identifier: BSD-3-Clause
"""Fails when a type that is no fixed-width integer, string or pointer leaks into the headers of the C ABI.

What may stand there is listed; whatever is not on the list is a fault: GLib's types, bool, size_t, int, enum types,
bit-fields, inline functions, varargs, structs by value.

usage: type_leaks.py SOURCE_ROOT BUILD_ROOT | type_leaks.py --self-test
"""

import re
import sys

import declarations

SCALAR = r'u?int(?:8|16|32|64)_t'
POINTER = rf'(?:const )?(?:void|{SCALAR}|ivflat_\w+) \*{{1,2}}|const char \*'
VALUE = re.compile(rf'(?:(?:{SCALAR}) |{POINTER})\w+')
RESULT = rf'(?:void |{SCALAR} |{POINTER})'
FUNCTION = re.compile(rf'IVFLAT_API {RESULT}ivflat_\w+\((.*)\)')
HOOK = re.compile(rf'{RESULT}\(\*\w+\)\((.*)\)')
ENUMERATORS = re.compile(r'enum \{(?: ?IVFLAT_\w+(?: = (?:-?\d+|0x[0-9a-f]+))?,?)+ ?\}')
OPAQUE = re.compile(r'typedef struct (ivflat_\w+) \1')
STRUCT = re.compile(r'typedef struct (ivflat_\w+) \{(.*)\} \1')


def parameters_fit(text):
    return text == 'void' or all(VALUE.fullmatch(part.strip()) for part in text.split(','))


def field_fits(text):
    hook = HOOK.fullmatch(text)
    return parameters_fit(hook[1]) if hook else bool(VALUE.fullmatch(text))


def misfits(declaration):
    """What of one declaration is not allowed: nothing, some fields, or all of it."""
    function, struct = FUNCTION.fullmatch(declaration), STRUCT.fullmatch(declaration)
    if struct:
        return [field for field in declarations.split(struct[2]) if not field_fits(field)]
    if function:
        return [] if parameters_fit(function[1]) else [declaration]
    return [] if ENUMERATORS.fullmatch(declaration) or OPAQUE.fullmatch(declaration) else [declaration]


def faults(text):
    return [misfit for declaration in declarations.split(text) for misfit in misfits(declaration)]


GOOD = '''
enum { IVFLAT_A = 0, IVFLAT_B = -1 }; enum { IVFLAT_C, };
typedef struct ivflat_thing ivflat_thing;
typedef struct ivflat_hooks { uint32_t size; void *user; void (*line)(void *user, uint32_t level); } ivflat_hooks;
IVFLAT_API int32_t ivflat_thing_new(ivflat_thing **out, const ivflat_hooks *hooks, const uint8_t *bytes);
IVFLAT_API const char *ivflat_last_error(void);
'''
LEAKS = [
    'IVFLAT_API gboolean ivflat_a(void);',
    'IVFLAT_API GSource *ivflat_a(void);',
    'IVFLAT_API bool ivflat_a(void);',
    'IVFLAT_API _Bool ivflat_a(void);',
    'IVFLAT_API int ivflat_a(void);',
    'IVFLAT_API void ivflat_a(size_t count);',
    'IVFLAT_API void ivflat_a(long count);',
    'IVFLAT_API void ivflat_a(char *text);',
    'IVFLAT_API void ivflat_a(uint32_t x, ...);',
    'IVFLAT_API void ivflat_a(ivflat_config config);',
    'IVFLAT_API void ivflat_a(enum ivflat_link link);',
    'IVFLAT_API void ivflat_a(void (*hook)(void *));',
    'IVFLAT_API ivflat_config ivflat_a(void);',
    'IVFLAT_API void other_name(void);',
    'void ivflat_a(void);',
    'static inline int32_t ivflat_a(void) { return 0; } extern int32_t ivflat_b;',
    'enum ivflat_link { IVFLAT_LINK_DOWN };',
    'typedef enum { IVFLAT_LINK_DOWN } ivflat_link;',
    'typedef int32_t ivflat_number;',
    'typedef struct ivflat_a { uint32_t x : 1; } ivflat_a;',
    'typedef struct ivflat_a { uint32_t x[2]; } ivflat_a;',
    'typedef struct ivflat_a { gpointer user; } ivflat_a;',
    'typedef struct ivflat_a { int32_t (*hook)(gpointer user); } ivflat_a;',
    'typedef struct ivflat_a { ivflat_config config; } ivflat_a;',
]


def self_test():
    missed = [leak for leak in LEAKS if not faults(leak)]
    wrong = faults(GOOD)
    print('\n'.join([f'not seen: {leak}' for leak in missed] + [f'wrongly refused: {text}' for text in wrong]))
    return bool(missed or wrong)


def main(source_root, build_root):
    found = []
    for header in declarations.CORE:
        text = declarations.preprocess(header, [source_root, build_root])
        if not text.strip() and header != 'ivflat-version.h':
            found.append(f'{header}: nothing was read')
        found += [f'{header}: {fault}' for fault in faults(text)]
        for include in re.findall(r'# *include +(\S+)', open_header(source_root, build_root, header)):
            if include != '<stdint.h>' and not include.startswith('<libivflat/ivflat'):
                found.append(f'{header}: includes {include}; <stdint.h> and our own public headers are all it may')
    print('\n'.join(found) or 'no type leaks')
    return bool(found)


def open_header(source_root, build_root, header):
    root = build_root if header == 'ivflat-version.h' else source_root
    with open(f'{root}/libivflat/{header}', encoding='utf-8') as file:
        return file.read()


if __name__ == '__main__':
    sys.exit(self_test() if sys.argv[1:] == ['--self-test'] else main(*sys.argv[1:]))
