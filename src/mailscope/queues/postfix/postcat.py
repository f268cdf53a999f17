"""A queue file as postcat(1) prints it, byte for byte, without Postfix.

Source: src/postcat/postcat.c of Postfix 3.7: the same states (envelope, header, body), the same short cuts
over what is not printed.  Warnings go to ``tell`` instead; a file that is damaged raises RecordError after
what could be printed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Final

from mailscope.queues.postfix.records import (
    ATTRIBUTE,
    CIRCLE,
    CONTINUED,
    END,
    ENVELOPE,
    EXTRACTED,
    MESSAGE,
    NAMES,
    NORMAL,
    PADDING,
    POINTER,
    SIZE,
    TIME,
    WARNING,
    Data,
    RecordError,
    record,
    target,
)

_IN_ENVELOPE, _IN_HEADER, _IN_BODY = range(3)
NOTHING: Final = -1
_TEXT: Final = (CONTINUED, NORMAL)
_SIZES: Final = re.compile(rb"\s*([+-]?[0-9]+)\s+([+-]?[0-9]+)")
_ATTRIBUTE: Final = re.compile(rb"\s*([^\s=]+)\s*=\s*(.*?)\s*", re.DOTALL)
_SECONDS: Final = re.compile(rb"\s*([+-]?[0-9]{1,12})")
# is_header.c: a name of printable characters but the colon, blanks, a colon.
_HEADER: Final = re.compile(rb"[!-9;-~]+[ \t]*:")


@dataclass(frozen=True)
class Options:
    """postcat's: ``-b -h -e`` what is printed (none of them: all), ``-d -o`` what stands before, ``-r -v``
    all records.
    """

    body: bool = False
    header: bool = False
    envelope: bool = False
    decimal: bool = False
    offsets: bool = False
    raw: bool = False
    verbose: bool = False


class Printer:
    """Prints one file.  ``name`` is what it is called in the markers; times are told in ``zone``."""

    def __init__(
        self, data: Data, name: str, options: Options, zone: tzinfo, tell: Callable[[str], None]
    ) -> None:
        everything = not (options.body or options.header or options.envelope)
        self._data, self._options, self._zone, self._tell = data, options, zone, tell
        self._name = name.encode("utf-8", "surrogateescape")
        self._envelope = options.envelope or everything
        self._header = options.header or everything
        self._body = options.body or everything
        self._state, self._print, self._before = _IN_ENVELOPE, self._envelope, 0
        self._size: tuple[int, int] | None = None
        # Where reading goes on; None where there is nothing left to be printed.
        self._next: int | None = 0
        # No walk visits more records than the file can hold, unless its pointers go round in circles.
        self._left = len(data) // 2 + 1

    def pieces(self) -> Iterator[bytes]:
        """What is printed, piece after piece.  Raises RecordError at damage."""
        data = self._data
        if len(data) and data[0] not in ENVELOPE and data[0] != 0:
            self._tell(f"{self._name.decode('utf-8', 'replace')}: input is not a valid queue file")
            return
        if self._envelope:
            yield b"*** ENVELOPE RECORDS %s ***\n" % self._name
        while self._next is not None and self._next < len(data):
            offset = self._next
            kind, payload = self._read()
            yield from self._one(offset, kind, payload)

    def _read(self) -> tuple[int, bytes]:
        """The next record; pointers are followed and padding is skipped, unless all records are wanted."""
        assert self._next is not None
        while self._next < len(self._data):
            place = self._next
            if self._left <= 0:
                raise RecordError(CIRCLE, place)
            self._left -= 1
            kind, start, end = record(self._data, place)
            payload = self._data[start:end]
            self._next = end
            if self._options.verbose or kind not in (POINTER, PADDING):
                return kind, payload
            if kind == POINTER:
                self._next = target(payload, place, len(self._data)) or end
        return NOTHING, b""

    def _skip(self) -> None:
        """Go on behind the content, where it is known to end."""
        assert self._next is not None
        if self._size is not None and sum(self._size) > self._next:
            self._next = sum(self._size)

    def _one(self, offset: int, kind: int, payload: bytes) -> Iterator[bytes]:
        """One record: what it changes, and what is printed of it."""
        if kind in _TEXT:
            self._text_begins(kind, payload)
        elif kind in _MARKS:
            yield from _MARKS[kind](self, offset, kind, payload)
            return
        if self._next is not None and self._print and kind != NOTHING:
            yield from self._prefix(offset, kind)
            yield from self._shown(kind, payload)
            # A line that is ended here although its record does not end it.
            ended = kind == CONTINUED and (
                self._state == _IN_ENVELOPE or self._options.verbose or self._options.offsets
            )
            self._before = 0 if ended else kind

    def _text_begins(self, kind: int, payload: bytes) -> None:
        """Whether a text record is the first of the body."""
        if self._state != _IN_HEADER or not (self._header or self._body) or self._before == CONTINUED:
            return
        if _HEADER.match(payload) or payload[:1] in (b" ", b"\t"):
            return
        self._state, self._print = _IN_BODY, self._body
        if self._print:
            return
        if not self._envelope:
            self._next = None
        else:
            self._skip()

    def _message(self, offset: int, kind: int, payload: bytes) -> Iterator[bytes]:
        if self._state != _IN_ENVELOPE:
            self._tell("out-of-order message content marker")
        if self._envelope:
            yield from self._marker(offset, kind, b"MESSAGE CONTENTS")
        if not (self._header or self._body):
            self._skip()
        self._state, self._print = _IN_HEADER, self._header

    def _extracted(self, offset: int, kind: int, payload: bytes) -> Iterator[bytes]:
        if self._state == _IN_ENVELOPE:
            self._tell("out-of-order extracted segment marker")
        if self._print and self._before == CONTINUED:
            yield b"\n"
        if self._envelope:
            yield from self._marker(offset, kind, b"HEADER EXTRACTED")
        self._state, self._print = _IN_ENVELOPE, self._envelope
        if not self._print:
            self._next = None

    def _end(self, offset: int, kind: int, payload: bytes) -> Iterator[bytes]:
        if self._state != _IN_ENVELOPE:
            self._tell("out-of-order message end marker")
        if self._envelope:
            yield from self._marker(offset, kind, b"MESSAGE FILE END")
        if not self._options.raw:
            self._next = None
        elif not self._options.verbose:
            self._next = len(self._data)

    def _pointer(self, offset: int, kind: int, payload: bytes) -> Iterator[bytes]:
        """Met only where all records are wanted."""
        if self._print:
            yield from self._prefix(offset, kind)
            yield b"%s: %s\n" % (NAMES[kind].encode(), _text(payload))
        if not self._options.raw and (there := target(payload, offset, len(self._data))):
            self._next = there

    def _sizes(self, offset: int, kind: int, payload: bytes) -> Iterator[bytes]:
        if self._print:
            yield from self._prefix(offset, kind)
            yield b"%s: %s\n" % (NAMES[kind].encode(), _text(payload))
        if self._size is not None:
            self._tell("file contains multiple size records")
            return
        found = _SIZES.match(payload)
        if found is None or int(found[1]) <= 0 or int(found[2]) <= 0:
            self._tell("invalid size record")
            return
        self._size = int(found[1]), int(found[2])
        if not self._envelope:
            self._next = self._size[1]
            self._state, self._print = _IN_HEADER, self._header

    def _marker(self, offset: int, kind: int, words: bytes) -> Iterator[bytes]:
        yield from self._prefix(offset, kind)
        yield b"*** %s %s ***\n" % (words, self._name)

    def _prefix(self, offset: int, kind: int) -> Iterator[bytes]:
        if self._options.offsets:
            yield b"%9d " % offset
        if self._options.decimal:
            yield b"%3d " % kind

    def _shown(self, kind: int, payload: bytes) -> Iterator[bytes]:
        """A record of the envelope or of the text."""
        name = NAMES.get(kind, "unknown_record_type").encode()
        if kind in (TIME, WARNING):
            yield b"%s: %s" % (name, self._time(payload))
        elif kind == CONTINUED:
            yield from self._continued(payload)
        elif kind == NORMAL:
            yield b"%s%s\n" % (name + b": " if self._options.verbose else b"", payload)
        elif kind == PADDING:
            yield b"%s: %s\n" % (name, payload)
        elif kind == ATTRIBUTE:
            yield from self._attribute(_text(payload))
        else:
            yield b"%s: %s\n" % (name, _text(payload))

    def _continued(self, payload: bytes) -> Iterator[bytes]:
        """Text whose line goes on; in the envelope the same type names a content filter."""
        if self._state == _IN_ENVELOPE:
            yield b"%s: " % NAMES[CONTINUED].encode()
        elif self._options.verbose:
            yield b"unterminated_text: "
        yield payload
        if self._state == _IN_ENVELOPE or self._options.verbose or self._options.offsets:
            yield b"\n"

    def _attribute(self, text: bytes) -> Iterator[bytes]:
        found = _ATTRIBUTE.fullmatch(text)
        if found is None:
            self._tell("malformed attribute")
        elif found[1] == b"create_time":
            yield b"create_time: %s" % self._time(found[2])
        else:
            yield b"named_attribute: %s=%s\n" % (found[1], found[2])

    def _time(self, text: bytes) -> bytes:
        """asctime(3) of seconds since 1970; what is no number counts as 0, as atol(3) has it."""
        found = _SECONDS.match(text)
        try:
            return datetime.fromtimestamp(int(found[1]) if found else 0, self._zone).ctime().encode() + b"\n"
        except (OverflowError, ValueError, OSError):
            return b"(a time out of range)\n"


_MARKS: Final = {
    MESSAGE: Printer._message,
    EXTRACTED: Printer._extracted,
    END: Printer._end,
    POINTER: Printer._pointer,
    SIZE: Printer._sizes,
}


def _text(payload: bytes) -> bytes:
    """A payload as a string of C: up to the first NUL."""
    return payload.partition(b"\0")[0]
