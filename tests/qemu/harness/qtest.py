# SPDX-License-Identifier: BSD-3-Clause
"""
QEMU's qtest: accesses to the machine's bus, interrupt lines and the clock, from outside, without a guest's code.

An access is done by QEMU's main loop, the one that also takes rings and what a server says: which of two that wait
comes first is not said, so wait for the one before the other.
"""
from harness.wait import PATIENCE, Lines, TooLate


class Qtest:
    def __init__(self, socket):
        self.socket = socket
        self.lines = Lines(socket.fileno(), "QEMU's qtest")
        # Raised and lowered lines, in their order, as (number, level); what irq_intercept() asks for.
        self.irqs = []

    def command(self, *words, seconds=PATIENCE):
        """Sends one command; the words after its OK."""
        text = " ".join(str(word) if not isinstance(word, int) else hex(word) for word in words)
        try:
            self.socket.sendall(text.encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            raise TooLate(f"QEMU is gone before '{text}'") from None
        return self.answer(text, seconds)

    def answer(self, text, seconds):
        while True:
            words = self.lines.line(seconds).split()
            if words[0] == "IRQ":
                self.irqs.append((int(words[2]), words[1] == "raise"))
            elif words[0] == "OK":
                return words[1:]
            else:
                raise AssertionError(f"to '{text}' qtest answers '{' '.join(words)}'")

    def read(self, width, address):
        return int(self.command("read" + width, address)[0], 0)

    def write(self, width, address, value):
        self.command("write" + width, address, value)

    # b, w, l, q: 1, 2, 4, 8 bytes.
    def readb(self, address):
        return self.read("b", address)

    def readw(self, address):
        return self.read("w", address)

    def readl(self, address):
        return self.read("l", address)

    def readq(self, address):
        return self.read("q", address)

    def writeb(self, address, value):
        self.write("b", address, value)

    def writew(self, address, value):
        self.write("w", address, value)

    def writel(self, address, value):
        self.write("l", address, value)

    def writeq(self, address, value):
        self.write("q", address, value)

    def bytes(self, address, size):
        return bytes.fromhex(self.command("read", address, size)[0][2:])

    def fill(self, address, data):
        self.command("write", address, len(data), "0x" + data.hex())

    def clock_step(self, nanoseconds=None):
        """Lets the machine's clock go on; to its next timer without a number."""
        return int(self.command("clock_step", *([nanoseconds] if nanoseconds is not None else []))[0], 0)

    def irq_intercept(self, path):
        """From now on what reaches the interrupt inputs of the device @path comes here, and no further."""
        self.command("irq_intercept_in", path)

    def wait_irq(self, number, level=True, seconds=PATIENCE):
        """Waits until line @number goes to @level; takes what was noted up to there."""
        while True:
            while self.irqs:
                if self.irqs.pop(0) == (number, level):
                    return
            words = self.lines.line(seconds).split()
            self.irqs.append((int(words[2]), words[1] == "raise"))

    def no_irq(self):
        """True when nothing came since: everything up to here has been delivered, by an access that is answered."""
        self.command("clock_step", 0)
        return not self.irqs
