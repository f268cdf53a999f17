"""Words of the command line, or lines, as messages.

The words of one command line have one stamp, as they are one message; only where they are longer than a
message may be are they several.  Of standard input, each line has its own, and what a line is longer than a
message goes on in the next.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import BinaryIO, Final

from mailscope.syslog.logger.connection import Connection
from mailscope.syslog.logger.headers import header
from mailscope.syslog.logger.options import Options

_MOST: Final = 191  # facility local7, severity debug
_PREFIX: Final = re.compile(rb"<([0-9]*)(.?)", re.DOTALL)


class Logger:
    """Sends messages; ``lost`` counts those that were not taken."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self.lost = 0
        self._connection = Connection(options)
        self._header = header(options)

    def words(self, words: Sequence[bytes]) -> None:
        """Send the words of a command line."""
        most = self._options.size
        held, length = b"", 0
        for word in words:
            if most - 1 < length + len(word) and held:
                self._send(held)
                held, length = b"", 0
            if most < len(word):
                self._send(word[:most])
                continue
            held = held + b" " + word if held else word
            length = len(held)
        if held:
            self._send(held)

    def lines(self, source: BinaryIO) -> None:
        """Send the lines of a file."""
        most = max(self._options.size, 1)
        first = True
        for line in source:
            text = line.removesuffix(b"\n").replace(b"\0", b"")
            if self._options.priority_prefix and text.startswith(b"<"):
                text = self._prefixed(text)
            while True:
                piece, text = text[:most], text[most:]
                if piece or not self._options.skip_empty:
                    if not first:
                        self._header = header(self._current)
                    self._send(piece)
                    first = False
                if not text:
                    break

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()

    _changed: Options | None = None

    @property
    def _current(self) -> Options:
        return self._changed or self._options

    def _prefixed(self, text: bytes) -> bytes:
        """A line that begins with a priority of its own: ``<22>text``."""
        found = _PREFIX.match(text)
        assert found is not None
        number = int(found[1] or b"0")
        if found[2] == b">" and number <= _MOST:
            # Without a facility, which would be the kernel's, it is the one of --priority.
            facility = 0 if number >= 8 else self._options.priority & ~7
            self._changed = replace(self._options, priority=number | facility)
            text = text[found.end() :]
        else:
            self._changed = self._options
        self._header = header(self._current)
        return text

    def _send(self, text: bytes) -> None:
        data = self._header + text
        if self._options.octet_count:
            data = b"%d %b" % (len(data), data)
        if self._options.act:
            ended = self._connection.stream and not self._options.octet_count
            if not self._connection.send(data + b"\n" if ended else data):
                self.lost += 1
        if self._options.to_stderr:
            sys.stderr.buffer.write(data + b"\n")
            sys.stderr.buffer.flush()
