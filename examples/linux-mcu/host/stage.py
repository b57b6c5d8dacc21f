# SPDX-License-Identifier: BSD-3-Clause
"""The command lines: how each side is started."""
from host import initramfs, packages, programs
from host.common import alone, cache
from host.sides import BOARDS, VECTORS, Linux, Server, Station, Watcher


class Stage:
    """Everything that the sides are made of, and the folder in which they run."""

    def __init__(self, options, folder, cast):
        self.options, self.folder, self.cast = options, folder, cast
        self.socket = options.server or folder / "socket"
        given = packages.Packages(cache(), options.packages_from, options.fresh)
        with alone():
            self.kit = initramfs.Kit(cache(), given.paths()).files()
            self.programs = programs.Programs(cache()).make()
        self.qemu = options.qemu or programs.our_qemu()
        self.firmware = options.firmware or self.programs.firmware(options.board)
        self.kernel = options.kernel or self.kit["kernel"]
        self.initramfs = self.make_initramfs()

    def make_initramfs(self):
        # Another kernel takes no modules of this one's.
        modules = [] if self.options.kernel else [
            path for name, path in self.kit.items() if name.startswith("modules/")]
        return initramfs.build(self.folder, self.kit["busybox"], modules, self.programs.gateway)

    def server(self):
        return self.cast.start(Server, "server", [self.programs.tool("ivflat-server"), "-F", "-S", self.socket,
                                                  "-l", self.options.memory, "-n", VECTORS])

    def watcher(self):
        return self.cast.start(Watcher, "host", [self.programs.tool("ivflat-client"), "-j", "-S", self.socket])

    def linux(self):
        """Debian's own QEMU and kernel.  With a GICv3 and an SMMU, VFIO gives interrupts by message to user space."""
        return self.cast.start(Linux, "linux", [
            "qemu-system-aarch64", "-M", "virt,gic-version=3,iommu=smmuv3", "-cpu", "cortex-a57", "-m", 256,
            "-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio",
            "-kernel", self.kernel, "-initrd", self.initramfs,
            "-append", "console=ttyAMA0 quiet loglevel=3 panic=-1",
            "-chardev", f"socket,path={self.socket},id=server",
            "-device", f"ivshmem-doorbell,chardev=server,vectors={VECTORS}"])

    def board(self):
        """Station 1: a board of QEMU's as it is, and our device."""
        place = BOARDS[self.options.board]
        return self.cast.start(Station, "station 1", [
            self.qemu, "-M", self.options.board, "-nodefaults", "-no-user-config", "-display", "none",
            "-serial", "stdio", "-kernel", self.firmware,
            "-device", f"ivflat,path={self.socket},registers={place.registers:#x},memory={place.memory:#x},"
                       f"irq={place.irq},shmem-size={self.options.memory}"])

    def unicorn(self):
        """Station 2: the same firmware in another emulator."""
        return self.cast.start(Station, "station 2", [self.programs.unicorn, self.socket,
                                                      self.programs.unicorn_firmware])
