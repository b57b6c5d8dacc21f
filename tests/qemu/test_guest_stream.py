# SPDX-License-Identifier: BSD-3-Clause
"""Messages through rings in the shared memory, both ways at once, each with its checksum and known to the byte."""
from guest import GREETING, GuestCase, numbers, until_each
from guest_code import DEMO, HERE, HOST_PEER
from harness.boards import BOARDS

COUNT = 100_000
LONG = 120

STREAM_PEER = [HERE / "host" / "stream-peer.c", HERE / "firmware" / "stream.c"]


class Stream(GuestCase):
    timeout = 300

    def check(self, line):
        sent, received, bad, broken, interrupts = numbers(line)
        self.assertEqual((sent, received, bad, broken), (COUNT, COUNT, 0, 0), line)
        self.assertGreater(interrupts, 0)

    def guest_ends(self, guest):
        self.check(guest.until("^sent .*", LONG)[0])

    def both_ways(self, one, other):
        """Nothing but rings wakes them: a ring that is lost is the end."""
        one.hears(GREETING + 2)
        one.type("stream", one.id, other.id, COUNT, 0)
        other.type("stream", other.id, one.id, COUNT, 0)
        self.guest_ends(one)
        self.guest_ends(other)

    def test_two_machines_100_000_messages_each(self):
        server = self.server()
        self.both_ways(self.guest(server), self.guest(server, hears=2))

    def test_a_machine_and_a_virt_100_000_messages_each(self):
        server = self.server()
        self.both_ways(self.guest(server), self.guest(server, hears=2, board=BOARDS["virt"]))

    def test_a_machine_and_a_program_on_the_host_100_000_messages_each(self):
        server = self.server()
        guest = self.guest(server)
        host = self.host("stream-peer", STREAM_PEER, server.path, guest.id, COUNT)
        host.lines.until("^id 1$")
        guest.hears(GREETING + 2)
        guest.type("stream", 0, 1, COUNT, 0)
        self.guest_ends(guest)
        self.check(host.lines.until("^sent .*", LONG)[0])
        self.assertEqual(host.wait(), 0)


class DemoCase(GuestCase):
    def check(self, ends):
        for number, end in enumerate(ends):
            peer, sent, received, bad, interrupts = numbers(end)
            self.assertEqual((peer, sent, received, bad), (number, 2000, 2000, 0))
            self.assertGreater(interrupts, 0)


class Demo(DemoCase):
    def test_the_demonstration_of_two_machines_and_a_program_on_the_host(self):
        server = self.server(vectors=2)
        guests = [self.demo(server), self.demo(server)]
        host = self.host("host-peer", [HOST_PEER, DEMO[1]], "--time=60", server.path, packages=("glib-2.0",))
        self.check(until_each([guests[0].serial, guests[1].serial, host.lines], r"^peer \d+: sent "))
        self.assertEqual(host.wait(), 0, host.said())


class DemoOfBoards(DemoCase):
    boards = ("lm3s6965evb",)

    def test_the_demonstration_of_three_machines_of_three_boards(self):
        server = self.server(vectors=2)
        guests = [self.demo(server, name) for name in ("lm3s6965evb", "mps2-an385", "virt")]
        self.check(until_each([guest.serial for guest in guests], r"^peer \d+: sent "))
