# SPDX-License-Identifier: BSD-3-Clause
"""The library as a program in another language sees it: struct layouts, hooks and descriptors by ctypes alone.

A device is greeted by hand (way 2), a guest's accesses go in, interrupts come out, and what is wrong gets its number.

usage: abi.py LIBRARY
"""

import ctypes
import os
import sys
import unittest
from ctypes import CFUNCTYPE, POINTER, byref, c_char_p, c_int32, c_uint32, c_uint64, c_void_p

INVALID, BUSY, PROTOCOL, MEMORY = -1, -2, -4, -6
DOWN, GREETING, READY = 0, 1, 2
IVPOSITION, DOORBELL = 8, 12
SIZE = 4096


class Config(ctypes.Structure):
    """ivflat_config."""
    _fields_ = [('struct_size', c_uint32), ('max_vectors', c_uint32), ('memory_size', c_uint64),
                ('no_interrupts', c_uint32), ('revision0', c_uint32), ('no_mapping', c_uint32),
                ('require_sealed', c_uint32), ('greeting_timeout_ms', c_uint32), ('reconnect_ms', c_uint32),
                ('trusted_peers', c_uint32), ('reserved', c_uint32)]


INTERRUPT = CFUNCTYPE(None, c_void_p, c_uint32, c_uint64)
LINE = CFUNCTYPE(None, c_void_p, c_uint32)
MEMORY_ATTACHED = CFUNCTYPE(c_int32, c_void_p, c_int32, c_uint64)
LINK_CHANGED = CFUNCTYPE(None, c_void_p, c_uint32, c_int32)
PEER_CHANGED = CFUNCTYPE(None, c_void_p, c_uint32, c_uint32)
ADDED = CFUNCTYPE(c_int32, c_void_p, c_uint32, c_int32)
REMOVED = CFUNCTYPE(None, c_void_p, c_uint32, c_int32)
GUEST_ERROR = CFUNCTYPE(None, c_void_p, c_char_p)
LOG = CFUNCTYPE(None, c_void_p, c_uint32, c_char_p)
TRACE = CFUNCTYPE(None, c_void_p, c_uint32, c_uint64, c_uint64, c_uint64)


class Hooks(ctypes.Structure):
    """ivflat_hooks."""
    _fields_ = [('struct_size', c_uint32), ('reserved', c_uint32), ('user', c_void_p), ('interrupt', INTERRUPT),
                ('line', LINE), ('memory_attached', MEMORY_ATTACHED), ('link_changed', LINK_CHANGED),
                ('peer_changed', PEER_CHANGED), ('vector_added', ADDED), ('vector_removed', REMOVED),
                ('doorbell_added', ADDED), ('doorbell_removed', REMOVED), ('guest_error', GUEST_ERROR), ('log', LOG),
                ('trace', TRACE)]


def load(path):
    """The functions used here, with what they take and give written out."""
    library = ctypes.CDLL(path)
    device = c_void_p
    for name, result, *arguments in (
            ('device_new', c_int32, POINTER(device), POINTER(Config), POINTER(Hooks)),
            ('device_free', None, device),
            ('device_begin', c_int32, device),
            ('device_wants', c_uint32, device),
            ('device_feed', c_int32, device, c_char_p, c_uint32, POINTER(c_int32), c_uint32),
            ('device_end', None, device),
            ('device_get_fd', c_int32, device),
            ('device_wait', c_int32, device, c_int32),
            ('device_dispatch', c_int32, device),
            ('device_read', c_uint32, device, c_uint64, c_uint32),
            ('device_write', None, device, c_uint64, c_uint32, c_uint64),
            ('device_link', c_uint32, device),
            ('device_id', c_int32, device),
            ('device_memory', c_void_p, device),
            ('device_memory_size', c_uint64, device),
            ('device_peer_vectors', c_uint32, device, c_uint32),
            ('device_next_peer', c_int32, device, c_int32),
            ('device_counter', c_uint64, device, c_uint32),
            ('device_get_state', None, device, POINTER(c_uint32), POINTER(c_uint32)),
            ('last_error', c_char_p),
            ('strerror', c_char_p, c_int32),
            ('trace_name', c_char_p, c_uint32),
            ('version', c_uint32)):
        function = getattr(library, 'ivflat_' + name)
        function.restype, function.argtypes = result, arguments
    return library


def message(number):
    return number.to_bytes(8, 'little', signed=True)



