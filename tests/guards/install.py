# SPDX-License-Identifier: BSD-3-Clause
"""What others get: the library is built where nothing but GLib is there, installed into a folder, and used from there.

Then a program is compiled against it by pkg-config, with the shared library and with the static one, and as a project
with libivflat as a subproject.

usage: install.py SOURCE_ROOT | install.py --self-test
"""

import os
import shutil
import subprocess
import sys
import tempfile

PREFIX = '/usr/local'
# All that a build may need: a compiler, Meson with Python, Ninja, pkg-config.
TOOLS = ['cc', 'gcc', 'ar', 'as', 'ld', 'nm', 'ninja', 'pkg-config', 'strip', 'sh', 'env', 'rm', 'cp', 'mkdir']
GLIB = ['glib-2.0', 'libpcre2-8', 'libpcre', 'libffi', 'zlib']  # and what its own .pc asks for
HEADERS = ['ivflat.h', 'ivflat-server.h', 'ivflat-glib.h', 'ivflat-trace.h', 'ivflat-version.h']
INSTALLED = [f'include/libivflat/{header}' for header in HEADERS] + [
    'lib/libivflat.so', 'lib/libivflat.so.0', 'lib/libivflat.so.0.1.0', 'lib/libivflat.a', 'lib/pkgconfig/libivflat.pc']

PROGRAM = '''
#include <libivflat/ivflat-glib.h>
#include <libivflat/ivflat-server.h>
#include <libivflat/ivflat-trace.h>
#include <libivflat/ivflat.h>
#include <stdio.h>
int main(void)
{
    ivflat_config config = {.struct_size = sizeof(config), .no_interrupts = 1};
    ivflat_device *dev = NULL;
    int32_t error = ivflat_device_new(&dev, &config, NULL);
    printf("%d %u\\n", error, ivflat_device_read(dev, IVFLAT_REG_IVPOSITION, 4));
    g_source_unref(ivflat_device_source_new(dev));
    ivflat_device_free(dev);
    return error || ivflat_version() != IVFLAT_VERSION;
}
'''
PROJECT = '''
project('user', 'c', meson_version: '>=0.61')
libivflat = dependency('libivflat'@FALLBACK@)
test('use', executable('use', 'use.c', dependencies: [libivflat, dependency('glib-2.0')]))
'''


def run(command, **options):
    """Runs it; its output is shown when it fails, and that ends the test."""
    done = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, **options)
    if done.returncode:
        sys.exit(f'{" ".join(command)}: exit code {done.returncode}\n{done.stdout}')
    return done.stdout.strip()


def bare_environment(folder):
    """An environment in which there are the tools above and GLib, and nothing else."""
    tools, packages = os.path.join(folder, 'bin'), os.path.join(folder, 'packages')
    os.mkdir(tools)
    os.mkdir(packages)
    os.symlink(os.path.realpath(sys.executable), tools + '/python3')
    for name in TOOLS:
        if shutil.which(name):
            os.symlink(shutil.which(name), os.path.join(tools, name))
    for name in GLIB:
        home = subprocess.run(['pkg-config', '--variable=pcfiledir', name], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False).stdout.strip()
        if home:
            os.symlink(f'{home}/{name}.pc', f'{packages}/{name}.pc')
    return {'PATH': tools, 'PKG_CONFIG_LIBDIR': packages, 'LC_ALL': 'C.UTF-8', 'HOME': folder}


def meson(env, *arguments):
    """Meson by its full path: it need not be among the tools."""
    return run([os.path.realpath(shutil.which('meson')), *arguments], env=env)


def missing_and_surplus(found, expected):
    """What is not there, and what of the library's is there and is not expected (programs and pages may come)."""
    ours = {path for path in found if path.startswith(('include/', 'lib/'))}
    return sorted(set(expected) - ours), sorted(ours - set(expected))


def install(source, folder, env):
    """A plain `meson setup`, both kinds of library, installed below the folder. Answers the prefix there."""
    build, root = os.path.join(folder, 'build'), os.path.join(folder, 'root')
    said = meson(env, 'setup', build, source, '--prefix', PREFIX, '--libdir', 'lib', '-Ddefault_library=both')
    for name in ('check', 'doxygen'):
        if any(f' {name} ' in line.lower() and 'found: YES' in line for line in said.splitlines()):
            sys.exit(f'{name} was found, so this shows nothing:\n{said}')
    run(['ninja', '-C', build], env=env)
    meson({**env, 'DESTDIR': root}, 'install', '-C', build, '--no-rebuild')
    prefix = root + PREFIX
    found = [os.path.relpath(os.path.join(where, name), prefix)
             for where, _, names in os.walk(prefix) for name in names]
    missing, surplus = missing_and_surplus(found, INSTALLED)
    if missing or surplus:
        sys.exit(f'installed: missing {missing}, surplus {surplus}')
    return prefix


