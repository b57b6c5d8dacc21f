# SPDX-License-Identifier: BSD-3-Clause
"""What examples/linux-mcu/run does on the host: brings what it needs, starts the sides, tells the story, judges."""
