# SPDX-License-Identifier: BSD-3-Clause
"""The boards that the tests run on: where the device goes, and which interrupt controller takes its line."""
import collections

Board = collections.namedtuple("Board", "name registers memory irq controller")

BOARDS = {board.name: board for board in (
    # Ignores accesses to nothing: they read 0.
    Board("lm3s6965evb", registers=0x400ff000, memory=0x40100000, irq=40, controller="armv7m_nvic"),
    # Faults on them.  At 0x40200000 there is Ethernet, and all lines below 26 have a device.
    Board("mps2-an385", registers=0x400ff000, memory=0x44000000, irq=26, controller="armv7m_nvic"),
    # Lines 48 to 175 are taken by the GICv2m and the platform bus, whatever is plugged into them.
    Board("virt", registers=0x0b000000, memory=0x0b100000, irq=200, controller="arm_gic"),
)}
