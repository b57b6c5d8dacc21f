#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""
boards.py QEMU-SYSTEM-ARM IVFLAT-SERVER [MACHINE...]: the table of boards in docs/qemu.md, tried one by one.

On each machine the device gets the row's addresses and line; another peer then writes both ends of the memory, which
the machine's CPU has to see, as it has to see the device's id, and rings, which has to raise that line of the
interrupt controller.  Prints the rows that worked; ends with 1 when one did not.
"""
import re
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from harness.boards import Board  # noqa: E402 (the path comes first)
from harness.peer import Peer  # noqa: E402
from harness.server import Server  # noqa: E402
from harness.vm import Vm  # noqa: E402
from harness.wait import Deadline  # noqa: E402

# How each controller's trace names its input, and the number that its first shared line has there.
EVENTS = {"nvic_set_irq_level": (r"NVIC external irq (\d+) level set to 1", 16),
          "gic_set_irq": (r"irq (\d+) level 1 ", 32),
          "gicv3_dist_set_irq": (r"interrupt (\d+) level changed to 1", 32)}

# Machine, registers, memory (of 4 MiB), line: one that nothing on the machine drives.
ROWS = [
    ("lm3s6965evb", 0x400ff000, 0x40100000, "40"),
    ("lm3s811evb", 0x400ff000, 0x40100000, "40"),
    ("mps2-an385", 0x400ff000, 0x44000000, "26"),
    ("mps2-an386", 0x400ff000, 0x44000000, "26"),
    ("mps2-an500", 0x400ff000, 0x44000000, "26"),
    ("mps2-an511", 0x400ff000, 0x44000000, "61"),
    ("mps2-an505", 0x400ff000, 0x44000000, "122"),
    ("mps2-an521", 0x400ff000, 0x44000000, "/machine/iotkit/cluster0/armv7m0/unnamed-gpio-in[122]"),
    ("mps3-an524", 0x400ff000, 0x40100000, "/machine/iotkit/cluster0/armv7m0/unnamed-gpio-in[125]"),
    ("mps3-an547", 0x400ff000, 0x40100000, "126"),
    ("mps3-an536", 0x0b000000, 0x0b100000, "94"),
    ("musca-a", 0x400ff000, 0x44000000, "/machine/sse-200/cluster0/armv7m0/unnamed-gpio-in[94]"),
    ("musca-b1", 0x400ff000, 0x44000000, "/machine/sse-200/cluster0/armv7m0/unnamed-gpio-in[126]"),
    ("microbit", 0x400ff000, 0x40100000, "25"),
    ("netduino2", 0x400ff000, 0x40100000, "79"),
    ("netduinoplus2", 0x400ff000, 0x40100000, "79"),
    ("olimex-stm32-h405", 0x400ff000, 0x40100000, "79"),
    ("stm32vldiscovery", 0x400ff000, 0x40100000, "60"),
    ("b-l475e-iot01a", 0x400ff000, 0x40100000, "79"),
    ("emcraft-sf2", 0x400ff000, 0x40100000, "34"),
    ("ast1030-evb", 0x400ff000, 0x40100000, "254"),
    ("virt", 0x0b000000, 0x0b100000, "180"),
    ("vexpress-a9,audiodev=none", 0x0b000000, 0x0b100000, "60"),
    ("vexpress-a15,audiodev=none", 0x400ff000, 0x40100000, "60"),
    ("realview-pbx-a9,audiodev=none", 0x400ff000, 0x40100000, "60"),
    ("xilinx-zynq-a9", 0x400ff000, 0x40100000, "52"),
    ("sabrelite", 0x400ff000, 0x40100000, "126"),
    ("mcimx7d-sabre", 0x400ff000, 0x40100000, "126"),
    ("mcimx6ul-evk", 0x400ff000, 0x40100000, "126"),
    ("orangepi-pc", 0x0b000000, 0x0b100000, "126"),
    ("bpim2u", 0x0b000000, 0x0b100000, "126"),
    ("ast2600-evb", 0x400ff000, 0x44000000, "222"),
    ("highbank", 0x400ff000, 0x40100000, "126"),
]


def path_index(line):
    """The number in a line that is given by its path."""
    return int(re.search(r"(\d+)\]?$", line).group(1))


class Trial:
    """One machine with the device, and a peer that is there before it."""

    def __init__(self, programs, row, folder):
        self.name, self.registers, self.memory, self.line = row
        self.server = Server(programs[1], str(Path(folder, "server")))
        self.peer = Peer(self.server.path)
        device = f"ivflat,path={self.server.path},registers={self.registers:#x},memory={self.memory:#x},irq={self.line}"
        traces = [word for event in EVENTS for word in ("-trace", event)]
        self.vm = Vm(programs[0], Board(self.name, self.registers, self.memory, self.line, None),
                     [*traces, "-audiodev", "none,id=none", "-device", device], folder)

    def word(self, address):
        """What the CPU sees there."""
        return int(self.vm.hmp(f"xp /1wx {address:#x}").split(":")[1], 0)

    def raised(self):
        """Whether the line went up since the peer rang."""
        said = self.vm.said()
        numbers = {int(found) - first for pattern, first in EVENTS.values() for found in re.findall(pattern, said)}
        return path_index(self.line) in numbers

    def run(self):
        """What is wrong, None for nothing."""
        if not self.vm.ready():
            return None
        self.peer.wait_for(1)
        if self.word(self.registers + 8) != 1:
            return "the CPU does not see the device's id"
        last = self.peer.size - 4
        for offset, value in ((0, 0x12345678), (last, 0x9abcdef0)):
            self.peer.memory[offset:offset + 4] = value.to_bytes(4, "little")
            if self.word(self.memory + offset) != value:
                return f"the CPU does not see the memory at {offset:#x}"
        if self.raised():
            return "the line went up before it was rung"
        self.peer.ring(1)
        deadline = Deadline(10)
        while deadline.left():
            if self.vm.get("/machine/ivflat[0]", "rings-received") == 1:
                return None if self.raised() else "the line did not go up"
        return "the ring did not come"

    def close(self):
        for part in (self.vm, self.peer, self.server):
            part.close()


def tried(programs, row):
    """(None or what is wrong, the board's description)"""
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(programs, row, folder)
        try:
            wrong = trial.run()
            return wrong and f"{wrong}; QEMU said: {trial.vm.said()[-500:]}"
        except AssertionError as error:
            return f"{error}; QEMU said: {trial.vm.said()[-500:]}"
        finally:
            trial.close()


def main(qemu, server, *machines):
    failed = 0
    print("| machine | registers | memory | irq |\n| --- | --- | --- | --- |")
    for row in ROWS:
        name = row[0].partition(",")[0]
        if machines and name not in machines:
            continue
        wrong = tried((qemu, server), row)
        failed += bool(wrong)
        print(f"{name}: {wrong}" if wrong else
              f"| {name} | 0x{row[1]:08x} | 0x{row[2]:08x} | {row[3]} |", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
