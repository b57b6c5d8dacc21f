# SPDX-License-Identifier: BSD-3-Clause
"""What is cached is checked: something else in its place is not used."""
import shutil
import tempfile
import unittest
from pathlib import Path

from host.common import Refused, cache
from host.initramfs import Kit, Modules, depends
from host.packages import Packages, sha256


class Cache(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="ivflat-test-"))
        self.addCleanup(shutil.rmtree, self.folder)
        shutil.copytree(cache() / "packages", self.folder / "packages")

    def damage(self, path):
        with open(path, "r+b") as file:
            file.seek(1000)
            byte = file.read(1)
            file.seek(1000)
            file.write(bytes([byte[0] ^ 1]))

    def test_a_damaged_package_is_fetched_again(self):
        packages = Packages(self.folder)
        self.assertTrue(packages.whole())
        self.damage(packages.paths()["busybox-static"])
        self.assertFalse(packages.whole())

    def test_a_list_that_is_damaged_is_none(self):
        (self.folder / "packages" / "packages.json").write_text("{")
        self.assertFalse(Packages(self.folder).whole())

    def test_a_damaged_kernel_is_unpacked_again(self):
        kit = Kit(self.folder, Packages(self.folder).paths())
        kernel = kit.files()["kernel"]
        good = sha256(kernel)
        self.damage(kernel)
        self.assertEqual(sha256(kit.files()["kernel"]), good)

    def test_another_package_is_another_kit(self):
        paths = Packages(cache()).paths()
        self.assertTrue(Kit(cache(), paths).whole())
        self.assertFalse(Kit(cache(), {**paths, "busybox-static": paths["kernel"]}).whole())

    def test_the_drivers_come_behind_what_they_need(self):
        names = [name for name in Kit(cache(), Packages(cache()).paths()).files() if "/" in name]
        self.assertLess(names.index("modules/vfio.ko"), names.index("modules/vfio-pci.ko"))
        self.assertIn("modules/vfio-iommu-type1.ko", names)
        self.assertEqual(depends(b"x\0depends=vfio,irqbypass\0name=y\0"), ["vfio", "irqbypass"])
        self.assertEqual(depends(b"x\0depends=\0"), [])

    def test_a_kernel_package_without_the_driver(self):
        modules = self.folder / "lib" / "modules" / "6.0"
        modules.mkdir(parents=True)
        (modules / "modules.builtin").write_text("kernel/drivers/vfio/vfio.ko\n")
        with self.assertRaisesRegex(Refused, "linux: the kernel 6.0 has no driver vfio-pci, neither built in nor as"):
            Modules(self.folder)

    def test_a_package_that_is_no_kernel(self):
        paths = Packages(self.folder).paths()
        with self.assertRaisesRegex(Refused, "linux: the kernel's package has no folder lib/modules"):
            Kit(self.folder, {"kernel": paths["busybox-static"], "busybox-static": paths["busybox-static"]}).files()
