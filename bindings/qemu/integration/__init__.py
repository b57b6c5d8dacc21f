# SPDX-License-Identifier: GPL-2.0-or-later
"""The way of libivflat's device into a QEMU source tree, and out: all is computed first, then written or printed."""


class Refusal(Exception):
    """One sentence: what is wrong, where, and what would be right.  The tree is as it was."""
