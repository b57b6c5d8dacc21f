# SPDX-License-Identifier: BSD-3-Clause
"""Who takes part: the server, the one that watches on the host, the Linux VM, and the stations; and what they say."""
import collections
import json
import re

from host.process import Side

# Registers, memory and line of the device on a board: examples/firmware/board.h and its meson.build have the same.
Place = collections.namedtuple("Place", "registers memory irq")
BOARDS = {"lm3s6965evb": Place(0x400ff000, 0x40100000, 40), "mps2-an385": Place(0x400ff000, 0x44000000, 26)}

# exchange.h has these.
VECTORS = 4
TABLE, ALARM = 2, 3
HOST_ENTRY = 5 * 64
LEAST_MEMORY = 0x1000 + 4 * 0x4000


def ring_of(station):
    """Where the ring of a station's samples lies."""
    return 0x1000 + (station - 1) * 0x4000


class Server(Side):
    ready = False

    def hear(self, line):
        self.ready = self.ready or "ready on" in line


class Watcher(Side):
    """ivflat-client: who comes and goes, how often it was rung, and what it reads in the memory."""

    def __init__(self, *words):
        self.id, self.memory, self.peers, self.error = None, 0, {}, None
        self.rung, self.answers = collections.Counter(), []
        super().__init__(*words)

    def hear(self, line):
        event = json.loads(line)
        kind = event["event"]
        if kind == "joined":
            self.id, self.memory = event["id"], event["memory"]
        elif kind == "peer":
            self.peers[event["id"]] = event["vectors"]
        elif kind == "left":
            self.peers.pop(event["id"], None)
        elif kind == "interrupt":
            self.rung[event["vector"]] += event["count"]
        elif kind == "read":
            self.answers.append(event)
        elif kind == "error":
            self.error = event["text"]

    def shown(self, line):
        event = json.loads(line)
        text = {"joined": "joined as id {id}; the memory has {memory} bytes", "left": "id {id} left",
                "peer": "id {id} is there, with {vectors} vectors", "interrupt": "rung at vector {vector} (alarm)",
                "error": "{text}"}.get(event["event"])
        return text and text.format(**event)

    def write(self, offset, text):
        self.type(f"write {offset} {text}")

    def ring(self, peer, vector):
        self.type(f"ring {peer} {vector}")

    def read_words(self, offset, count):
        """Asks for them; words() of the answer has them."""
        self.type(f"read {offset} {4 * count}")


def words(answer):
    """Numbers of 32 bits, of what the watcher read."""
    data = bytes.fromhex(answer.get("hex", ""))
    return [int.from_bytes(data[i:i + 4], "little") for i in range(0, len(data), 4)]


# Of what Linux says, a line each: the samples FIRST to LAST of one life of a station, and the sum of their readings.
Checked = collections.namedtuple("Checked", "station boot first last sum")


class Linux(Side):
    """The Linux VM, by what comes out of its serial port."""

    def __init__(self, *arguments):
        self.id = self.boot = None
        self.checked, self.resumed, self.totals, self.interrupts = [], {}, {}, {}
        self.lost = collections.Counter()
        super().__init__(*arguments)

    def hear(self, line):
        if not line.startswith("linux: "):
            return
        if "WRONG" in line:
            self.wrong.append(line)
        for pattern, take in self.LINES:
            match = re.search(pattern, line)
            if match:
                take(self, *map(int, match.groups()))

    def took_id(self, number, boot):
        self.id, self.boot = number, boot

    def took_checked(self, *numbers):
        self.checked.append(Checked(*numbers))

    def took_resumed(self, station, boot, number):
        self.resumed[station] = (boot, number)

    def took_lost(self, station, boot, _number):
        self.lost[station, boot] += 1

    def took_total(self, station, boot, following, lost, wrong, alarms):
        self.totals[station] = {"boot": boot, "next": following, "lost": lost, "wrong": wrong, "alarms": alarms}

    def took_interrupts(self, *counts):
        self.interrupts = dict(zip(("mail", "room", "table", "alarm"), counts))

    LINES = (
        (r"up, with id (\d+), boot (\d+)$", took_id),
        (r"station (\d+) boot (\d+): samples (\d+) to (\d+) right, sum (\d+)$", took_checked),
        (r"station (\d+) boot (\d+): I go on with sample (\d+)$", took_resumed),
        (r"station (\d+) boot (\d+): sample (\d+) was lost", took_lost),
        (r"station (\d+) boot (\d+): done: next (\d+), lost (\d+), wrong (\d+), alarms (\d+)$", took_total),
        (r"interrupts: mail (\d+), room (\d+), table (\d+), alarm (\d+)$", took_interrupts))

    def right(self, station, boot=None):
        """How many samples of a station it has said to be right; @boot: in that one of the station's lives."""
        furthest = {}
        for line in self.checked:
            if line.station == station and boot in (None, line.boot):
                furthest[line.boot] = line.last + 1 - line.first
        return sum(furthest.values())


class Station(Side):
    """A microcontroller VM, by what comes out of its UART."""

    def __init__(self, *arguments):
        self.id = self.boot = self.total = None
        self.waits, self.answered, self.more = False, 0, {}
        super().__init__(*arguments)

    def hear(self, line):
        if "WRONG" in line:
            self.wrong.append(line)
        if "nobody reads" in line:
            self.waits = True
        up = re.search(r"boot (\d+): up, with id (\d+)$", line)
        if up:
            self.boot, self.id = map(int, up.groups())
        more = re.search(r"answers to the boot before (\d+), alarms (\d+), interrupts (\d+)$", line)
        if more:
            self.more = dict(zip(("old", "alarms", "interrupts"), map(int, more.groups())))
        self.hear_counts(line)

    def hear_counts(self, line):
        counts = re.search(r"(done: )?sent (\d+), answered (\d+), lost (\d+), wrong (\d+)$", line)
        if counts:
            numbers = dict(zip(("sent", "answered", "lost", "wrong"), map(int, counts.groups()[1:])))
            self.answered = numbers["answered"]
            self.total = numbers if counts[1] else None