def relocate(env, prefix):
    """The installed .pc beside GLib's, with the prefix that it has in the folder."""
    with open(prefix + '/lib/pkgconfig/libivflat.pc', encoding='utf-8') as file:
        text = file.read()
    with open(env['PKG_CONFIG_LIBDIR'] + '/libivflat.pc', 'w', encoding='utf-8') as file:
        file.write(text.replace(f'prefix={PREFIX}\n', f'prefix={prefix}\n'))


def pkg_config(env, *arguments):
    return run(['pkg-config', *arguments, 'libivflat'], env=env).split()


def check_requirements(env):
    """GLib is nobody's business who links the shared library."""
    public, private = (pkg_config(env, option) for option in ('--print-requires', '--print-requires-private'))
    if public or private[:1] != ['glib-2.0'] or len(private) > 3:  # perhaps with '>=' and a version
        sys.exit(f'libivflat.pc requires {public}, privately {private}; nothing and glib-2.0 are right')
    if [flag for flag in pkg_config(env, '--libs') if 'glib' in flag]:
        sys.exit('pkg-config --libs libivflat names GLib, whose place is in --static alone')


def use(env, folder, prefix, *options):
    """Compiles the program with what pkg-config says, and runs it."""
    source, program = f'{folder}/use.c', f'{folder}/use'
    glib = [] if options else run(['pkg-config', '--cflags', '--libs', 'glib-2.0']).split()  # it uses GLib itself
    with open(source, 'w', encoding='utf-8') as file:
        file.write(PROGRAM)
    run(['cc', '-Wall', '-Werror', source, '-o', program,
         *pkg_config(env, '--cflags', '--libs', *options), *glib])
    if run([program], env={**os.environ, 'LD_LIBRARY_PATH': prefix + '/lib'}) != '0 0':
        sys.exit('the program says something else than it should')
    return program


def use_installed(env, folder, prefix):
    needed = run(['readelf', '-d', use(env, folder, prefix)])
    if 'libivflat.so.0' not in needed:
        sys.exit('the program does not ask for libivflat.so.0')
    for name in os.listdir(prefix + '/lib'):
        if '.so' in name:
            os.remove(f'{prefix}/lib/{name}')
    if 'libivflat' in run(['readelf', '-d', use(env, folder, prefix, '--static')]):
        sys.exit('the static program asks for the shared library')


def use_as_subproject(source, folder, env, fallback):
    """A project with libivflat in subprojects/, every option off."""
    project = os.path.join(folder, 'project')
    os.makedirs(project + '/subprojects')
    shutil.copytree(source, project + '/subprojects/libivflat', symlinks=True,
                    ignore=lambda where, names: [name for name in names if name.startswith(('.git', 'build'))])
    for name, text in (('meson.build', PROJECT.replace('@FALLBACK@', fallback)), ('use.c', PROGRAM)):
        with open(os.path.join(project, name), 'w', encoding='utf-8') as file:
            file.write(text)
    meson(env, 'setup', project + '/build', project, '-Dauto_features=disabled')
    meson(env, 'test', '-C', project + '/build')
    shutil.rmtree(project)


def main(source):
    with tempfile.TemporaryDirectory() as folder:
        env = bare_environment(folder)
        prefix = install(source, folder, env)
        relocate(env, prefix)
        check_requirements(env)
        use_installed(env, folder, prefix)
        os.remove(env['PKG_CONFIG_LIBDIR'] + '/libivflat.pc')
        use_as_subproject(source, folder, env, ", fallback: ['libivflat', 'libivflat_dep']")
        use_as_subproject(source, folder, env, '')
    print('installed, used shared, static and as a subproject')


def self_test():
    found = [*INSTALLED, 'bin/ivflat-server']
    good = missing_and_surplus(found, INSTALLED) == ([], [])
    missing = missing_and_surplus(found[1:], INSTALLED)
    surplus = missing_and_surplus([*found, 'include/libivflat/fdio.h'], INSTALLED)
    seen = good and missing == ([INSTALLED[0]], []) and surplus == ([], ['include/libivflat/fdio.h'])
    print('seen' if seen else f'not seen: {missing} {surplus}')
    return not seen


if __name__ == '__main__':
    sys.exit(self_test() if sys.argv[1:] == ['--self-test'] else main(*sys.argv[1:]))
