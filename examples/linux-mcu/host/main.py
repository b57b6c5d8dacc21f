# SPDX-License-Identifier: BSD-3-Clause
"""Where Python begins: the paths, and then the command."""
import sys
from pathlib import Path

EXAMPLE = Path(__file__).resolve().parents[1]
# tests/qemu/make brings QEMU with our device, for the tests as for us.
sys.path[:1] = [str(EXAMPLE), str(EXAMPLE.parents[1] / "tests" / "qemu")]

from host.command import main  # noqa: E402 (the paths come first)

sys.exit(main(sys.argv[1:]))
