# SPDX-License-Identifier: BSD-3-Clause
"""The boards that the tests run on: where the device goes, and which interrupt controller takes its line."""
import collections

Board = collections.namedtuple("Board", "name registers memory irq controller")

BOARDS = {board.name: board for board in (
    # Ignores accesses to nothing: they read 0.
    Board("lm3s6965evb", registers=0x400ff000, memory=0x40100000, irq=40, controller="armv7m_nvic"),
    # Faults on them.
    Board("mps2-an385", registers=0x400ff000, memory=0x40100000, irq=20, controller="armv7m_nvic"),
    Board("virt", registers=0x0b000000, memory=0x0b400000, irq=120, controller="arm_gic"),
)}
