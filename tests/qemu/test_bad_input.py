# SPDX-License-Identifier: BSD-3-Clause
"""Command lines that QEMU refuses: status 1, and a sentence with the property, its value and what would be right."""
import os
import re
import socket

from harness.boards import Board
from link_case import FRONT, LinkCase

EIB = 1 << 60

# A board without any interrupt controller, one with two, and its sister with one.
NONE = Board("none", registers=0x10000000, memory=0x20000000, irq=5, controller=None)
AN521 = Board("mps2-an521", registers=0x47000000, memory=0x48000000, irq=100, controller="armv7m_nvic")
AN505 = Board("mps2-an505", registers=0x47000000, memory=0x48000000, irq=100, controller="armv7m_nvic")


class Table(LinkCase):
    def check(self, rows, board=None, **common):
        """@rows: ({property: value}, what the sentence has in it); what is right otherwise is given."""
        server = self.server()
        for given, expected in rows:
            with self.subTest(**given):
                properties = {"path": server.path, **common, **given}
                said = self.refusal(*self.device(board=board, **properties), board=board)
                self.assertRegex(said, expected)


class Places(Table):
    """registers= and memory=."""

    def test_what_is_missing(self):
        self.check([({"registers": None}, r"registers= is missing"), ({"memory": None}, r"memory= is missing")])

    def test_misaligned(self):
        self.check([({"registers": "0x400ff004"}, r"registers=0x400ff004: .* multiple of 0x10\b"),
                    ({"registers": "1"}, r"registers=0x1: .* multiple of 0x10\b"),
                    ({"memory": "0x40100800"}, r"memory=0x40100800: .* multiple of 0x1000\b"),
                    ({"memory": "0x40100001"}, r"memory=0x40100001: .* multiple of 0x1000\b")])

    def test_over_something_else_from_the_first_byte_to_the_last(self):
        self.check([({"registers": "0x100"}, r"registers=0x100: .*overlap .*flash.* at 0x100\b.*info mtree"),
                    ({"registers": "0x4000c000"}, r"registers=0x4000c000: .*overlap .*0x4000c000\b"),
                    ({"memory": "0x20000000"}, r"memory=0x20000000: .*overlap .*sram.* at 0x20000000"),
                    # Its last page only.
                    ({"memory": "0x1fc01000"}, r"memory=0x1fc01000: .*overlap .*sram.* at 0x20000000"),
                    ({"memory": "0x20000000", "shmem_size": 0}, r"memory=0x20000000: .*overlap .*sram")])

    def test_over_something_behind_what_qemu_lacks(self):
        """Stand-ins for missing hardware are in nobody's way, but what comes after them is."""
        self.check([({"memory": "0x400fc000"}, r"memory=0x400fc000: .*overlap .*ssys.* at 0x400fe000")])

    def test_over_what_qemu_lacks(self):
        server = self.server()
        self.peer(server)
        vm = self.vm(*self.device(path=server.path, registers="0x400fc010", id="front"), qtest=True)
        self.assertEqual(vm.qtest.readl(0x400fc018), 1)

    def test_memory_over_registers(self):
        self.check([({"registers": "0x40200000"}, r"memory=0x40100000: .*overlap .*registers.* at 0x40200000"),
                    ({"registers": "0x404ffff0"}, r"memory=0x40100000: .*overlap .*registers.* at 0x404ffff0"),
                    ({"registers": "0x40100000"}, r"memory=0x40100000: .*overlap .*registers.* at 0x40100000"),
                    # Found when the server has said how much memory it has.
                    ({"registers": "0x40200000", "shmem_size": 0}, r"memory=0x40100000: .*overlap .*registers")])

    def test_beyond_what_the_cpu_can_address(self):
        self.check([({"registers": "0x100000000"}, r"registers=0x100000000: .*beyond 0xffffffff\b"),
                    ({"registers": "0xfffffffffffffff0"}, r"registers=0xfffffffffffffff0: .*beyond 0xffffffff\b"),
                    ({"memory": "0xffe00000"}, r"memory=0xffe00000: .*beyond 0xffffffff\b"),
                    ({"memory": "0xffe00000", "shmem_size": 0}, r"memory=0xffe00000: .*beyond 0xffffffff\b"),
                    ({"memory": "0xfffffffffffff000"}, r"memory=0xfffffffffffff000: .*beyond 0xffffffff\b")])

    def test_beyond_what_another_cpu_can_address(self):
        """A Cortex-A15 has 40 bits, and one without a wide MMU 32."""
        virt = Board("virt", registers=0x0b000000, memory=0x0b100000, irq=180, controller="arm_gic")
        self.check([({"memory": hex(1 << 40)}, r"memory=0x10000000000: .*beyond 0xffffffffff\b"),
                    ({"registers": hex(1 << 63)}, r"registers=0x8000000000000000: .*beyond 0xffffffffff\b"),
                    ({"memory": hex((1 << 64) - 4096)}, r"memory=0xfffffffffffff000: .*beyond")], board=virt)

    def test_where_the_cpu_sees_something_of_its_own(self):
        """Bit-band aliases and the private peripheral bus."""
        self.check([({"memory": "0x22000000"}, r"memory=0x22000000: .*overlap .*bitband"),
                    ({"memory": "0x42000000"}, r"memory=0x42000000: .*overlap .*bitband"),
                    ({"memory": "0x41e00000"}, r"memory=0x41e00000: .*overlap .*bitband.* at 0x42000000"),
                    ({"registers": "0xe000e000"}, r"registers=0xe000e000: .*overlap .*"),
                    ({"registers": "0xe0000000"}, r"registers=0xe0000000: .*overlap .*"),
                    ({"memory": "0xdfe00000"}, r"memory=0xdfe00000: .*overlap .* at 0xe0000000")])

    def test_no_number(self):
        self.check([({"registers": "here"}, r"registers.* expects (integer|uint64)"),
                    ({"memory": ""}, r"memory.* expects (integer|uint64)"),
                    ({"memory": "0x1_0000"}, r"memory.* expects (integer|uint64)"),
                    ({"registers": "0x10000000000000000"}, r"registers")])


