# SPDX-License-Identifier: BSD-3-Clause
"""What people do to a machine while it runs, in every state of the link, and what a machine's end leaves behind."""
import os
from collections import Counter

from harness import fds
from harness.fake import count
from harness.server import children, reap
from link_case import DOORBELL, FRONT, INTRMASK, INTRSTATUS, IVPOSITION, LinkCase, consumed

OWN, OTHER = 5, 9
ONES = 2 ** 32 - 1


class States:
    """Each makes a machine whose link is in one state: (machine, what IVPOSITION reads, the link, the peers)."""

    def down(self):
        """No server yet."""
        return self.vm(*self.joining(self.path("server"), reconnect=True), qtest=True), ONES, "down", 0

    def half_greeted(self):
        vm = self.down()[0]
        vm.ready()
        client = self.fake("server").accept()
        client.send(0)
        client.send(OWN)
        self.until(vm, "messages", 2)
        return vm, ONES, "greeting", 0

    def greeted(self):
        vm, _, _ = self.joined(self.fake(), OWN, each=2, others=[OTHER])
        return vm, OWN, "ready", 1

    def lost(self):
        """The server is gone, and the device does not look for another."""
        vm, client, _ = self.joined(self.fake(), OWN, each=2, others=[OTHER])
        client.close()
        self.until(vm, "link", "down")
        return vm, OWN, "down", 1

    def back(self):
        """Another server, another id, other peers."""
        fake = self.fake("server")
        vm, client, _ = self.joined(fake, OWN, each=2, others=[OTHER], reconnect=True)
        client.close()
        fake.greet(fake.accept(), 77, 1, self.memory(fake), others=[1, 2])
        self.until(vm, "messages", 3 + 4 + 3 + 3)
        return vm, 77, "ready", 2


class Commands:
    """QMP's commands; each state is a test."""

    def is_as_before(self, vm, position, link, peers):
        self.assertEqual(self.read(vm, IVPOSITION), position)
        self.assertEqual(self.asked(vm, "link"), link)
        self.assertEqual(self.asked(vm, "peers"), peers)

    def go_through(self, state):
        bare = fds.count(self.vm(qtest=True).ready().pid)
        vm, *expected = state()
        for step in (self.add, self.delete, self.reset, self.stop, self.save, self.write_registers):
            with self.subTest(step.__name__):
                step(vm)
                self.is_as_before(vm, *expected)
        self.unrealize(vm, bare)

    def add(self, vm):
        said = vm.refusal("device_add", driver="ivflat", path="/x", registers=0x400ff010, memory=0x40800000)
        self.assertRegex(said, "hotplug|pluggable")

    def delete(self, vm):
        # QEMU 7.2 would assert.
        self.assertIs(self.asked(vm, "hotpluggable"), False)
        self.assertRegex(vm.refusal("device_del", id="front"), "(?i)hotplug|bus|unplug")

    def reset(self, vm):
        vm.qmp("system_reset")
        vm.event("RESET")

    def stop(self, vm):
        vm.qmp("stop")
        vm.event("STOP")
        vm.qmp("cont")
        vm.event("RESUME")

    def save(self, vm):
        self.assertRegex(vm.hmp("savevm now"), "ivflat: .*server.*peers")
        self.assertRegex(vm.refusal("migrate", uri="exec:cat >/dev/null"), "ivflat: .*server.*peers")

    def write_registers(self, vm):
        for register in (INTRMASK, INTRSTATUS, IVPOSITION):
            self.write(vm, register, ONES)
        self.write(vm, DOORBELL, 1234 << 16)

    def unrealize(self, vm, bare):
        vm.qmp("qom-set", path=FRONT, property="realized", value=False)
        # Its own, to its end: what it waits on, its timer, what wakes it, and what its rings poll.
        self.descriptors(vm, bare + Counter(epoll=1, timerfd=1, eventfd=1, memfd=1))
        self.assertRegex(vm.refusal("qom-set", path=FRONT, property="realized", value=True), "ivflat|front|realize")
        self.assertNotIn("ivflat", vm.hmp("info mtree"))
        vm.qmp("qom-set", path=FRONT, property="realized", value=False)

    def test_commands_before_a_server_is_there(self):
        self.go_through(self.down)

    def test_commands_in_the_middle_of_a_greeting(self):
        self.go_through(self.half_greeted)

    def test_commands_to_a_device_that_has_joined(self):
        self.go_through(self.greeted)

    def test_commands_when_the_server_is_gone(self):
        self.go_through(self.lost)

    def test_commands_when_another_server_came(self):
        self.go_through(self.back)

    def test_quit_in_every_state(self):
        """With 0, by its monitor and by a signal."""
        for state in (self.down, self.half_greeted, self.greeted, self.lost, self.back):
            with self.subTest(state.__name__):
                self.setUp()
                vm = state()[0]
                self.assertEqual(vm.quit(), 0, vm.said())
                self.setUp()
                vm = state()[0]
                vm.ready()
                self.assertEqual(vm.process.end(), 0, vm.said())


