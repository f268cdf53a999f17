"""Messages out of a stream of bytes (RFC 6587): counted (``LENGTH SPACE message``) or ended by a line feed.

Which of the two it is, is told anew for every message, as some senders change over (section 3.4).  Digits
and a blank are a length where ``<`` follows, with which every message begins that has a priority; behind a
counted message they are one in any case.  syslog(3) of the C library ends messages on a unix stream socket
with NUL.

Memory is bounded: of a message longer than the limit the first part is kept, the rest is counted and its
number put behind it.  A length that cannot be is no reason to lose anything: the bytes are taken as lines,
and the next line feed sets things right.
"""

from __future__ import annotations

import re
from typing import Final

LENGTH: Final = re.compile(rb"([1-9][0-9]{0,8}) (?=<)")
LENGTH_AGAIN: Final = re.compile(rb"([1-9][0-9]{0,8}) ")
# What may become a length when more bytes have come.
BEGUN: Final = re.compile(rb"[1-9][0-9]{0,8} ?\Z")
# Messages with nothing in them, all at once.
BLANK: Final = re.compile(rb"(?:[\r\0]*+\n)++")
BLANK_NUL: Final = re.compile(rb"(?:[\r\n]*+\0)++")
MOST_FRAME_BYTES: Final = 16 << 20
LEAST_ROOM_BYTES: Final = 4096
CUT: Final = b" [mailscope: %d bytes cut off here]"
MISSING: Final = b" [mailscope: %d bytes never came]"


class Framer:
    """The frames of one stream; ``truncated``, ``malformed`` and ``empty`` count until they are reset."""

    def __init__(self, limit_bytes: int, *, nul: bool = False) -> None:
        """``limit_bytes`` of a message are kept; ``nul``: the stream may end its messages with NUL."""
        self.truncated = self.malformed = self.empty = 0
        self._limit = limit_bytes
        self._end = b"\n"
        self._nul = nul
        self._blank = BLANK
        self._head = b""  # the beginning of what may be a length
        self._kept = bytearray()  # of the message that has not ended
        self._cut = 0  # bytes of it that were not kept
        self._left = 0  # bytes of a counted message that have not come
        self._inside = False
        self._counted = False  # the message before was counted

    @property
    def unfinished(self) -> bool:
        """Whether a message has begun and not ended."""
        return self._inside or bool(self._head)

    @property
    def kept_bytes(self) -> int:
        """How much memory the message takes that has not ended."""
        return len(self._kept)

    def feed(self, data: bytes, room: int) -> list[bytes]:
        """The messages that these bytes end; an unfinished one keeps ``room`` bytes or a few thousand."""
        if self._nul and b"\0" in data:
            self._end, self._blank = b"\0", BLANK_NUL
        if self._head:
            data, self._head = self._head + data, b""
        limit = min(self._limit, max(room, LEAST_ROOM_BYTES))
        out: list[bytes] = []
        at, end = 0, len(data)
        while at < end:
            if not self._inside:
                if data[at] in b"\0\n\r" and (blank := self._blank.match(data, at)):
                    self.empty += data.count(self._end, at, blank.end())
                    at = blank.end()
                    continue
                found = self._length(data, at)
                if found is None:
                    self._head = data[at:]
                    break
                length, at = found
                if length:
                    self._left, self._inside = length, at == end
            if self._left:
                at = self._take_counted(data, at, out, limit)
            else:
                at = self._take_line(data, at, out, limit)
        return out

    def finish(self) -> tuple[list[bytes], bool]:
        """The message that was going on when the stream ended, if any, and whether it is incomplete."""
        if self._head:
            self._kept += self._head
            self._head, self._inside = b"", True
        if not self._inside:
            return [], False
        missing = self._left
        out: list[bytes] = []
        self._emit(bytes(self._kept), out)
        if missing and out:
            out[0] += MISSING % missing
        return out, missing > 0

    def _length(self, data: bytes, at: int) -> tuple[int, int] | None:
        """Length (0: none) of the message that begins, and where; None where that cannot be told yet."""
        first = data[at]
        if not 49 <= first <= 57:  # 1 to 9
            if self._counted and first not in (
                60,
                10,
                13,
                0,
            ):  # behind a counted message: <, or a stray line end
                self.malformed += 1
            self._counted = self._counted and first in (10, 13, 0)
            return 0, at
        found = (LENGTH_AGAIN if self._counted else LENGTH).match(data, at)
        if found is None:
            if BEGUN.match(data, at):
                return None
        elif (length := int(found[1])) <= MOST_FRAME_BYTES:
            self._counted = True
            return length, found.end()
        if found or self._counted:
            self.malformed += 1
        self._counted = False
        return 0, at

    def _take_counted(self, data: bytes, at: int, out: list[bytes], limit: int) -> int:
        stop = at + self._left
        if not self._inside and stop <= len(data):
            self._emit(data[at : min(stop, at + self._limit)], out, max(stop - at - self._limit, 0))
            return stop
        stop = min(stop, len(data))
        ends = stop - at == self._left
        self._keep(data, at, stop, self._limit if ends else limit)
        self._left -= stop - at
        if not self._left:
            self._emit(bytes(self._kept), out)
        return stop

    def _take_line(self, data: bytes, at: int, out: list[bytes], limit: int) -> int:
        stop = data.find(self._end, at)
        if stop < 0:
            self._keep(data, at, len(data), limit)
            return len(data)
        if self._inside:
            self._keep(data, at, stop, self._limit)
            self._emit(bytes(self._kept), out)
        else:
            self._emit(data[at : min(stop, at + self._limit)], out, max(stop - at - self._limit, 0))
        return stop + 1

    def _keep(self, data: bytes, at: int, stop: int, limit: int) -> None:
        self._inside = True
        # What was left out stays left out: a hole inside a message would not be seen.
        room = 0 if self._cut else max(limit - len(self._kept), 0)
        self._kept += data[at : min(stop, at + room)]
        self._cut += max(stop - at - room, 0)

    def _emit(self, message: bytes, out: list[bytes], cut: int = 0) -> None:
        cut += self._cut
        if cut:
            self.truncated += 1
            message += CUT % cut
        if message.strip(b"\r\n\0"):
            out.append(message)
        else:
            self.empty += 1
        if self._inside:
            self._kept.clear()
            self._inside = False
        self._cut = self._left = 0
