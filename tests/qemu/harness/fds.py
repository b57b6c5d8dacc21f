# SPDX-License-Identifier: BSD-3-Clause
"""The open descriptors of a process, counted by their kind."""
import collections
import os


def kind(target):
    """socket, eventfd, epoll, memfd, pipe, or file, of what /proc says."""
    if target.startswith("anon_inode:"):
        return target.partition(":")[2].strip("[]").replace("eventpoll", "epoll")
    if target.startswith("/memfd:"):
        return "memfd"
    return target.partition(":")[0] if target.startswith(("socket:", "pipe:")) else "file"


def count(pid):
    """A Counter: {"eventfd": 3, "socket": 2, ...}."""
    folder = f"/proc/{pid}/fd"
    kinds = collections.Counter()
    for number in os.listdir(folder):
        try:
            kinds[kind(os.readlink(os.path.join(folder, number)))] += 1
        except FileNotFoundError:
            continue
    return kinds
