# SPDX-License-Identifier: BSD-3-Clause
"""What happens: all come, talk; one is killed and comes back, then another; all stop."""
import contextlib

from host.common import Refused
from host.process import Wish
from host.sides import ALARM, HOST_ENTRY, TABLE, VECTORS, ring_of, words

# The words in which a ring's two indices are: head, and 16 further tail.
INDICES = 17
# In the table: how often Linux has started.
LINUX_BOOTS = 1
# Seconds that a server gets to send some bytes.
VECTORS_TIME = 5


class Story:
    def __init__(self, stage, cast, samples):
        self.stage, self.cast, self.samples = stage, cast, samples
        self.server = self.watcher = None
        self.linux, self.stations = [], {1: [], 2: []}
        self.indices = {}

    def tell(self):
        self.meet()
        self.cast.until(*self.progress(1), *self.progress(2))
        self.board_dies()
        self.linux_dies()
        self.stop()

    # Wishes.

    def up(self, side):
        return Wish(side, lambda: side.id is not None, "come up")

    def progress(self, station, further=None):
        """That the Linux of now finds so many samples right, beyond those that it has."""
        linux, side = self.linux[-1], self.stations[station][-1]
        goal = linux.right(station) + (further or self.samples)
        return [Wish(side, lambda: linux.right(station) >= goal, f"got {goal} samples to Linux")]

    # Beginnings.

    def meet(self):
        if not self.stage.options.server:
            self.server = self.stage.server()
            self.cast.until(Wish(self.server, lambda: self.server.ready, "got ready"))
        self.join_server()
        self.order("run ")
        self.start_linux()
        self.start_board()
        self.stations[2].append(self.stage.unicorn())
        self.cast.until(self.up(self.stations[2][-1]), self.up(self.stations[1][-1]), self.up(self.linux[-1]))

    def join_server(self):
        """Who watches is there first, and sees whether the server is what the others need."""
        self.watcher = watcher = self.stage.watcher()
        try:
            self.cast.until(Wish(watcher, lambda: watcher.id is not None, "joined the server"))
        except Refused as refused:
            raise Refused(f"server: {watcher.error or refused}") from None
        self.check_vectors()
        if watcher.memory != self.stage.options.bytes:
            raise Refused(f"server: its memory has {watcher.memory} bytes, and the stations are to have "
                          f"{self.stage.options.bytes}: --memory has to be the server's -l")
        if any(self.read(0, LINUX_BOOTS + 1)):
            raise Refused("server: its memory has been used before, and the counts would be wrong: start it anew")

    def check_vectors(self):
        """They come one by one, and the client tells of its own when it is asked."""
        peers, own = self.watcher.peers, self.watcher.id
        for _ in range(VECTORS_TIME):
            self.watcher.type("peers")
            with contextlib.suppress(Refused):
                self.cast.until(Wish(self.watcher, lambda: peers.get(own, 0) >= VECTORS, "got them"), patience=1)
                return
        raise Refused(f"server: it gives each side {peers.get(own, 0)} vectors, and {VECTORS} are needed: start it "
                      f"with -n {VECTORS}")

    def start_linux(self):
        self.linux.append(self.stage.linux())

    def start_board(self):
        self.stations[1].append(self.stage.board())

    def order(self, text):
        """What all shall do, behind the id of who watches: exchange.h says how."""
        self.watcher.write(HOST_ENTRY, f"{self.watcher.id:04x}{text}")

    # Deaths.

    def board_dies(self):
        victim = self.stations[1][-1]
        self.cast.kill(victim)
        self.cast.tell("host", f"station 1 (id {victim.id}) was killed; Linux and station 2 go on")
        self.cast.until(self.has_left(victim), *self.progress(2, self.samples // 2))
        self.start_board()
        self.cast.until(self.up(self.stations[1][-1]))
        self.cast.until(*self.progress(1), *self.progress(2))

    def has_left(self, side):
        return Wish(self.watcher, lambda: side.id not in self.watcher.peers, f"heard that id {side.id} left")

    def linux_dies(self):
        victim = self.linux[-1]
        self.cast.kill(victim)
        self.cast.tell("host", f"Linux (id {victim.id}) was killed; the stations wait until their rings are full")
        waiting = [stations[-1] for stations in self.stations.values()]
        self.cast.until(self.has_left(victim),
                        *(Wish(side, lambda side=side: side.waits, "noticed that nobody reads") for side in waiting))
        if self.stage.options.spoil:
            # Over the first words of the slots that wait, whichever they are.
            self.watcher.write(ring_of(1) + 128, "spoilt")
        self.start_linux()
        self.cast.until(self.up(self.linux[-1]))
        self.cast.until(*self.progress(1), *self.progress(2))

    # The end.

    def stop(self):
        linux, stations = self.linux[-1], [sides[-1] for sides in self.stations.values()]
        self.cast.tell("host", "stop")
        linux.may_end = True
        self.order("stop")
        for side in (linux, *stations):
            self.watcher.ring(side.id, TABLE)
        self.cast.until(*(Wish(side, lambda side=side: side.total, "stopped") for side in stations))
        self.cast.until(Wish(linux, lambda: linux.interrupts and linux.child.poll() is not None, "stopped"))
        self.cast.bury(linux)
        self.look()

    def look(self):
        """What the watcher sees in the memory: how much was ever written to a ring, and read."""
        for station in self.stations:
            numbers = self.read(ring_of(station), INDICES)
            self.indices[station] = (numbers[0], numbers[-1])

    def read(self, offset, count):
        """Words of the memory, as who watches has them."""
        before = len(self.watcher.answers)
        self.watcher.read_words(offset, count)
        self.cast.until(Wish(self.watcher, lambda: len(self.watcher.answers) > before, "read the memory"))
        return words(self.watcher.answers[-1])

    def alarms_rung(self):
        return self.watcher.rung[ALARM]
