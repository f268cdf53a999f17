"""Records of a Postfix queue file: a type, a length in 7-bit portions, and that many bytes.

Sources: src/global/rec_type.h and record.c (``rec_get_raw``, ``rec_goto``) of Postfix 3.7.  A pointer record
says where reading goes on; milters edit a message that way.  A file may be damaged or half written: whatever
it holds, reading ends.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final, Protocol, overload

# Type -> what postcat(1) calls it (rec_type.c).
NAMES: Final[dict[int, str]] = {
    ord(kind): name
    for kind, name in {
        "C": "message_size",
        "T": "message_arrival_time",
        "c": "queue_file_create_time",
        "F": "sender_fullname",
        "I": "content_inspector",
        "L": "content_filter",
        "S": "sender",
        "D": "done_recipient",
        "/": "canceled_recipient",
        "R": "recipient",
        "O": "original_recipient",
        "W": "warning_message_time",
        "A": "named_attribute",
        "p": "pointer_record",
        "K": "killed_record",
        "M": "message_content",
        "N": "regular_text",
        "w": "padding",
        "X": "extracted_info",
        "r": "return_receipt",
        "e": "errors_to",
        "P": "priority",
        "V": "verp_delimiters",
        "E": "message_end",
        ">": "redirect_to",
        "f": "flags",
        "<": "dsn_return_flags",
        "i": "dsn_envelope_id",
        "o": "dsn_original_recipient",
        "n": "dsn_notify_flags",
    }.items()
}
ENVELOPE: Final = frozenset(b"MCTcFILSDRO/WVA>K<ion")
(SIZE, TIME, SENDER, RECIPIENT, DONE, ORIGINAL, CANCELED, WARNING, ATTRIBUTE) = b"CTSRDO/WA"
(MESSAGE, CONTINUED, NORMAL, PADDING, EXTRACTED, POINTER, END, FILTER) = b"MLNwXpEL"
# More bits than an int of C has: the length is damaged.
LENGTH_BITS: Final = 32
# From this value on, a byte of a length says that another one follows.
LONG: Final = 0x80
CIRCLE: Final = "pointers go round in circles"
PAGE: Final = 1 << 16


class Data(Protocol):
    """The bytes of a file; a slice may be shorter than asked for, at the end."""

    def __len__(self) -> int: ...
    @overload
    def __getitem__(self, place: int, /) -> int: ...
    @overload
    def __getitem__(self, place: slice, /) -> bytes: ...


class RecordError(Exception):
    """A record that cannot be read: what is wrong, and at which byte of the file."""

    def __init__(self, what: str, offset: int) -> None:
        super().__init__(f"{what} at byte {offset}")


class Paged:
    """A large file, of which only the parts that are looked at are read."""

    def __init__(self, descriptor: int, size: int) -> None:
        self._descriptor, self._size = descriptor, size
        self._start, self._page = 0, b""

    def __len__(self) -> int:
        return self._size

    @overload
    def __getitem__(self, place: int, /) -> int: ...
    @overload
    def __getitem__(self, place: slice, /) -> bytes: ...
    def __getitem__(self, place: int | slice, /) -> int | bytes:
        if isinstance(place, int):
            inside = place - self._start
            if not 0 <= inside < len(self._page):
                self._start, self._page = place, os.pread(self._descriptor, PAGE, place)
                inside = 0
            return self._page[inside]
        start, stop, _ = place.indices(self._size)
        inside = start - self._start
        if inside >= 0 and stop - self._start <= len(self._page):
            return self._page[inside : stop - self._start]
        return os.pread(self._descriptor, max(0, stop - start), start)


def record(data: Data, place: int) -> tuple[int, int, int]:
    """The record at a byte: its type, where its payload begins, and where it ends.

    Raises RecordError where there is no whole record.
    """
    end = len(data)
    try:
        kind, at = data[place], place + 1
        length = shift = 0
        while True:
            byte = data[at]
            at += 1
            length |= (byte & 0x7F) << shift
            if byte < LONG:
                break
            shift += 7
            if shift >= LENGTH_BITS:
                raise RecordError("a record with too long a length", place)
    except IndexError:
        raise RecordError("the file ends within a record", place) from None
    if at + length > end:
        raise RecordError("the file ends within a record", place)
    return kind, at, at + length


def target(payload: bytes, place: int, end: int) -> int:
    """Where a pointer record points; 0 for a place holder that points nowhere.

    In: its payload, where it stands, and the size of the file.  Raises RecordError where it points to no
    place.
    """
    text = payload.strip()
    if not text.isdigit() or len(text) > 18:
        raise RecordError("a pointer that is no number", place)
    there = int(text)
    if there > end:
        raise RecordError("a pointer beyond the end of the file", place)
    return there


def walk(data: Data, place: int = 0) -> Iterator[tuple[int, int, bytes]]:
    """All records from a byte on, up to the end mark or the end of the file: offset, type and payload.

    Pointers are followed (they are given, too).  Raises RecordError at what cannot be read; a walk that
    covers more bytes than the file has goes round in circles, and ends that way.
    """
    walked, since = 0, place
    while place < len(data):
        kind, start, end = record(data, place)
        payload = data[start:end]
        yield place, kind, payload
        if kind == END:
            return
        if kind == POINTER and (there := target(payload, place, len(data))):
            walked += end - since
            if walked > len(data):
                raise RecordError(CIRCLE, place)
            since = end = there
        place = end
