# SPDX-License-Identifier: BSD-3-Clause
"""What QEMU shows of the device: help, properties, the trees, trace events, and a log with an end."""
import os
import re
import time

from harness.fake import count
from link_case import DOORBELL, FRONT, INTRSTATUS, IVPOSITION, LinkCase

OWN, OTHER = 5, 9

# What a user of the device may set, and what is there to be read.
SETTINGS = {"chardev", "path", "shmem-size", "vectors", "revision", "reconnect-ms", "connect-timeout-ms",
            "require-sealed", "trusted-peers", "registers", "memory", "irq", "irqs",
            "x-bus-address-iomem", "x-bus-address-shmem", "x-irq-qompath"}
ANSWERS = {"link", "own-id", "peers", "memory-size", "rings-sent", "rings-ignored", "rings-received", "messages",
           "link-losses", "bad-accesses", "vectors-refused", "device"}
# Of the sysbus device, which takes its lines and addresses from the board.
BOARDS_ONLY = {"lines", "interrupts"}
FRONTS_ONLY = {"registers", "memory", "irq", "irqs", "device",
               "x-bus-address-iomem", "x-bus-address-shmem", "x-irq-qompath"}

# Words, and not only "(default: 0)".
EXPLAINED = r"^[A-Za-z0-9][^()]{10,}"


class Help(LinkCase):
    def described(self, name):
        """{property: description} of -device NAME,help."""
        vm = self.vm("-device", f"{name},help")
        self.assertEqual(vm.wait(), 0)
        lines = vm.said().splitlines()
        self.assertEqual(lines[0], f"{name} options:")
        found = {}
        for line in lines[1:]:
            match = re.match(r"  ([\w-]+(?:\[\d+\])?)=<([^ ]*)>(?: +- (.*))?$", line)
            self.assertTrue(match, line)
            found[match[1]] = match[3]
        return found

    def test_each_property_is_there_and_explained(self):
        found = self.described("ivflat")
        self.assertEqual(set(found), SETTINGS | ANSWERS)
        for name, description in found.items():
            self.assertRegex(description or "", EXPLAINED, name)
            self.assertEqual(name in ANSWERS, description.startswith("Read only: "), name)

    def test_those_of_the_sysbus_device(self):
        found = self.described("ivflat-sysbus")
        ours = {name for name in found if "[" not in name}
        self.assertEqual(ours, (SETTINGS | ANSWERS | BOARDS_ONLY) - FRONTS_ONLY)
        for name in ours:
            self.assertRegex(found[name] or "", EXPLAINED, name)

    def test_the_list_of_devices(self):
        vm = self.vm("-device", "help")
        self.assertEqual(vm.wait(), 0)
        self.assertRegex(vm.said(), r'(?m)^name "ivflat", desc "[^"]{20,}"$')

    def test_the_name_of_qemus_own_device_is_there(self):
        """Ours where the tree's is not compiled."""
        vm = self.vm("-device", "ivshmem-flat,help")
        self.assertEqual(vm.wait(), 0)
        self.assertRegex(vm.said(), r"shmem-size=<size>")
        self.assertRegex(vm.said(), r"path=<str>")


class Answers(LinkCase):
    def test_properties_say_how_it_is(self):
        fake = self.fake()
        vm, client, table = self.joined(fake, OWN, each=2, others=[OTHER], vectors=2)
        self.assertEqual({name: self.asked(vm, name) for name in ANSWERS - {"device"}}, {
            "link": "ready", "own-id": OWN, "peers": 1, "memory-size": 4 << 20, "rings-sent": 0, "rings-ignored": 0,
            "rings-received": 0, "messages": 7, "link-losses": 0, "bad-accesses": 0, "vectors-refused": 0})
        self.ring(vm, OTHER, 1)
        self.ring(vm, OTHER, 2)
        self.read(vm, 1, "b")
        os.write(table[OWN][0], (3).to_bytes(8, "little"))
        fake.join(client, 12, 3)
        self.until(vm, "messages", 10)
        self.until(vm, "rings-received", 3)
        client.close()
        self.until(vm, "link", "down")
        self.assertEqual({name: self.asked(vm, name) for name in ANSWERS - {"device"}}, {
            "link": "down", "own-id": OWN, "peers": 2, "memory-size": 4 << 20, "rings-sent": 1, "rings-ignored": 1,
            "rings-received": 3, "messages": 10, "link-losses": 1, "bad-accesses": 1, "vectors-refused": 1})

    def test_the_front_leads_to_the_device(self):
        vm, _, _ = self.joined(self.fake(), OWN)
        device = self.asked(vm, "device")
        self.assertEqual(device, "/machine/ivflat[0]")
        self.assertEqual(vm.find("ivflat-sysbus"), [device])
        self.assertEqual(vm.get(device, "own-id"), OWN)
        self.assertEqual(vm.get(device, "lines"), 1)

    def test_the_trees(self):
        vm, _, _ = self.joined(self.fake(), OWN)
        tree = vm.hmp("info qtree")
        at = tree.index("dev: ivflat-sysbus")
        entry = tree[at:tree.find("dev: ", at + 1)]
        for line in ('gpio-out "sysbus-irq" 1', "shmem-size = 4194304", "vectors = 64", "revision = 1",
                     f"mmio {self.board.registers:016x}/0000000000000010",
                     f"mmio {self.board.memory:016x}/0000000000400000"):
            self.assertIn(line, entry)
        tree = vm.hmp("info mtree")
        for name, start, size in (("ivflat-registers", self.board.registers, 16),
                                  ("ivflat-memory", self.board.memory, 4 << 20)):
            self.assertRegex(tree, rf"{start:016x}-{start + size - 1:016x} \(prio 0, [\w/]+\): {name}")

    def test_one_warning_where_there_is_no_interrupt(self):
        server = self.server()
        vm = self.vm(*self.joining(server.path, irq=None), qtest=True)
        self.assertEqual(self.asked(vm, "link"), "ready")
        self.assertEqual(len(re.findall("warning: .*ivflat: .*no interrupt", vm.said())), 1)