class Lines(Table):
    """irq= and irqs=."""

    def test_no_line_of_the_controllers(self):
        self.check([({"irq": 4711}, r"irq=4711: line 4711 is out of range.* 0 to \d+"),
                    ({"irq": 4294967295}, r"irq=4294967295: .*out of range.* 0 to \d+"),
                    ({"irq": 4294967336}, r"irq=4294967336: .*out of range.* 0 to \d+"),
                    ({"irq": None, "irqs": "40:4711"}, r"irqs?=.*4711: line 4711 is out of range.* 0 to \d+")])

    def test_the_highest_line_is_one_below_the_first_refused(self):
        said = self.refusal(*self.device(path=self.path("nobody"), irq=4711))
        last = int(re.search(r" 0 to (\d+)", said)[1])
        self.assertIn("out of range", self.refusal(*self.device(path=self.path("nobody"), irq=last + 1)))
        server = self.server()
        vm = self.vm(*self.device(path=server.path, irq=last, id="front"))
        self.assertEqual(self.asked(vm, "link"), "ready")

    def test_a_line_that_something_drives(self):
        """UART 0."""
        self.check([({"irq": 5}, r"irq=5: .*driven by /machine/\S+"),
                    ({"irq": None, "irqs": "40:5"}, r"5: .*driven by /machine/\S+")])

    def test_what_is_no_number_and_no_path(self):
        self.check([({"irq": "40x"}, r"irq=40x: .*neither a number nor a QOM path"),
                    ({"irq": "-1"}, r"irq=-1: .*neither a number nor a QOM path"),
                    ({"irq": ""}, r"irq=: "),
                    ({"irq": " 40"}, r"irq= 40: "),
                    ({"irq": "40-41"}, r"irq=40-41: .*irqs="),
                    ({"irq": "/machine/nothing"}, r"irq=/machine/nothing: .*info qom-tree")])

    def test_a_path_that_is_no_interrupt_input(self):
        self.check([({"irq": "/machine"}, r"irq=/machine: .*lm3s6965evb-machine.*no interrupt input"),
                    ({"irq": "/machine/peripheral"}, r"irq=/machine/peripheral: .*no interrupt input")])

    def test_a_path_that_may_be_several(self):
        self.check([({"irq": "unnamed-gpio-in[0]"}, r"irq=unnamed-gpio-in\[0\]: several .*/machine")])

    def test_lists(self):
        self.check([({"irqs": "40:40"}, r"irqs=40:40: .*40 .*twice|irqs=.*40.*twice"),
                    ({"irqs": "43-40"}, r"irqs=.*43-40.* range"),
                    ({"irqs": "0-100"}, r"irqs=.*0-100.* range .*64"),
                    ({"irqs": "40-"}, r"irqs=.*40-"),
                    ({"irqs": "40-41-42"}, r"irqs=.*40-41-42"),
                    ({"irqs": ""}, r"irqs=: a line is missing"),
                    ({"irqs": "40:"}, r"irqs=: a line is missing"),
                    ({"irqs": ":40"}, r"irqs=: a line is missing"),
                    ({"irqs": "40:x"}, r"irqs=.*x.*neither a number nor a QOM path")], irq=None)

    def test_irq_and_irqs(self):
        self.check([({"irq": 40, "irqs": "40"}, r"irq=40 and irqs=40 are both given")])

    def test_a_board_with_several_controllers(self):
        self.check([({}, r"irq=100: .*several interrupt controllers.* path .*info qom-tree"),
                    ({"irq": None, "irqs": "100-103"}, r"100: .*several interrupt controllers")], board=AN521)

    def test_a_board_with_several_controllers_takes_a_path(self):
        machine = self.vm(board=AN521)
        first = self.first(machine, "armv7m")
        server = self.server()
        vm = self.vm(*self.device(AN521, path=server.path, irq=f"{first}/unnamed-gpio-in[100]", id="front"),
                     board=AN521)
        self.assertEqual(self.asked(vm, "link"), "ready")

    def test_a_board_with_one_controller_of_such_a_kind(self):
        """A Cortex-M33 with secure and non-secure views."""
        server = self.server(name="right")
        vm = self.vm(*self.device(AN505, path=server.path, id="front"), board=AN505)
        self.assertEqual(self.asked(vm, "link"), "ready")
        self.check([({"irq": 4711}, r"irq=4711: line 4711 is out of range.* 0 to \d+"),
                    ({"memory": "0xe0000000"}, r"memory=0xe0000000: .*overlap")], board=AN505)

    def test_a_board_without_a_controller(self):
        self.check([({}, r"irq=5: this machine has no NVIC and no GIC")], board=NONE)


