"""``splogger``: lines of qmail's programs given to syslog, with a stamp of their own.

In: lines.  Out: syslog messages.  The five rules (qmail 1.03, notqmail; splogger.c): a stamp of seconds and
microseconds in front of each message; ``alert:`` and ``warning:`` at the beginning of a line make the
priority, otherwise it is info; unprintable characters become ``?``; empty lines are left out; a line is cut
after each 799 characters, and what goes on has the same stamp with a ``+`` behind it.

Unlike the original, a last line without a line feed is not lost.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from typing import Final

from mailscope.syslog.receiver.stamps import MONTHS

# Characters of one message behind its stamp.
CHUNK: Final = 799
MAIL: Final = 2
_ALERT, _WARNING, _INFO = 1, 4, 6
_PRINTABLE: Final = bytes(code if 32 <= code <= 126 else ord("?") for code in range(256))
# "A line feed ends a line" comes before "unprintable": it must not be translated.
_TABLE: Final = _PRINTABLE[:10] + b"\n" + _PRINTABLE[11:]
_BLOCK_BYTES: Final = 1 << 16


class Splogger:
    """Cuts lines into messages and sends them.

    ``send``: takes one message; ``tag``: the program's name in it; ``facility``: its code.
    """

    def __init__(self, send: Callable[[bytes], None], tag: bytes = b"splogger", facility: int = MAIL) -> None:
        self._send = send
        # Priority -> what stands in front of the date.
        self._heads = {severity: b"<%d>" % (facility << 3 | severity) for severity in range(8)}
        self._tag = tag
        self._second = -1
        self._dates: dict[int, bytes] = {}
        # Of the line that has no end yet: its characters that were not sent, and what its first message had.
        self._rest = b""
        self._begun: tuple[int, bytes] | None = None

    def read(self, source: int) -> None:
        """Send the lines of a file descriptor, to its end."""
        while block := os.read(source, _BLOCK_BYTES):
            self.take(block)
        self.finish()

    def take(self, block: bytes) -> None:
        """Send the lines in a block; the last one, if it has no end, as far as it is long."""
        lines = (self._rest + block.translate(_TABLE)).split(b"\n")
        self._rest = lines.pop()
        for line in lines:
            if line:
                self._whole(line)
            self._begun = None
        while len(self._rest) > CHUNK:
            self._chunk(self._rest[:CHUNK])
            self._rest = self._rest[CHUNK:]

    def finish(self) -> None:
        """Send what is left of a line that has no end."""
        if self._rest:
            self._chunk(self._rest)
        self._rest, self._begun = b"", None

    def _whole(self, line: bytes) -> None:
        while len(line) > CHUNK:
            self._chunk(line[:CHUNK])
            line = line[CHUNK:]
        self._chunk(line)

    def _chunk(self, text: bytes) -> None:
        now = time.time_ns()
        if self._begun is None:
            severity = _INFO
            if text.startswith(b"warning:"):
                severity = _WARNING
            elif text.startswith(b"alert:"):
                severity = _ALERT
            stamp = b"%d.%06d" % divmod(now // 1000, 1_000_000)
            self._begun = severity, stamp
            self._send(b"%b%b %b" % (self._head(now, severity), stamp, text))
        else:
            severity, stamp = self._begun
            self._send(b"%b%b+%b" % (self._head(now, severity), stamp, text))

    def _head(self, now: int, severity: int) -> bytes:
        second = now // 1_000_000_000
        if second != self._second:
            self._second = second
            at = time.localtime(second)
            clock = (at.tm_mday, at.tm_hour, at.tm_min, at.tm_sec)
            date = MONTHS[at.tm_mon - 1].encode() + b" %2d %02d:%02d:%02d " % clock
            self._dates = {code: head + date + self._tag + b": " for code, head in self._heads.items()}
        return self._dates[severity]