class Log(LinkCase):
    """-d guest_errors"""

    def pointless(self, vm, times):
        """What a guest does wrong, in three ways."""
        for number in range(times):
            self.read(vm, 1, "b")
            self.ring(vm, 1000 + number)
            self.ring(vm, OTHER, 70)

    def test_lines_are_limited_by_the_second(self):
        name = self.path("log")
        vm, _, _ = self.joined(self.fake(), OWN, others=[OTHER], extra=["-d", "guest_errors", "-D", name])
        began = time.monotonic()
        self.pointless(vm, 300)
        seconds = time.monotonic() - began
        with open(name) as file:
            lines = file.read().splitlines()
        self.assertTrue(all(line.startswith("ivflat: ") for line in lines), lines)
        self.assertLessEqual(len(lines), 16 * (int(seconds) + 2))
        self.assertIn("not shown", lines[15])
        # And before that, each kind says what it was.
        for words in (r"1 byte", r"\b1000\b", r"\b70\b"):
            self.assertRegex("\n".join(lines[:3]), words)

    def test_nothing_is_said_where_it_was_not_asked_for(self):
        vm, _, _ = self.joined(self.fake(), OWN, others=[OTHER])
        self.pointless(vm, 20)
        self.assertEqual(vm.said(), "")


START = ["ivshmem_flat_irq_resolved", "ivshmem_flat_shmem_size", "ivshmem_flat_proto_ver_own_id",
         "ivshmem_flat_mmio_map", "ivshmem_flat_shmem_map"]
# With one vector more than is taken.
JOIN = ["ivshmem_flat_new_peer", "ivshmem_flat_add_vector_success", "ivshmem_flat_add_vector_failure"]


