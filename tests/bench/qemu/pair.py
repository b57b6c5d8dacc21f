# SPDX-License-Identifier: BSD-3-Clause
"""Two machines with the same device, and the host as a third peer, which orders round trips and floods."""
import os
import struct
import time
from pathlib import Path

from guest import START, firmware
from harness.boards import BOARDS
from harness.peer import Peer
from harness.server import Server
from harness.vm import Vm
from harness.wait import PATIENCE, Deadline, TooLate

BOARD = BOARDS["lm3s6965evb"]
PLACE = f"registers={BOARD.registers:#x},memory={BOARD.memory:#x},irq={BOARD.irq}"
CHARDEV = "socket,id=flat,path="

# What each device is called in the tables, and QEMU's words for it.
DEVICES = {
    "upstream": lambda path: ["-chardev", CHARDEV + path, "-device", "flat-front,chardev=flat," + PLACE],
    "ivflat": lambda path: ["-device", f"ivflat,path={path},{PLACE}"],
    "ivflat trusted-peers=on": lambda path: ["-device", f"ivflat,path={path},trusted-peers=on,{PLACE}"],
    "ivflat chardev=": lambda path: ["-chardev", CHARDEV + path, "-device", "ivflat,chardev=flat," + PLACE],
}
AGAIN = "upstream again"
DEVICES[AGAIN] = DEVICES["upstream"]

# As firmware.c has them.
COUNT, ANSWER, PING, FLOOD = range(4)
ORDER = struct.Struct("=6I")
SLOT = 64
RETRY = 0.2


class Guest:
    """A machine that does what the host orders."""

    def __init__(self, vm, host, number):
        self.vm, self.host, self.id, self.orders = vm, host, number, 0

    def order(self, what, peer=0, vector=0, count=0):
        self.orders += 1
        place = self.id * SLOT
        words = ORDER.pack(self.orders, what, peer, vector, count, self.host.id)
        self.host.memory[place + 4:place + len(words)] = words[4:]
        self.host.memory[place:place + 4] = words[:4]
        self.host.ring(self.id)

    def does(self, *order, seconds=PATIENCE):
        """Seconds from the order until the guest says that it is done, or has begun."""
        deadline, began = Deadline(seconds), time.perf_counter()
        self.order(*order)
        while self.done != self.orders:
            self.host.rung(0, deadline.left())
        return time.perf_counter() - began

    def word(self, place):
        return int.from_bytes(self.host.memory[self.id * SLOT + place:self.id * SLOT + place + 4], "little")

    @property
    def taken(self):
        """Interrupts since the order."""
        return self.word(ORDER.size)

    @property
    def done(self):
        """The last order that was carried out, or begun."""
        return self.word(ORDER.size + 4)

    def wake(self):
        """Until its device has heard of the host, it answers in vain."""
        deadline = Deadline()
        while deadline.left():
            try:
                self.does(COUNT, seconds=RETRY)
                return
            except TooLate:
                pass
        raise TooLate(f"peer {self.id} does not answer")

    def processor_time(self):
        """Seconds that its QEMU has had of the processors."""
        fields = Path(f"/proc/{self.vm.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Pair:
    def __init__(self, programs, device, folder, vectors=1):
        """@programs: as scratch.built() has them.  @device: one of DEVICES."""
        self.parts, self.device = [], device
        qemu, library = programs
        folder.mkdir()
        server = self.keep(Server(library / "ivflat-server", str(folder / "server"), vectors))
        self.host = self.keep(Peer(server.path, vectors))
        self.guests = []
        try:
            elf = firmware(BOARD, [Path(__file__).resolve().parent / "firmware.c"], "bench")
            for name in ("a", "b"):
                vm = self.keep(Vm(qemu, BOARD, DEVICES[device](server.path), folder, name, kernel=elf))
                self.meet(vm, vectors)
            self.introduce()
        except BaseException:
            self.close()
            raise

    def keep(self, part):
        self.parts.append(part)
        return part

    def meet(self, vm, vectors):
        guest = Guest(vm, self.host, int(vm.serial.until(r"^id (\d+)$")[1]))
        self.host.wait_for(guest.id, vectors)
        guest.wake()
        self.guests.append(guest)

    def introduce(self):
        """Until the first has heard of the second: the second passes on what it gets."""
        first, second = self.guests
        second.does(ANSWER, self.host.id, 0)
        deadline = Deadline()
        while not second.taken:
            first.does(FLOOD, second.id, 0, 1)
            try:
                self.host.rung(0, RETRY)
            except TooLate:
                if not deadline.left():
                    raise
        second.does(COUNT)

    def pids(self):
        return [guest.vm.pid for guest in self.guests]

    def ping(self, count, vector=0, seconds=PATIENCE):
        """Seconds of so many round trips."""
        first, second = self.guests
        second.does(ANSWER, first.id, vector)
        return first.does(PING, second.id, vector, count, seconds=seconds)

    def flood(self, count):
        """Seconds of so many doorbells, and how many interrupts the other took of them."""
        first, second = self.guests
        second.does(COUNT)
        took = first.does(FLOOD, second.id, 0, count)
        return took, second.taken

    def close(self):
        for part in reversed(self.parts):
            part.close()
