#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Peers that come, go and come back, servers likewise, and more doorbells than KVM is given or takes."""
import os
import signal

from case import Case, Exits, main
from harness import fds
from harness.wait import readable
from worker import ANSWER, PING, RING, Worker, doorbell

TIMES = 300
VECTORS = 64
CROWD = 17  # with the machine's own, 18 * 64 = 1,152 doorbells
BOUND = 256  # as many as the emulator has KVM search
ROOM = 128


class Life(Case):
    def rings(self, guest, peer, vector, times=TIMES):
        """The guest rings @peer, whom its machine knows, and each ring arrives."""
        guest.does(RING, doorbell(peer.id, vector), times)
        self.assertEqual(peer.rung(vector), times)

    def started(self, *options, vectors=2):
        server = self.server(vectors)
        host = self.peer(server, vectors)
        machine = self.machine(server, *options)
        return server, host, machine, self.worker(machine, host, vectors)

    def test_a_peer_that_comes_late_and_goes_is_bound_and_unbound(self):
        server, _, machine, guest = self.started()
        before = fds.count(machine.pid)
        for _ in range(5):
            peer = self.peer(server)
            machine.knows(peer.id)
            self.rings(guest, peer, 1)
            kept = os.dup(peer.vectors[1])
            peer.close()
            machine.knows(peer.id, 0)
            guest.does(RING, doorbell(peer.id, 1), 3)
            self.assertFalse(readable(kept, 0))
            os.close(kept)
        self.assertEqual(fds.count(machine.pid), before)
        exits = machine.end()
        self.assertEqual((exits.doorbells, exits.bound), (5 * 3, 2 * 2))

    def test_a_machine_that_was_killed_comes_back(self):
        server, host, first, one = self.started()
        for _ in range(3):
            second = self.machine(server)
            two = self.worker(second, host)
            first.knows(two.id)
            two.does(ANSWER, doorbell(one.id))
            one.does(PING, doorbell(two.id), TIMES)
            self.assertEqual(second.process.end(signal.SIGKILL), -signal.SIGKILL)
            host.wait_gone(two.id)
            first.knows(two.id, 0)
        exits = first.end()
        self.assertEqual((exits.doorbells, exits.bound), (0, 2 * 2))

    def test_a_server_that_was_killed_comes_back(self):
        for options in ((), ("--no-fast-path",)):
            with self.subTest(options=options):
                server, host, machine, guest = self.started(*options)
                before = fds.count(machine.pid)
                self.assertEqual(server.end(signal.SIGKILL), -signal.SIGKILL)
                machine.lines.until("the link is down")
                self.rings(guest, host, 1)  # who knows each other goes on
                other = self.server(name=os.path.basename(server.path))
                late = self.peer(other)
                again = Worker(late, machine.linked())
                late.wait_for(again.id, 2)
                again.wake()
                self.assertFalse(host.is_rung(1))
                self.rings(again, late, 1)
                self.assertFalse(host.is_rung(1))
                self.assertEqual(fds.count(machine.pid), before)
                machine.end()

    def crowded(self, *options, **words):
        """A guest whose machine has heard of more than 1,100 doorbells."""
        server = self.server(VECTORS)
        crowd = [self.peer(server, VECTORS) for _ in range(CROWD)]
        machine = self.machine(server, *options, **words)
        guest = self.worker(machine, crowd[0], VECTORS)
        for peer in crowd:
            self.rings(guest, peer, VECTORS - 1, 3)
        return server, crowd, machine, guest

    def check_end(self, machine, bound, came_out, why):
        status = machine.process.end()
        text = machine.lines.rest()
        self.assertEqual(status, 0, text)
        self.assertEqual(text.count("warning"), 1, text)
        self.assertIn(f"warning: {bound} doorbells and 0 interrupts are bound in KVM, "
                      f"the others pass through here: {why}", text)
        exits = Exits(text)
        self.assertEqual((exits.doorbells, exits.bound, exits.interrupts), (came_out, bound, VECTORS))

    def test_of_more_than_a_thousand_doorbells_some_are_bound(self):
        _, crowd, machine, _ = self.crowded()
        self.check_end(machine, BOUND, (len(crowd) - BOUND // VECTORS) * 3, "it would search longer")

    def test_doorbells_that_kvm_has_no_room_for_go_the_ordinary_way(self):
        server, crowd, machine, guest = self.crowded(env=self.preloaded(KVM_ROOM=ROOM))
        gone = crowd.pop(1)
        gone.close()
        machine.knows(gone.id, 0)
        newcomer = self.peer(server, VECTORS)
        machine.knows(newcomer.id, VECTORS)
        self.rings(guest, newcomer, VECTORS - 1, TIMES)  # in the room that was given back
        self.check_end(machine, ROOM, (CROWD - ROOM // VECTORS) * 3, "No space left on device")


if __name__ == "__main__":
    main()