class Device(unittest.TestCase):
    """One device, greeted as id 7 beside peer 3."""

    def setUp(self):
        self.before = len(os.listdir('/proc/self/fd'))
        self.told = []
        self.config = Config(struct_size=ctypes.sizeof(Config), memory_size=SIZE)
        self.hooks = Hooks(struct_size=ctypes.sizeof(Hooks), user=0x1234)
        self.hooks.interrupt = INTERRUPT(lambda user, vector, count: self.told.append(('interrupt', user, vector, count)))
        self.hooks.link_changed = LINK_CHANGED(lambda user, link, error: self.told.append(('link', user, link, error)))
        self.hooks.peer_changed = PEER_CHANGED(lambda user, peer, count: self.told.append(('peer', user, peer, count)))
        self.hooks.memory_attached = MEMORY_ATTACHED(self.memory_attached)
        self.refuse = 0
        self.keep = []  # the other ends of what was given
        self.dev = c_void_p()

    def tearDown(self):
        ivf.ivflat_device_free(self.dev)
        for descriptor in self.keep:
            os.close(descriptor)
        self.assertEqual(len(os.listdir('/proc/self/fd')), self.before, 'descriptors left open')

    def memory_attached(self, user, descriptor, size):
        self.told.append(('memory', user, os.fstat(descriptor).st_size, size))
        return self.refuse

    def new(self):
        return ivf.ivflat_device_new(byref(self.dev), byref(self.config), byref(self.hooks))

    def feed(self, number, descriptor=None):
        given = (c_int32 * 1)(descriptor) if descriptor is not None else None
        return ivf.ivflat_device_feed(self.dev, message(number), 8, given, 1 if given else 0)

    def eventfd(self):
        descriptor = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self.keep.append(os.dup(descriptor))
        return descriptor

    def memory(self, size=SIZE):
        descriptor = os.memfd_create('abi')
        os.ftruncate(descriptor, size)
        self.keep.append(os.dup(descriptor))
        return descriptor

    def greet(self):
        self.assertEqual(self.new(), 0)
        self.assertEqual(ivf.ivflat_device_begin(self.dev), 0)
        self.assertEqual([self.feed(0), self.feed(7), self.feed(-1, self.memory())], [0, 0, 0])
        self.told.clear()

    def test_layouts(self):
        self.assertEqual((ctypes.sizeof(Config), Config.memory_size.offset, Config.reserved.offset), (48, 8, 44))
        self.assertEqual((ctypes.sizeof(Hooks), Hooks.user.offset, Hooks.trace.offset), (112, 8, 104))

    def test_greeting(self):
        self.assertEqual(self.new(), 0)
        self.assertEqual((ivf.ivflat_device_link(self.dev), ivf.ivflat_device_id(self.dev)), (DOWN, -1))
        self.assertEqual(ivf.ivflat_device_wants(self.dev), 0)
        self.assertEqual(ivf.ivflat_device_begin(self.dev), 0)
        self.assertEqual(ivf.ivflat_device_wants(self.dev), 8)
        self.assertEqual(ivf.ivflat_device_feed(self.dev, message(0)[:3], 3, None, 0), 0)
        self.assertEqual(ivf.ivflat_device_wants(self.dev), 5)
        self.assertEqual(ivf.ivflat_device_feed(self.dev, message(0)[3:], 5, None, 0), 0)
        self.assertEqual([self.feed(7), self.feed(-1, self.memory())], [0, 0])
        self.assertEqual(self.told, [('link', 0x1234, GREETING, 0), ('memory', 0x1234, SIZE, SIZE),
                                     ('link', 0x1234, READY, 0)])
        self.assertEqual((ivf.ivflat_device_link(self.dev), ivf.ivflat_device_id(self.dev)), (READY, 7))

    def test_memory_is_shared(self):
        self.greet()
        self.assertEqual(ivf.ivflat_device_memory_size(self.dev), SIZE)
        ctypes.memmove(ivf.ivflat_device_memory(self.dev) + 100, b'from the guest', 14)
        self.assertEqual(os.pread(self.keep[0], 14, 100), b'from the guest')

    def test_registers(self):
        self.greet()
        self.assertEqual(ivf.ivflat_device_read(self.dev, IVPOSITION, 4), 7)
        self.assertEqual(ivf.ivflat_device_read(self.dev, IVPOSITION, 2), 0)
        self.assertEqual(ivf.ivflat_device_read(self.dev, 2 ** 64 - 4, 4), 0)
        self.assertEqual(ivf.ivflat_device_counter(self.dev, 5), 2)  # IVFLAT_COUNT_BAD_ACCESSES

    def test_ringing_a_peer(self):
        self.greet()
        self.assertEqual([self.feed(3, self.eventfd()), self.feed(3, self.eventfd())], [0, 0])
        self.assertEqual(self.told, [('peer', 0x1234, 3, 1), ('peer', 0x1234, 3, 2)])
        self.assertEqual(ivf.ivflat_device_peer_vectors(self.dev, 3), 2)
        self.assertEqual([ivf.ivflat_device_next_peer(self.dev, after) for after in (-1, 3)], [3, -1])
        ivf.ivflat_device_write(self.dev, DOORBELL, 4, 3 << 16 | 1)
        self.assertEqual(os.eventfd_read(self.keep[2]), 1)
        with self.assertRaises(BlockingIOError):
            os.eventfd_read(self.keep[1])

    def test_being_rung(self):
        self.greet()
        self.assertEqual([self.feed(7, self.eventfd()), self.feed(7, self.eventfd())], [0, 0])
        os.eventfd_write(self.keep[2], 5)
        self.assertEqual(ivf.ivflat_device_wait(self.dev, 20000), 1)
        self.assertEqual(ivf.ivflat_device_dispatch(self.dev), 0)
        self.assertEqual(self.told, [('interrupt', 0x1234, 1, 5)])
        self.assertEqual(ivf.ivflat_device_wait(self.dev, 0), 0)

    def test_a_call_from_a_hook(self):
        answers = []
        self.hooks.link_changed = LINK_CHANGED(lambda *_: answers.append(ivf.ivflat_device_dispatch(self.dev)))
        self.assertEqual(self.new(), 0)
        self.assertEqual(ivf.ivflat_device_begin(self.dev), 0)
        self.assertEqual(answers, [BUSY])

    def test_a_server_that_is_wrong(self):
        self.greet()
        self.assertEqual(self.feed(-1, self.memory()), PROTOCOL)
        self.assertIn(b'second time', ivf.ivflat_last_error())
        self.assertEqual(self.told, [('link', 0x1234, DOWN, PROTOCOL)])
        self.assertEqual(self.feed(3), INVALID)
        self.assertEqual(ivf.ivflat_device_read(self.dev, IVPOSITION, 4), 7)

    def test_memory_of_another_size(self):
        self.assertEqual([self.new(), ivf.ivflat_device_begin(self.dev), self.feed(0), self.feed(7)], [0] * 4)
        self.assertEqual(self.feed(-1, self.memory(8192)), MEMORY)
        for size in (b'4096', b'8192'):
            self.assertIn(size, ivf.ivflat_last_error())

    def test_struct_sizes(self):
        for size in (0, ctypes.sizeof(Config) - 1):
            self.config.struct_size = size
            self.assertEqual(self.new(), INVALID)
            self.assertIn(b'struct_size', ivf.ivflat_last_error())
            self.assertIsNone(self.dev.value)

    def test_a_struct_of_a_later_release(self):
        class Later(ctypes.Structure):
            """ivflat_config with a field more."""
            _fields_ = Config._fields_ + [('later', c_uint64)]
        later = Later(struct_size=ctypes.sizeof(Later), memory_size=SIZE)
        new = ctypes.CFUNCTYPE(c_int32, c_void_p, c_void_p, c_void_p)(('ivflat_device_new', ivf))
        self.assertEqual(new(ctypes.addressof(self.dev), ctypes.addressof(later), ctypes.addressof(self.hooks)), 0)
        ivf.ivflat_device_free(self.dev)
        later.later = 1
        self.assertEqual(new(ctypes.addressof(self.dev), ctypes.addressof(later), ctypes.addressof(self.hooks)), INVALID)
        self.assertIn(b'byte 48', ivf.ivflat_last_error())

    def test_null(self):
        self.assertEqual(ivf.ivflat_device_dispatch(None), INVALID)
        self.assertEqual(ivf.ivflat_device_read(None, IVPOSITION, 4), 0)
        self.assertIsNone(ivf.ivflat_device_memory(None))
        ivf.ivflat_device_write(None, DOORBELL, 4, 0)

    def test_words(self):
        self.assertEqual(ivf.ivflat_version(), 0x000100)
        self.assertEqual(ivf.ivflat_trace_name(11), b'ring_no_peer')
        self.assertEqual(ivf.ivflat_trace_name(4000000000), b'unknown')
        self.assertNotEqual(ivf.ivflat_strerror(INVALID), ivf.ivflat_strerror(BUSY))


if __name__ == '__main__':
    if not hasattr(os, 'eventfd'):
        print('skipped: this Python has no os.eventfd (3.10 has)')
        sys.exit(77)
    ivf = load(sys.argv.pop(1))
    unittest.main()
