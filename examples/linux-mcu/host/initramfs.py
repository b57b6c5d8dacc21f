# SPDX-License-Identifier: BSD-3-Clause
"""The Linux side's kernel and first file system: from Debian's packages, with our init and gateway in it."""
import errno
import json
import lzma
import os
import re
import shutil
import subprocess

from make.common import logged, tail

from host.common import HERE, Refused, check_space
from host.packages import sha256

# What the gateway wants of the kernel; what these need is found in them.
DRIVERS = ("vfio-pci", "vfio_iommu_type1")


def unpack(package, folder):
    folder.mkdir(parents=True)
    log = folder.with_name(folder.name + ".log")
    log.unlink(missing_ok=True)
    if not logged(["dpkg-deb", "-x", package, folder], log, 300):
        check_space(log, package.name, folder.parent)
        raise Refused(f"linux: {package} cannot be unpacked: {tail(log, 1)}")


def module_name(path):
    return path.name.partition(".")[0].replace("_", "-")


def module_bytes(path):
    content = path.read_bytes()
    return lzma.decompress(content) if path.suffix == ".xz" else content


def depends(content):
    """What a kernel module says that it needs."""
    match = re.search(rb"\0depends=([^\0]*)", content)
    return match[1].decode().split(",") if match and match[1] else []


class Modules:
    """The drivers that the kernel in @root has as modules, each behind what it needs."""

    def __init__(self, root):
        folder = next(root.glob("**/lib/modules/*"), None)
        if folder is None:
            raise Refused("linux: the kernel's package has no folder lib/modules")
        self.version = folder.name
        self.built_in = {module_name(folder / line) for line in (folder / "modules.builtin").read_text().split()}
        self.paths = {module_name(path): path for path in folder.rglob("*.ko*")}
        self.chosen = {}
        for driver in DRIVERS:
            self.choose(driver)

    def choose(self, wanted):
        name = wanted.replace("_", "-")
        if name in self.chosen or name in self.built_in:
            return
        if name not in self.paths:
            raise Refused(f"linux: the kernel {self.version} has no driver {wanted}, neither built in nor as a module")
        content = module_bytes(self.paths[name])
        for needed in depends(content):
            self.choose(needed)
        self.chosen[name] = content


class Kit:
    """Kernel, modules and busybox out of the packages, kept in the cache and checked in each run."""

    def __init__(self, cache, packages):
        self.packages = packages
        self.key = sha256(packages["kernel"])[:16] + sha256(packages["busybox-static"])[:16]
        self.folder = cache / "kit"
        self.list = self.folder / "list.json"

    def noted(self):
        try:
            return json.loads(self.list.read_text())
        except (OSError, ValueError):
            return {}

    def whole(self):
        noted = self.noted()
        return noted.get("key") == self.key and all(
            (self.folder / name).is_file() and sha256(self.folder / name) == digest
            for name, digest in noted["files"].items())

    def make(self):
        partial = self.folder.with_name("kit.partial")
        shutil.rmtree(partial, ignore_errors=True)
        roots = {role: partial / role for role in self.packages}
        for role, package in self.packages.items():
            unpack(package, roots[role])
        modules = Modules(roots["kernel"])
        content = {f"modules/{name}.ko": content for name, content in modules.chosen.items()}
        content["kernel"] = next(roots["kernel"].glob("boot/vmlinuz-*")).read_bytes()
        content["busybox"] = next(roots["busybox-static"].glob("**/bin/busybox")).read_bytes()
        self.keep(content)
        shutil.rmtree(partial)

    def keep(self, content):
        shutil.rmtree(self.folder, ignore_errors=True)
        for name, data in content.items():
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_bytes(data)
        files = {name: sha256(self.folder / name) for name in content}
        self.list.write_text(json.dumps({"key": self.key, "files": files}, indent=1))

    def files(self):
        """{name: path}, with the modules in the order in which the kernel takes them."""
        if not self.whole():
            self.make()
        return {name: self.folder / name for name in self.noted()["files"]}


def put(root, name, source, mode=0o755):
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, path)
    path.chmod(mode)


def build(folder, busybox, modules, gateway):
    """The first file system, as the kernel takes it; @modules in their order."""
    root = folder / "root"
    put(root, "init", HERE / "gateway" / "init")
    put(root, "bin/busybox", busybox)
    put(root, "bin/gateway", gateway)
    for module in modules:
        put(root, f"modules/{module.name}", module)
    (root / "modules").mkdir(exist_ok=True)
    (root / "modules" / "order").write_text("".join(module.name + "\n" for module in modules))
    names = sorted(str(path.relative_to(root)) for path in root.rglob("*"))
    done = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "-R", "0:0"], cwd=root, text=True,
                          input="\n".join(names) + "\n", stdout=open(folder / "initramfs", "wb"),
                          stderr=subprocess.PIPE, check=False, timeout=60)
    if done.returncode != 0:
        if "No space left" in done.stderr:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), folder / "initramfs")
        raise Refused(f"linux: cpio cannot write {folder / 'initramfs'}: {done.stderr.strip()}")
    shutil.rmtree(root)
    return folder / "initramfs"
