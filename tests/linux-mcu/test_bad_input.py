# SPDX-License-Identifier: BSD-3-Clause
"""What cannot be ends with one sentence that says whose side it is."""
import os
import socket
import stat
import subprocess

from example import ROOT, Example
from host.common import cache


class Options(Example):
    def test_what_no_option_can_be(self):
        for words, sentence in ((["--memory", "3M"], "'3M' is no power of two from 128K on"),
                                (["--memory", "64K"], "'64K' is no power of two from 128K on"),
                                (["--samples", "0"], "'0' is no number from 1"),
                                (["--patience", "x"], "'x' is no number from 1"),
                                (["--board", "virt"], "invalid choice: 'virt'"),
                                (["--firmware", "/nowhere/x"], "/nowhere/x: No such file or directory"),
                                (["--kernel", "/etc/passwd"], "/etc/passwd is no kernel for arm64"),
                                (["--nonsense"], "unrecognized arguments: --nonsense"),
                                (["nonsense"], "unrecognized arguments: nonsense")):
            with self.subTest(words):
                self.fails(sentence, *words, status=2)

    def test_help(self):
        code, said = self.run_example("--help")
        self.assertEqual(code, 0, said)
        self.assertIn("exit status: 0", said)


class Sides(Example):
    def test_a_server_that_is_not_up(self):
        self.fails(f"FAILED: server: cannot join the server on {self.folder}/none", "--server", self.folder / "none")

    def test_a_server_with_another_size(self):
        self.fails("FAILED: server: its memory has 1048576 bytes, and the stations are to have 4194304", "--server",
                   self.server("-n", 4, "-l", "1M"))

    def test_a_server_with_too_few_vectors(self):
        self.fails("FAILED: server: it gives each side 2 vectors, and 4 are needed", "--server", self.server("-n", 2))

    def test_a_server_that_says_nothing(self):
        listener = socket.socket(socket.AF_UNIX)
        self.addCleanup(listener.close)
        listener.bind(str(self.folder / "silent"))
        listener.listen()
        self.fails("FAILED: server: ", "--server", self.folder / "silent", "--patience", 10)

    def test_a_kernel_without_the_driver(self):
        self.fails("has no driver vfio-pci", "--kernel", cache() / "kit" / "kernel")

    def test_a_kernel_that_is_damaged(self):
        damaged = self.folder / "kernel"
        damaged.write_bytes((cache() / "kit" / "kernel").read_bytes()[:64] + bytes(1 << 20))
        self.fails("FAILED: linux: it has not come up within 10 s; it said nothing", "--kernel", damaged,
                   "--patience", 10)

    def test_a_firmware_that_never_says_what_it_should(self):
        demo = self.built.folder / "examples" / "firmware" / "demo-lm3s6965evb.elf"
        self.fails("FAILED: station 1: it has not come up within 5 s; it last said: peer ", "--firmware", demo,
                   "--patience", 5)

    def test_a_firmware_that_never_answers(self):
        self.fails("FAILED: station 1: it has not got 50 samples to Linux within 10 s; it last said: station 1 boot "
                   "1: ", "--firmware", self.deaf_firmware(), "--patience", 10, "--samples", 50)

    def deaf_firmware(self):
        """It comes up like a station, and then sleeps for good."""
        source, elf = self.folder / "deaf.c", self.folder / "deaf.elf"
        source.write_text('#include "console.h"\n#include "cpu.h"\n'
                          'int main(void)\n{\n    console_open();\n'
                          '    console_line("station 1 boot 1: up, with id 1");\n    return 0;\n}\n')
        firmware = ROOT / "examples" / "firmware"
        subprocess.run(["arm-none-eabi-gcc", "-mcpu=cortex-m3", "-mthumb", "-O2", "-ffreestanding", "-nostdlib",
                        "-I", firmware, "-T", firmware / "link.ld", source, firmware / "startup.c",
                        firmware / "startup-m.c", firmware / "console.c", "-o", elf], check=True, timeout=60)
        return elf


class Machine(Example):
    """What this machine lacks."""

    def tool(self, name, text):
        """A program of that name, found first."""
        folder = self.folder / "bin"
        folder.mkdir(exist_ok=True)
        (folder / name).write_text(text)
        (folder / name).chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP)
        return f"{folder}:{os.environ['PATH']}"

    def test_missing_packages(self):
        self.tool("apt-get", "#!/bin/sh\necho E: no network >&2\nexit 100\n")
        path = self.tool("dpkg-query", "#!/bin/sh\nfor package; do :; done\n"
                                       "[ \"$package\" = cpio ] || exec /usr/bin/dpkg-query \"$@\"\n")
        said = self.fails("SKIPPED: packages are missing", status=77, PATH=path)
        self.assertIn("missing: cpio;", said)

    def test_no_network_and_nothing_in_the_cache(self):
        release = subprocess.run(["sh", "-c", ". /etc/os-release; echo $VERSION_CODENAME"], stdout=subprocess.PIPE,
                                 text=True, check=True).stdout.strip()
        (self.folder / "sources.list").write_text(f"deb http://127.0.0.1:9/debian {release} main\n")
        (self.folder / "apt.conf").write_text(f'Dir::Etc::sourcelist "{self.folder}/sources.list";\n'
                                              'Dir::Etc::sourceparts "/dev/null";\n')
        self.fails("SKIPPED: the package linux-image-cloud-arm64 for arm64 is not to be had: W: ", status=77,
                   APT_CONFIG=str(self.folder / "apt.conf"), IVFLAT_LINUX_MCU_CACHE=str(self.folder / "cache"))

    def test_a_cache_that_cannot_be_made(self):
        self.fails("FAILED: host: /etc/passwd/cache: Not a directory", IVFLAT_LINUX_MCU_CACHE="/etc/passwd/cache")

    def test_a_folder_without_the_packages(self):
        self.fails(f"FAILED: linux: {self.tmp.parent} has no package linux-image-", "--packages-from", self.tmp.parent)

    def test_a_package_that_is_none(self):
        for name in ("linux-image-6.1.0-1-cloud-arm64_1_arm64.deb", "busybox-static_1_arm64.deb"):
            (self.folder / name).write_text("nothing\n")
        self.fails("cannot be unpacked: dpkg-deb: error: ", "--packages-from", self.folder,
                   IVFLAT_LINUX_MCU_CACHE=str(self.folder / "cache"))

    def small(self, folder):
        """What runs a program with room for 1 MiB in @folder; None where nothing can be mounted."""
        folder.mkdir(exist_ok=True)
        script = 'mount -t tmpfs -o size=1M none "$0" && exec "$@"'
        mounted = ["unshare", "-m", "sh", "-c", script, str(folder)]
        tried = subprocess.run([*mounted, "true"], stderr=subprocess.DEVNULL, check=False)
        return mounted if tried.returncode == 0 else None

    # Where nothing can be mounted, no file can be larger than a megabyte instead.
    limited = ("prlimit", "--fsize=1000000")

    def test_no_space_for_what_is_unpacked(self):
        room = self.folder / "cache"
        for before in (self.small(room), self.limited):
            if before:
                self.fails("FAILED: host: no space for linux-image-", "--packages-from", cache() / "packages",
                           before=before, IVFLAT_LINUX_MCU_CACHE=str(room))

    def test_no_space_for_the_run(self):
        for before in (self.small(self.tmp), self.limited):
            if before:
                self.fails("FAILED: host: no space to write ", before=before)
