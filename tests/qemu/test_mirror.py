# SPDX-License-Identifier: BSD-3-Clause
"""How the place of QEMU's source is read from apt's configuration, whichever way that is written."""
import unittest

from make import mirror
from make.common import Missing
from make.source import upstream

ONE_LINE = """\
# deb http://no.example/ bookworm main
deb [arch=amd64 signed-by=/keys/a.gpg] http://one.example/debian bookworm main contrib # the usual
deb-src http://two.example/debian bookworm main
deb http://three.example/security bookworm-security main
"""

STANZAS = """\
Types: deb deb-src
# where from
URIs: http://one.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /keys/a.gpg

Enabled: no
Types: deb
URIs: http://no.example/debian
Suites: bookworm
Components: main

Types: deb-src
URIs: http://two.example/debian
Suites: bookworm
Components: main
"""


class Mirror(unittest.TestCase):
    def test_lines(self):
        self.assertEqual(list(mirror.one_line_entries(ONE_LINE)), [
            ("http://one.example/debian", "bookworm", ["main", "contrib"], "/keys/a.gpg"),
            ("http://three.example/security", "bookworm-security", ["main"], "")])

    def test_stanzas(self):
        self.assertEqual(list(mirror.stanza_entries(STANZAS)), [
            ("http://one.example/debian", "bookworm", ["main"], "/keys/a.gpg"),
            ("http://one.example/debian", "bookworm-updates", ["main"], "/keys/a.gpg")])

    def test_a_key_in_the_stanza_itself_is_kept_whole(self):
        text = ("Types: deb\nURIs: http://one.example/\nSuites: sid\nComponents: main\n"
                "Signed-By:\n -----BEGIN\n .\n abc\n")
        (_, _, _, key), = mirror.stanza_entries(text)
        self.assertEqual(key, "-----BEGIN\n .\n abc")

    def test_the_suites_are_those_from_the_release_on(self):
        self.assertEqual(mirror.suites("bookworm"), ["bookworm", "bookworm-backports", "trixie", "forky", "sid"])
        self.assertEqual(mirror.suites("sid"), ["sid"])

    def test_another_system_is_a_skip_with_its_name(self):
        with self.assertRaisesRegex(Missing, "jammy"):
            mirror.release('NAME="Ubuntu"\nVERSION_CODENAME=jammy\n')
        self.assertEqual(mirror.release("ID=debian\nVERSION_CODENAME=bookworm\n"), "bookworm")

    def test_versions(self):
        self.assertEqual(upstream("1:7.2+dfsg-7+deb12u18"), "7.2")
        self.assertEqual(upstream("1:10.0.13+ds-0+deb13u1"), "10.0")
