# SPDX-License-Identifier: BSD-3-Clause
"""From nothing to QEMU with the device in it: the source, the tree, the builds, all in a cache outside the checkout."""