class Links(Table):
    """path=, chardev= and the numbers."""

    def test_neither_and_both(self):
        self.check([({"path": None}, r"path= or chardev= is missing")])
        said = self.refusal("-chardev", "null,id=c", *self.device(path="/x", chardev="c"))
        self.assertRegex(said, r"path=/x and chardev=c are both given")

    def test_numbers_out_of_range(self):
        self.check([({"connect-timeout-ms": 0}, r"connect-timeout-ms=0: 1 to"),
                    ({"connect-timeout-ms": 1 << 31}, r"connect-timeout-ms=2147483648: 1 to"),
                    ({"revision": 2}, r"revision=2: .*0 and 1"), ({"revision": 4294967295}, r"revision=4294967295: "),
                    ({"vectors": 0}, r"vectors=0: 1 to 65536"), ({"vectors": 65537}, r"vectors=65537: 1 to 65536"),
                    ({"vectors": -1}, r"vectors"), ({"reconnect_ms": "soon"}, r"reconnect-ms"),
                    ({"require_sealed": "maybe"}, r"require-sealed"),
                    ({"nonsense": 1}, r"nonsense")])

    def test_revision_0_has_one_line(self):
        self.check([({"revision": 0, "irq": None, "irqs": "40-41"}, r"revision=0.*one line|one line.*revision=0")])

    def test_sizes_that_cannot_be(self):
        self.check([({"shmem_size": 4097}, r"shmem-size=4097: .*page of 4096"),
                    ({"shmem_size": 1}, r"shmem-size=1: .*page of 4096"),
                    ({"shmem_size": EIB}, r"(shmem-size=|memory=0x40100000: 0x)1000000000000000|"
                                          rf"shmem-size={EIB}"),
                    ({"shmem_size": 16 * EIB - 4096}, r"shmem-size=|memory="),
                    ({"shmem_size": "huge"}, r"shmem-size")])

    def test_more_memory_than_there_is_address_space(self):
        virt = Board("virt", registers=0x0b000000, memory=1 << 34, irq=180, controller="arm_gic")
        self.check([({"shmem_size": EIB}, r"memory=|shmem-size="),
                    ({"shmem_size": 16 * EIB - 4096}, r"memory=|shmem-size=")], board=virt)

    def test_another_size_than_the_servers(self):
        server = self.server("2", size="1M", name="small")
        for arguments in (self.device(path=server.path),
                          ["-chardev", f"socket,id=c,path={server.path}", *self.device(chardev="c")]):
            said = self.refusal(*arguments)
            self.assertRegex(said, r"\b1048576\b")
            self.assertRegex(said, r"\b4194304\b")

    def test_memory_that_a_peer_could_shrink_where_that_is_refused(self):
        name = f"ivflat-test-{os.getpid()}"
        server = self.server(name="named", options=("-M", name))
        try:
            self.check([({"path": server.path, "require_sealed": "on"}, r"seal")])
        finally:
            server.end()

    def test_paths(self):
        with open(self.path("file"), "w"):
            pass
        os.mkdir(self.path("folder"))
        gone = socket.socket(socket.AF_UNIX)
        gone.bind(self.path("gone"))
        gone.close()
        nobody = self.path("nobody")
        self.check([({"path": nobody}, re.escape(nobody)),
                    ({"path": self.path("gone")}, re.escape(self.path("gone"))),
                    ({"path": self.path("file")}, re.escape(self.path("file"))),
                    ({"path": self.path("folder")}, re.escape(self.path("folder"))),
                    ({"path": "/" + 200 * "x"}, r"x{20}.*\b107\b|\b107\b.*x{20}|path.*\b107\b"),
                    ({"path": ""}, r"(?i)path")])

    def test_a_path_where_somebody_listens_for_something_else(self):
        """Datagrams."""
        path = self.path("datagrams")
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
            other.bind(path)
            self.check([({"path": path}, re.escape(path))])