class Trace(LinkCase):
    """By the names and arguments that QEMU's own device has given them; the words behind are a QEMU's own."""

    def traced(self, path, **properties):
        name = self.path("trace")
        vm = self.vm(*self.joining(path, **properties), "-trace", "ivshmem_flat_*", "-trace", "ivflat_*", "-D", name,
                     qtest=True)
        self.log, self.seen = name, 0
        return vm

    def events(self, vm):
        """[(name, what follows)] since last time."""
        vm.qmp("query-status")
        with open(self.log) as file:
            lines = file.read().splitlines()
        fresh, self.seen = lines[self.seen:], len(lines)
        return [tuple(line.partition(" ")[::2]) for line in fresh if line.startswith(("ivshmem_flat_", "ivflat_"))]

    def names(self, vm):
        return [name.partition("_")[2] if name.startswith("ivflat_") else name.replace("ivshmem_flat_", "flat:")
                for name, _ in self.events(vm)]

    def test_of_the_start(self):
        fake = self.fake()
        vm = self.traced(fake.path, vectors=1)
        fake.greet(fake.accept(), OWN, 2, self.memory(fake), others=[OTHER])
        self.until(vm, "messages", 7)
        events = self.events(vm)
        by_name = {name: text for name, text in events}
        # Peers may be announced before the regions are mapped, or after.
        self.assertEqual([name for name, _ in events if name in START], START)
        self.assertEqual([name for name, _ in events if name in JOIN], JOIN + JOIN[1:])
        self.assertIn("unnamed-gpio-in[40]", by_name["ivshmem_flat_irq_resolved"])
        self.assertRegex(by_name["ivshmem_flat_shmem_size"], r"\b4194304\b")
        self.assertRegex(by_name["ivshmem_flat_proto_ver_own_id"], rf"\b(0x)?0\b.*\b{OWN}\b")
        self.assertRegex(by_name["ivshmem_flat_mmio_map"], "0x400ff000")
        self.assertRegex(by_name["ivshmem_flat_shmem_map"], "0x40100000")
        peers = [re.findall(r"\b\d+\b", text)[-1] for name, text in events if name == "ivshmem_flat_new_peer"]
        self.assertEqual(peers, [str(OTHER)])
        self.assertEqual([text.split()[2] for name, text in events if name == "ivflat_link"], ["greeting", "ready"])
        self.assertEqual(len([1 for name, _ in events if name == "ivflat_message"]), 7)
        self.assertEqual(len([1 for name, _ in events if name == "ivflat_memory"]), 1)

    def test_of_what_the_guest_does(self):
        fake = self.fake()
        vm = self.traced(fake.path)
        client = fake.accept()
        table = fake.greet(client, OWN, 2, self.memory(fake), others=[OTHER])
        self.until(vm, "messages", 7)
        self.events(vm)
        for action, expected in (
                (lambda: self.read(vm, IVPOSITION), ["flat:read_mmr", "read"]),
                (lambda: self.read(vm, DOORBELL), ["flat:read_mmr_doorbell", "flat:read_mmr", "read"]),
                (lambda: self.read(vm, 3, "b"), ["flat:read_write_mmr_invalid", "bad_access"]),
                (lambda: self.write(vm, 2, 0, "w"), ["flat:read_write_mmr_invalid", "bad_access"]),
                (lambda: self.write(vm, INTRSTATUS, 1), ["flat:write_mmr", "write"]),
                (lambda: self.ring(vm, OTHER, 1), ["flat:write_mmr", "write", "flat:interrupt_peer"]),
                (lambda: self.ring(vm, 1000, 1), ["flat:write_mmr", "write", "flat:interrupt_peer",
                                                 "flat:interrupt_invalid_peer"]),
                (lambda: self.ring(vm, OTHER, 2), ["flat:write_mmr", "write", "flat:interrupt_peer", "ring_no_vector"]),
                (lambda: vm.qmp("system_reset") or vm.event("RESET"), ["reset"])):
            action()
            names = self.names(vm)
            if "bad_access" in expected:
                # Of a store it may also be said that it is one.
                names = [name for name in names if name not in ("write", "flat:write_mmr")]
            self.assertEqual(sorted(names), sorted(expected))
        self.assertEqual(count(table[OTHER][1]), 1)
        os.write(table[OWN][1], (1).to_bytes(8, "little"))
        self.until(vm, "rings-received", 1)
        self.assertEqual(self.names(vm), ["flat:irq_handler", "interrupt"])
        client.send(OTHER)
        self.until(vm, "peers", 0)
        self.assertEqual(self.names(vm), ["message", "peer_left"])
        client.close()
        self.until(vm, "link", "down")
        self.assertEqual(self.names(vm), ["link"])

    def test_the_arguments_of_what_the_guest_does(self):
        fake = self.fake()
        vm = self.traced(fake.path)
        table = fake.greet(fake.accept(), OWN, 2, self.memory(fake), others=[OTHER])
        self.until(vm, "messages", 7)
        self.events(vm)
        self.ring(vm, 1000, 1)
        self.ring(vm, OTHER, 1)
        self.read(vm, 7, "b")
        os.write(table[OWN][1], (1).to_bytes(8, "little"))
        self.until(vm, "rings-received", 1)
        found = dict(self.events(vm))
        for name, numbers in (("interrupt_peer", [OTHER, 1]), ("interrupt_invalid_peer", [1000]), ("irq_handler", [1]),
                              ("write_mmr", [12]), ("read_write_mmr_invalid", [7])):
            text = found["ivshmem_flat_" + name]
            self.assertEqual([int(word, 0) for word in re.findall(r"\b(?:0x[0-9a-f]+|\d+)\b", text)], numbers, text)


class Fronts(LinkCase):
    def test_two_devices_are_children_of_the_machine(self):
        server = self.server()
        vm = self.vm(*self.device(path=server.path, id="front"),
                     *self.device(path=server.path, id="other", registers="0x400ff010", memory="0x40500000", irq=41))
        self.assertEqual(sorted(vm.find("ivflat-sysbus")), ["/machine/ivflat[0]", "/machine/ivflat[1]"])
        self.assertEqual(vm.get("/machine/peripheral/other", "device"), "/machine/ivflat[1]")
        self.assertEqual(vm.get(FRONT, "device"), "/machine/ivflat[0]")