class CommandsByPath(Commands, States, LinkCase):
    way = "path"


class CommandsByChardev(Commands, States, LinkCase):
    way = "chardev"

    def test_the_chardev_cannot_be_taken_away_or_exchanged(self):
        vm = self.greeted()[0]
        self.assertRegex(vm.refusal("chardev-remove", id="front-link"), "(?i)busy|in use")
        said = vm.refusal("chardev-change", id="front-link", backend={"type": "null", "data": {}})
        self.assertRegex(said, "(?i)not support|hot")
        self.is_as_before(vm, OWN, "ready", 1)

    def test_a_device_that_is_gone_lets_go_of_its_chardev(self):
        vm = self.greeted()[0]
        vm.qmp("qom-set", path=FRONT, property="realized", value=False)
        vm.qmp("chardev-remove", id="front-link")
        self.assertNotIn("front-link", vm.hmp("info chardev"))


class Starts:
    """Ways in which a machine begins."""

    def test_a_machine_that_waits_for_cont(self):
        """Peers ring meanwhile: it is delivered."""
        fake = self.fake()
        vm, _, table = self.joined(fake, OWN, extra=["-S"])
        self.assertNotEqual(vm.qmp("query-status")["status"], "running")
        self.listen(vm)
        os.write(table[OWN][0], (1).to_bytes(8, "little"))
        self.pulses(vm)
        vm.qmp("cont")
        self.ring(vm, OWN)
        self.pulses(vm)

    def test_in_the_background(self):
        """-daemonize forks before the device is there; what we started ends when the machine stands."""
        server = self.server(vectors=2)
        peer = self.peer(server, vectors=2)
        known, name = children(), self.path("pid")
        vm = self.vm(*self.joining(server.path), "-daemonize", "-pidfile", name, qtest=True)
        self.assertEqual(vm.wait(), 0, vm.said())
        with open(name) as file:
            daemon = int(file.read())
        # Who forked it has ended.
        self.assertEqual([reap(pid) for pid in children() - known - {daemon}], [0])
        self.assertEqual(self.asked(vm, "link"), "ready")
        peer.wait_for(self.asked(vm, "own-id"), 2)
        self.ring(vm, peer.id, 1)
        self.assertEqual(peer.rung(1), 1)
        peer.ring(self.asked(vm, "own-id"), 1)
        self.until(vm, "rings-received", 1)
        vm.qmp("quit")
        self.assertEqual(reap(daemon), 0)

    def test_migratable_machines_only(self):
        said = self.refusal("-only-migratable", *self.joining(self.server().path))
        self.assertRegex(said, "only-migratable")
        self.assertRegex(said, "ivflat: .*server.*peers")

    def test_a_machine_that_never_runs_says_nothing(self):
        """Neither warning nor line of a log about what is well."""
        vm = self.vm(*self.joining(self.server().path), qtest=True)
        self.assertEqual(vm.quit(), 0)
        self.assertNotRegex(vm.said(), "(?i)ivflat|memory")