class Chardevs(LinkCase):
    def check(self, chardev, expected, **properties):
        said = self.refusal("-chardev", chardev, *self.device(chardev="c", **properties))
        self.assertRegex(said, expected)

    def test_kinds_that_pass_no_descriptors(self):
        for chardev, kind in (("null,id=c", "null"), ("pty,id=c", "pty"), ("ringbuf,id=c", "ringbuf"),
                              (f"file,id=c,path={self.path('file')}", "file"),
                              ("udp,id=c,host=127.0.0.1,port=1", "udp")):
            with self.subTest(kind):
                vm = self.vm("-chardev", chardev, *self.device(chardev="c"))
                self.assertEqual(vm.wait(), 1, vm.said())
                lines = [line for line in vm.said().splitlines() if not line.startswith("char device redirected")]
                self.assertRegex(lines[0], rf": chardev=c: is a chardev-{kind}, which passes no descriptors")
                self.assertRegex(lines[1], "-chardev socket")
                self.assertEqual(len(lines), 2)

    def test_a_socket_that_others_share_or_that_is_no_plain_one(self):
        server = self.server()
        for option, expected in (("mux=on", r"chardev=c: is a chardev-mux, which passes no descriptors"),
                                 ("telnet=on", r"chardev=c: .*telnet")):
            with self.subTest(option):
                self.check(f"socket,id=c,path={server.path},{option}", expected)

    def test_a_chardev_that_is_not_there(self):
        said = self.refusal(*self.device(chardev="nobody"))
        self.assertRegex(said, "nobody")

    def test_one_that_listens(self):
        self.check(f"socket,id=c,path={self.path('own')},server=on,wait=off", r"chardev=c: .*server=on")

    def test_tcp(self):
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", 0))
            listener.listen()
            self.check(f"socket,id=c,host=127.0.0.1,port={listener.getsockname()[1]}", r"chardev=c: .*UNIX socket")

    def test_reconnecting_is_the_chardevs(self):
        server = self.server()
        self.check(f"socket,id=c,path={server.path}", r"reconnect-ms=5: .*path=", reconnect_ms=5)

    def test_the_servers_size_of_a_server_that_is_not_there(self):
        again = {"7.2": "reconnect=1", "10.0": "reconnect-ms=20"}[self.build]
        self.check(f"socket,id=c,path={self.path('nobody')},{again}", r"chardev=c: .*not connected yet.*shmem-size=0",
                   shmem_size=0)


