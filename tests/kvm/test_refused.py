#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""What cannot be is said in one sentence, and what is left is done; and the demonstration with two machines."""
import os
import signal
import unittest

from case import Case, Exits, main
from harness import fds
from harness.fake import FakeServer
from harness.process import Process
from worker import RING, doorbell

NOBODY = ["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups"]
CAP_IRQCHIP, CAP_IRQFD, CAP_IOEVENTFD = 0, 32, 36
LARGEST = 0x40000
PATIENT = 100  # seconds: where KVM follows instruction by instruction it takes some of them


class Refused(Case):
    def image(self, size, name="image"):
        path = self.folder / name
        path.write_bytes(bytes(size))
        return path

    def sentence(self, *words, **options):
        """The one line that it says."""
        text = self.refused(*words, **options)
        self.assertEqual(len(text.splitlines()), 1, text)
        self.assertTrue(text.startswith("ivflat-kvm: "), text)
        return text

    def test_an_image_that_is_no_image(self):
        for path, why in ((self.folder / "none", "cannot be read: No such file"),
                          (self.folder, "cannot be read: Is a directory"),
                          (self.image(0, "empty"), "has 0 bytes"),
                          (self.image(5000, "odd"), "has 5000 bytes: a guest's image has a multiple of 4096"),
                          (self.image(LARGEST + 1, "large"), f"too large: {LARGEST} bytes are the most"),
                          ("/dev/zero", "too large")):
            with self.subTest(path=path, why=why):
                text = self.sentence("/nowhere", path, status=2)
                self.assertIn(str(path), text)
                self.assertIn(why, text)

    def test_an_image_of_the_largest_size_is_none_too_large(self):
        machine = self.machine(self.server(), image=self.image(LARGEST))
        self.assertEqual(machine.linked(), 0)

    def test_no_server(self):
        text = self.refused(self.folder / "none", self.image(4096), status=1)
        self.assertIn(str(self.folder / "none"), text)
        self.assertLessEqual(len(text.splitlines()), 2, text)

    def test_a_memory_that_has_no_place(self):
        fake = FakeServer(str(self.folder / "fake"))
        self.addCleanup(fake.close)
        process = Process([self.build / "examples/kvm/ivflat-kvm", fake.path, self.image(4096)])
        self.addCleanup(process.close)
        fake.greet(fake.accept(), vectors=0, shared=fake.memory(5000))
        process.lines.until("5000 bytes of shared memory have no place at 0xd0100000: a multiple of 4096 has")
        self.assertEqual(process.wait(), 1)

    def test_no_kvm_at_all(self):
        text = self.sentence("/nowhere", self.image(4096), env=self.preloaded(KVM_ABSENT=1), status=77)
        self.assertIn("there is no KVM here (/dev/kvm: No such file or directory)", text)

    def test_no_permission(self):
        if os.geteuid() != 0 or os.stat("/dev/kvm").st_mode & 0o006:
            raise unittest.SkipTest("everybody may use /dev/kvm here")
        self.folder.chmod(0o777)
        # Where coverage is counted, nobody may not write to the build.
        text = self.sentence("/nowhere", self.image(4096), before=NOBODY, status=1, env={"GCOV_PREFIX": str(self.folder)})
        self.assertIn("no permission for /dev/kvm", text)

    def test_a_kvm_that_lacks_what_is_needed(self):
        text = self.sentence("/nowhere", self.image(4096), env=self.preloaded(KVM_WITHOUT=f"{CAP_IRQCHIP},"), status=1)
        self.assertIn("this kernel's KVM cannot give a guest an interrupt controller", text)

    def test_without_ioeventfd_or_irqfd_it_goes_the_ordinary_way(self):
        for lacking, said, bound in ((CAP_IOEVENTFD, "has no ioeventfd", (0, 2)), (CAP_IRQFD, "has no irqfd", (4, 0))):
            with self.subTest(said=said):
                server = self.server()
                host = self.peer(server)
                machine = self.machine(server, env=self.preloaded(KVM_WITHOUT=f"{lacking},"))
                machine.lines.until("warning: this kernel's KVM " + said)
                guest = self.worker(machine, host)
                guest.does(RING, doorbell(host.id, 1), 100)
                self.assertEqual(host.rung(1), 100)
                exits = machine.end()
                self.assertEqual((exits.bound, exits.interrupts), bound)
                self.assertEqual(exits.doorbells >= 100, lacking == CAP_IOEVENTFD)

    def test_a_pipe_goes_the_ordinary_way_without_a_word(self):
        fake = FakeServer(str(self.folder / "fake"))
        self.addCleanup(fake.close)
        machine = self.machine(fake)
        client = fake.accept()
        fake.greet(client, own=1)
        pipe = os.pipe()
        client.send(7, pipe[1])
        for fd in pipe:
            os.close(fd)
        machine.knows(7, 1)
        self.assertEqual(machine.end().bound, 1)
        self.assertNotIn("warning", machine.process.said())

    def test_a_guest_that_cannot_go_on(self):
        wild = bytearray(4096)
        wild[-16:] = b"\x0f\x0b" + bytes(14)  # ud2, with no table of interrupts
        (self.folder / "wild").write_bytes(wild)
        for cpus in ("1", "2"):
            machine = self.machine(self.server(), "--cpus", cpus, image=self.folder / "wild")
            self.assertEqual(machine.process.wait(), 3)
            self.assertRegex(machine.lines.rest(), "the guest's processor . (has reset itself|did what KVM cannot)")

    def test_the_command_line(self):
        for words, said in (((), "usage: ivflat-kvm"), (("socket",), "usage"), (("a", "b", "c"), "usage"),
                            (("--wrong", "a", "b"), "usage"), (("--cpus", "0", "a", "b"), "a number from 1 to 8"),
                            (("--cpus", "9", "a", "b"), "from 1 to 8"), (("--cpus", "1x", "a", "b"), "from 1 to 8"),
                            (("--cpus", "", "a", "b"), "from 1 to 8")):
            with self.subTest(words=words):
                self.assertIn(said, self.refused(*words, status=2))
        self.assertIn("usage", self.refused("--help", status=0))

    def test_the_demonstration(self):
        server = self.server()
        host = Process([self.build / "examples/host-peer", "--time", PATIENT, server.path])
        self.addCleanup(host.close)
        machines = [self.machine(server, image="examples/kvm/demo-kvm.bin") for _ in range(2)]
        self.assertEqual(host.wait(PATIENT + 20), 0, host.said())
        for machine in machines:
            before = fds.count(machine.pid)
            self.assertGreater(sum(before.values()), 0)
            machine.process.kill(signal.SIGTERM)
            text = machine.lines.rest()
            self.assertRegex(text, r"peer \d: sent 2000, received 2000, bad 0, interrupts [1-9]")
            self.assertGreater(Exits(text).console, 0)


if __name__ == "__main__":
    main()
