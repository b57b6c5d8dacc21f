# SPDX-License-Identifier: GPL-2.0-or-later
"""The few lines that change in QEMU's own files.  Each edit can be taken back to the very bytes of before."""
import re

from . import Refusal

BEGIN = b'# ivflat: from here to the end mark by libivflat, see hw/misc/ivflat/integrated.sha256\n'
END = b'# ivflat: end\n'


class Line:
    """One line of ours, before the first of the lines that it goes with."""

    def __init__(self, name, line, anchors):
        self.name, self.line, self.anchors = name, line + b'\n', anchors
        self.what = f'the line "{line.decode().strip()}"'

    def _is_there(self, text):
        return self.line in text.splitlines(keepends=True)

    def put(self, text):
        if self._is_there(text):
            return text
        lines = text.splitlines(keepends=True)
        for number, line in enumerate(lines):
            if line.rstrip(b'\n') in self.anchors:
                return b''.join(lines[:number] + [self.line] + lines[number:])
        raise Refusal(f'{self.name} has no line "{self.anchors[0].decode().strip()}", before which ours would go')

    def take(self, text):
        return b''.join(line for line in text.splitlines(keepends=True) if line != self.line)


class Block:
    """Lines of ours at the end, between two marks."""

    def __init__(self, name, lines_for):
        self.name, self.lines_for = name, lines_for
        self.what = 'our trace events'

    def span(self, text):
        """Where the block is, marks and all; None where it is not."""
        begin = text.find(BEGIN)
        if begin < 0:
            return None
        end = text.find(END, begin)
        if end < 0:
            raise Refusal(f'{self.name}: "{BEGIN.decode().strip()}" is there, and no "{END.decode().strip()}" after it')
        return begin, end + len(END)

    def inside(self, text):
        """The block, b'' where there is none."""
        span = self.span(text)
        return text[span[0]:span[1]] if span else b''

    def take(self, text):
        span = self.span(text)
        if not span:
            return text
        before, after = text[:span[0]], text[span[1]:]
        # With the empty line that put() sets before it.
        return (before[:-1] if before.endswith(b'\n\n') else before) + after

    def put(self, text):
        rest = self.take(text)
        block = BEGIN + ''.join(line + '\n' for line in self.lines_for(rest.decode())).encode() + END
        span = self.span(text)
        if span:
            return text[:span[0]] + block + text[span[1]:]
        if not rest.endswith(b'\n'):
            raise Refusal(f'{self.name} does not end with the end of a line: this is not the file that integrate knows')
        return rest + b'\n' + block


def event_name(line):
    """What a line of a trace-events file declares; None for a comment or an empty line."""
    found = re.match(r'(?:(?:disable|vcpu|tcg)\s+)*(\w+)\s*\(', line)
    return found.group(1) if found else None


def missing_events(original, further, tree_has):
    """The original's events where the tree has not got them, and always our own."""
    there = {event_name(line) for line in tree_has.splitlines()}
    lacking = [line for line in original if event_name(line) and event_name(line) not in there]
    heading = [line for line in original if line.startswith('#')] if lacking else []
    return heading + lacking + further