class Two(LinkCase):
    """The second of two devices that take the same."""

    def check(self, expected, extra=(), first=None, **second):
        server = self.server()
        first = {"path": server.path, **(first or {})}
        second = {"registers": "0x400ff010", "memory": "0x40800000", "irq": 41, "path": server.path, **second}
        vm = self.vm(*extra, *self.device(**first), *self.device(**second))
        self.assertEqual(vm.wait(), 1, vm.said())
        self.assertRegex(self.complaint(vm), expected)

    def test_the_same_registers(self):
        self.check(r"registers=0x400ff000: .*overlap 'ivflat-registers' at 0x400ff000", registers="0x400ff000")

    def test_the_same_memory(self):
        self.check(r"memory=0x40300000: .*overlap 'ivflat-memory' at 0x40300000", memory="0x40300000")

    def test_the_same_line(self):
        self.check(r"irq=40: .*driven by /machine/ivflat", irq=40)

    def test_the_same_line_by_a_list(self):
        self.check(r"40: .*driven by /machine/ivflat", irq=None, irqs="41:40")

    def test_the_same_chardev(self):
        path = self.path("server")
        self.check(r"(?i)\bc\b.*in use|in use.*\bc\b", extra=("-chardev", f"socket,id=c,path={path}"),
                   first={"path": None, "chardev": "c"}, path=None, chardev="c")

    def test_the_same_name(self):
        self.check(r"(?i)'?twin'?", first={"id": "twin"}, id="twin")


class Types(LinkCase):
    def test_the_boards_device_is_not_the_users(self):
        """QEMU's own sentence, and no crash."""
        for name in ("ivflat-sysbus", "ivshmem-flat"):
            with self.subTest(name):
                self.assertRegex(self.refusal("-device", name), "'driver' expects a pluggable device type")


class Monitor(LinkCase):
    """The same questions by QMP, to a machine that runs: an answer, and the machine goes on."""

    def test_what_cannot_be_set_or_made(self):
        server = self.server()
        vm = self.vm(*self.device(path=server.path, id="front"), qtest=True)
        for command, arguments, expected in (
                ("device_add", {"driver": "ivflat", "path": server.path, "registers": 0x400ff010,
                                "memory": 0x40800000}, r"hotplug|pluggable"),
                ("device_add", {"driver": "ivflat-sysbus", "path": server.path}, r"pluggable device type"),
                ("object-add", {"qom-type": "ivflat", "id": "x"}, r"ivflat"),
                ("device_del", {"id": "front"}, r"front|ivflat|hotplug"),
                ("qom-set", {"path": FRONT, "property": "path", "value": "/x"}, r"path.*realize"),
                ("qom-set", {"path": FRONT, "property": "registers", "value": 0}, r"registers.*realize"),
                ("qom-set", {"path": FRONT, "property": "irq", "value": "7"}, r"irq.*realize"),
                ("qom-set", {"path": FRONT, "property": "shmem-size", "value": 4096}, r"shmem-size.*realize"),
                ("qom-set", {"path": FRONT, "property": "link", "value": "down"}, r"(?i)link.*(writable|write|permi)|"
                                                                                 r"not writable|read-only"),
                ("qom-set", {"path": FRONT, "property": "own-id", "value": 1}, r"own-id|permission|writable"),
                ("qom-get", {"path": FRONT, "property": "nothing"}, r"nothing")):
            with self.subTest(command, **arguments):
                self.assertRegex(vm.refusal(command, **arguments), expected)
                self.assertEqual(self.asked(vm, "link"), "ready")
        self.assertEqual(len(vm.find("ivflat-sysbus")), 1)
