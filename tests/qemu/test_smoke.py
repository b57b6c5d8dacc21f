# SPDX-License-Identifier: BSD-3-Clause
"""On every board and in every build: the device is there, joins a real server, and answers."""
from harness.case import Case

IVPOSITION = 8


class Realize(Case):
    builds = ("7.2", "10.0", "asan")
    boards = ("lm3s6965evb", "mps2-an385", "virt")

    def test_the_link_is_ready_by_the_time_the_machine_is(self):
        server = self.server(vectors=2)
        vm = self.vm(*self.device(path=server.path, id="front"))
        self.assertEqual(vm.get("/machine/peripheral/front", "link"), "ready")

    def test_the_registers_give_the_id(self):
        server = self.server()
        self.peer(server)
        vm = self.vm(*self.device(path=server.path, id="front"), qtest=True)
        number = vm.get("/machine/peripheral/front", "own-id")
        self.assertNotEqual(number, -1)
        self.assertEqual(vm.qtest.readl(self.board.registers + IVPOSITION), number)
