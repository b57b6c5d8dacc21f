#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Two machines under KVM ring each other through a real server: what arrives, and how often a guest came out for it."""
from case import Case, main
from worker import ANSWER, HAND, PING, RING, TAKE, doorbell

TIMES = 3000
MESSAGES = 1000
WAYS = ((), ("--no-fast-path",))


class Doorbells(Case):
    def pair(self, *options):
        """(the peer that orders, [two machines], [their guests]), each knows each."""
        server = self.server()
        host = self.peer(server)
        machines, guests = [], []
        for _ in range(2):
            machines.append(self.machine(server, *options))
            guests.append(self.worker(machines[-1], host))
        machines[0].knows(guests[1].id)
        return host, machines, guests

    def alone(self, *options):
        server = self.server()
        return self.worker(self.machine(server, *options), self.peer(server))

    def ping(self, guests):
        first, second = guests
        second.does(ANSWER, doorbell(first.id))
        first.does(PING, doorbell(second.id), TIMES)
        self.assertEqual(second.taken(), TIMES)

    def test_rung_by_turns_without_a_doorbell_that_comes_out(self):
        _, machines, guests = self.pair()
        self.ping(guests)
        for machine in machines:
            exits = machine.end()
            self.assertEqual(exits.doorbells, 0)
            self.assertEqual(exits.interrupts, 2)

    def test_without_the_fast_path_each_doorbell_comes_out_once(self):
        _, machines, guests = self.pair("--no-fast-path")
        self.ping(guests)
        for machine in machines:
            exits = machine.end()
            self.assertEqual((exits.bound, exits.interrupts), (0, 0))
            # Each order is answered by a doorbell too, and those of the greetings are not counted.
            self.assertGreaterEqual(exits.doorbells, TIMES)
            self.assertLess(exits.doorbells, TIMES + 100)

    def test_each_ring_of_a_peer_is_counted(self):
        for options in WAYS:
            with self.subTest(options=options):
                guest = self.alone(*options)
                guest.does(RING, doorbell(guest.host.id, 1), TIMES)
                self.assertEqual(guest.host.rung(1), TIMES)

    def test_two_processors_ring_at_once(self):
        for options in WAYS:
            with self.subTest(options=options):
                guest = self.alone("--cpus", "2", *options)
                for times in (1, 1, 1, 10, TIMES):
                    guest.does(RING, doorbell(guest.host.id, 1), times, doorbell(guest.host.id, 1))
                    self.assertEqual(guest.host.rung(1), 2 * times)

    def test_messages_are_as_they_were_written(self):
        for options in WAYS:
            with self.subTest(options=options):
                _, _, (first, second) = self.pair(*options)
                second.does(TAKE, doorbell(first.id), MESSAGES)
                first.does(HAND, doorbell(second.id), MESSAGES)
                self.assertEqual((first.bad, second.bad), (0, 0))

    def test_a_message_that_was_spoiled_is_found(self):
        _, _, (first, second) = self.pair()
        second.does(TAKE, doorbell(first.id), 10)
        first.does(HAND, doorbell(second.id), 10, 7)
        self.assertEqual((first.bad, second.bad), (0, 1))


if __name__ == "__main__":
    main()
