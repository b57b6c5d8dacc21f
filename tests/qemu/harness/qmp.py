# SPDX-License-Identifier: BSD-3-Clause
"""QEMU's monitor: commands and their answers, and the events kept until a test asks for them."""
import json

from harness.wait import PATIENCE, Deadline, Lines, TooLate


class Refused(AssertionError):
    """What QEMU answers an error to; str() is its sentence."""


class Qmp:
    def __init__(self, socket):
        self.socket = socket
        self.lines = Lines(socket.fileno(), "QEMU's monitor")
        self.events, self.greeted = [], False

    def send(self, name, arguments):
        message = {"execute": name, **({"arguments": arguments} if arguments else {})}
        try:
            self.socket.sendall(json.dumps(message).encode() + b"\n")
        except (BrokenPipeError, ConnectionResetError):
            raise TooLate(f"QEMU is gone before '{name}'") from None

    def greet(self):
        """Waits until the machine is there, and the monitor listens."""
        if not self.greeted:
            self.message(PATIENCE)
            self.greeted = True
            self.execute("qmp_capabilities")

    def message(self, seconds):
        return json.loads(self.lines.line(seconds))

    def execute(self, name, seconds=PATIENCE, **arguments):
        self.greet()
        # QMP's names have dashes where Python's have none.
        self.send(name, {key.replace("_", "-"): value for key, value in arguments.items()})
        deadline = Deadline(seconds)
        while True:
            message = self.message(deadline.left())
            if "event" in message:
                self.events.append(message)
            elif "error" in message:
                raise Refused(message["error"]["desc"])
            else:
                return message["return"]

    def event(self, name, seconds=PATIENCE):
        """The data of the next event @name, past or to come; those before it are dropped."""
        self.greet()
        deadline = Deadline(seconds)
        while True:
            while self.events:
                event = self.events.pop(0)
                if event["event"] == name:
                    return event.get("data", {})
            self.events.append(self.message(deadline.left()))
