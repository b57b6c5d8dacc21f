# SPDX-License-Identifier: BSD-3-Clause
"""What is built of which QEMU, and how: small and unoptimised, a minute each on two idle cores."""
import collections

# version: "7.2", "10.0", or "newest".  upstream: with QEMU's own ivshmem-flat beside ours.
Recipe = collections.namedtuple("Recipe", "name version options upstream runs target accelerator",
                                defaults=("arm", "tcg"))

OPTIONS = ("--enable-fdt=system", "--disable-docs", "--disable-werror", "--disable-install-blobs",
           "-Doptimization=0", "-Ddebug=false")
# What the tests need beyond that: the stock server and client, and a log that says where something went wrong.
TOOLS = ("--enable-tools",)

RECIPES = (
    Recipe("7.2", "7.2", TOOLS, upstream=False, runs=True),
    # Without upstream's device ours has its name, and with it ours leaves it alone: one build of each.
    Recipe("10.0", "10.0", TOOLS, upstream=False, runs=True),
    Recipe("asan", "10.0", ("--enable-asan", "-Db_lundef=false"), upstream=True, runs=True),
    # For KVM, which takes doorbells: the processor of the machine that tests, in a PC without PCI.
    Recipe("kvm", "10.0", ("--disable-tcg",), upstream=False, runs=True, target="x86_64", accelerator="kvm"),
    Recipe("newest", "newest", (), upstream=True, runs=False),
)


def options(recipe):
    """What configure is told, beside where things are."""
    return [f"--target-list={recipe.target}-softmmu", "--without-default-features", "--without-default-devices",
            f"--enable-{recipe.accelerator}", *OPTIONS, *recipe.options]


# The boards, and QEMU's own device for PCI as a peer.
BOARDS = {"arm": ("ARM_V7M", "STELLARIS", "MPS2", "ARM_VIRT", "IVSHMEM_DEVICE"), "x86_64": ("MICROVM",)}


def devices(recipe):
    """The device list of configs/devices."""
    lines = [f"CONFIG_{name}=y" for name in (*BOARDS[recipe.target], "IVFLAT")]
    lines.append(f"CONFIG_IVSHMEM_FLAT_DEVICE={'y' if recipe.upstream else 'n'}")
    if recipe.version == "7.2":
        lines.pop()
    return "\n".join(lines) + "\n"