class StartsByPath(Starts, LinkCase):
    way = "path"


class StartsByChardev(Starts, LinkCase):
    way = "chardev"


class Several(LinkCase):
    """Devices side by side in one machine: two of one server, and one of another."""

    def machine(self):
        self.one, self.two = self.server(vectors=2, name="one"), self.server(vectors=2, name="two")
        places = ((0x400ff000, 0x40100000, 40), (0x400ff010, 0x40500000, 41), (0x400ff020, 0x40900000, 43))
        servers = (self.one, self.one, self.two)
        self.fronts = [self.board._replace(registers=registers, memory=memory, irq=irq)
                       for registers, memory, irq in places]
        words = [word for number, (board, server) in enumerate(zip(self.fronts, servers))
                 for word in self.device(board, path=server.path, id=f"front{number}")]
        vm = self.vm(*words, qtest=True)
        for number, peers in enumerate((1, 1, 0)):
            self.until(vm, "peers", peers, f"{FRONT}{number}")
        return vm

    def test_each_has_its_own_registers_memory_and_line(self):
        vm = self.machine()
        self.listen(vm)
        ids = [self.asked(vm, "own-id", f"{FRONT}{number}") for number in range(3)]
        self.assertEqual([vm.qtest.readl(front.registers + IVPOSITION) for front in self.fronts], ids)
        self.assertEqual(ids, [0, 1, 0])
        # The first rings the second, and only its line moves.
        vm.qtest.writel(self.fronts[0].registers + DOORBELL, ids[1] << 16 | 1)
        self.pulses(vm, line=41)
        vm.qtest.writel(self.fronts[2].registers + DOORBELL, ids[2] << 16)
        self.pulses(vm, line=43)
        # Two see one memory, the third another.
        vm.qtest.writel(self.fronts[0].memory + 64, 0x1234)
        self.assertEqual([vm.qtest.readl(front.memory + 64) for front in self.fronts], [0x1234, 0x1234, 0])

    def test_one_goes_and_the_others_stay(self):
        vm = self.machine()
        vm.qmp("qom-set", path=FRONT + "1", property="realized", value=False)
        self.until(vm, "peers", 0, FRONT + "0")
        self.assertEqual(len(vm.find("ivflat-sysbus")), 2)
        self.assertEqual([self.asked(vm, "link", f"{FRONT}{number}") for number in (0, 2)], ["ready", "ready"])
        peer = self.peer(self.two, vectors=2)
        self.until(vm, "peers", 1, FRONT + "2")
        vm.qtest.writel(self.fronts[2].registers + DOORBELL, peer.id << 16 | 1)
        self.assertEqual(peer.rung(1), 1)

    def test_eight_in_one_machine(self):
        server = self.server(size="4K")
        words = [word for number in range(8) for word in
                 self.device(path=server.path, id=f"front{number}", registers=hex(0x400ff000 + 16 * number),
                             memory=hex(0x40100000 + 4096 * number), shmem_size=4096, irq=44 + number)]
        vm = self.vm(*words, qtest=True)
        for number in range(8):
            self.until(vm, "peers", 7, f"{FRONT}{number}")
        self.assertEqual([self.asked(vm, "own-id", f"{FRONT}{number}") for number in range(8)], list(range(8)))


class Peers(LinkCase):
    """Who comes and goes while the machine runs."""

    def test_a_thousand_joins_and_leaves_leave_no_descriptor(self):
        fake = self.fake()
        vm, client, table = self.joined(fake, OWN, others=[OTHER])
        before = fds.count(vm.pid)
        eventfd = fake.eventfd()
        for newcomer in range(100, 1100):
            client.send(newcomer, eventfd)
            client.send(newcomer)
        consumed(client)
        self.until(vm, "messages", 5 + 2000)
        self.assertEqual(self.asked(vm, "peers"), 1)
        self.assertEqual(fds.count(vm.pid), before)
        self.ring(vm, OTHER)
        self.assertEqual(count(table[OTHER][0]), 1)
