# SPDX-License-Identifier: BSD-3-Clause
"""The sides as processes: started, read line by line in one loop, and ended whatever happens."""
import collections
import contextlib
import re
import selectors
import signal
import subprocess
import time

from host.common import Refused, say

# What a guest says is anything: no command to a terminal passes.
LONGEST = 2000
# What emulators say that means nothing here.
NOISE = "reboot: Power down|has no peer|Timer with period zero|terminating on signal"
PLAIN = "".join(chr(code) if 32 <= code < 127 else "?" for code in range(256))


class Side:
    """One process.  What its guest says comes from standard output; what the program itself says, from the error."""

    def __init__(self, name, argv, log):
        self.name, self.log, self.pending = name, log, {}
        # The last lines of the guest's, and of the program's own.
        self.spoken, self.complaints = collections.deque(maxlen=20), collections.deque(maxlen=20)
        # What it says that it got and that is not what it should be.
        self.wrong = []
        self.may_end = False
        # Whatever becomes of us, the kernel ends it with us.
        self.child = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, argv)], stdin=subprocess.PIPE,
                                      stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)
        self.streams = {self.child.stdout: True, self.child.stderr: False}

    def hear(self, line):
        """A line of the guest's: for who derives from this."""

    def shown(self, line):
        """What people see of it; nothing: None."""
        return line

    def feed(self, stream, data):
        """Passes on the whole lines in what was read, and gives them back."""
        text = self.pending.get(stream, b"") + data
        *lines, rest = text.split(b"\n")
        self.pending[stream] = rest[-LONGEST:]
        lines = [line[:LONGEST].decode("latin1").strip().translate(PLAIN) for line in lines]
        lines = [line for line in lines if line]
        for line in lines:
            self.take(line, self.streams[stream])
        return lines

    def take(self, line, by_guest):
        self.log.write(f"{self.name}: {line}\n")
        if by_guest:
            self.hear(line)
        if not re.search(NOISE, line):
            (self.spoken if by_guest else self.complaints).append(line)

    def last_words(self):
        """Of its guest; or what the program itself complained of, where that is all."""
        if self.spoken:
            return f"it last said: {self.shown(self.spoken[-1]) or self.spoken[-1]}"
        return f"it said: {self.complaints[0]}" if self.complaints else "it said nothing"

    def end_words(self):
        """Why it ended."""
        return f"it said: {self.complaints[0]}" if self.complaints else self.last_words()

    def type(self, text):
        # Who has ended cannot be told; that it has ended is seen elsewhere.
        with contextlib.suppress(BrokenPipeError):
            self.child.stdin.write(text.encode() + b"\n")
            self.child.stdin.flush()

    def kill(self, number=signal.SIGKILL):
        self.may_end = True
        self.child.send_signal(number)

    def close(self):
        for stream in (self.child.stdin, self.child.stdout, self.child.stderr):
            with contextlib.suppress(BrokenPipeError):
                stream.close()


class Wish:
    """What a side has to have done: @done() says whether, @what in words ("sent 1000 samples")."""

    def __init__(self, side, done, what):
        self.side, self.done, self.what = side, done, what


class Cast:
    """All sides."""

    def __init__(self, verbose, patience, log):
        self.verbose, self.patience, self.log = verbose, patience, log
        self.selector, self.sides = selectors.DefaultSelector(), []

    def start(self, kind, name, argv, *more):
        """A side of class @kind."""
        self.log.write(f"{name}: $ {' '.join(map(str, argv))}\n")
        if self.verbose:
            say(f"{name:<9} $ {' '.join(map(str, argv))}")
        side = kind(name, argv, self.log, *more)
        self.sides.append(side)
        for stream in side.streams:
            self.selector.register(stream, selectors.EVENT_READ, side)
        return side

    def tell(self, name, text):
        """What the run itself does."""
        self.log.write(f"{name}: * {text}\n")
        say(f"{name:<9} * {text}")

    def listen(self, seconds):
        """Takes what the sides say now, or first within @seconds."""
        for key, _ in self.selector.select(seconds):
            data = key.fileobj.read1(65536)
            if not data:
                self.selector.unregister(key.fileobj)
            # The end of the file ends a line.
            for line in key.data.feed(key.fileobj, data or b"\n"):
                self.show(key.data, line, key.data.streams[key.fileobj])

    def show(self, side, line, by_guest):
        text = line if self.verbose else by_guest and side.shown(line)
        if text:
            say(f"{side.name:<9} | {text}")

    def check_alive(self):
        for side in self.sides:
            if side.wrong:
                raise Refused(side.wrong[0])
            if not side.may_end and side.child.poll() is not None:
                self.hear_out(side)
                code = side.child.returncode
                how = f"was ended by signal {-code}" if code < 0 else f"ended with status {code}"
                raise Refused(f"{side.name}: it {how}; {side.end_words()}")

    def until(self, *wishes, patience=None):
        """Until all wishes are fulfilled, or one sentence says whose is not."""
        patience = patience or self.patience
        end = time.monotonic() + patience
        while True:
            open_wishes = [wish for wish in wishes if not wish.done()]
            if not open_wishes:
                return
            self.check_alive()
            left = end - time.monotonic()
            if left <= 0:
                wish = open_wishes[0]
                raise Refused(f"{wish.side.name}: it has not {wish.what} within {patience:g} s; "
                              f"{wish.side.last_words()}")
            self.listen(min(left, 1))

    def kill(self, side):
        """At once, as a crash would; all that it said before is heard."""
        side.kill()
        side.child.wait()
        self.bury(side)

    def hear_out(self, side):
        """All that @side, which has ended, has still said."""
        end = time.monotonic() + self.patience
        while any(key.data is side for key in self.selector.get_map().values()) and time.monotonic() < end:
            self.listen(1)

    def bury(self, side):
        self.hear_out(side)

        side.close()
        self.sides.remove(side)

    def close(self):
        """Ends all that is left, the newest first."""
        for side in reversed(self.sides):
            side.child.kill()
        for side in self.sides:
            side.child.wait()
            side.close()
        self.sides = []
        self.selector.close()
