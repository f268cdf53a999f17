"""The envelope of a Postfix queue file: who sent it, for whom, when it came, how large it is.

A message that is damaged or half written gives what could be read, and says what is wrong.  The content is
skipped where the file says how long it is, so that a large message costs no more than a small one.

Sources: rec_type.h, and what showq(8), qmgr(8) and cleanup(8) of Postfix 3.7 make of the records.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import Final

from mailscope.queues.postfix.records import (
    ATTRIBUTE,
    CANCELED,
    CIRCLE,
    DONE,
    END,
    ENVELOPE,
    EXTRACTED,
    LONG,
    MESSAGE,
    ORIGINAL,
    POINTER,
    RECIPIENT,
    SENDER,
    SIZE,
    TIME,
    Data,
    Paged,
    RecordError,
    record,
    target,
)

# Files up to this size are read at once.
WHOLE: Final = 1 << 16
RECIPIENTS: Final = frozenset((RECIPIENT, DONE, CANCELED))
ONCE: Final = frozenset((SIZE, TIME, SENDER))
_FLAGS: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_TIME: Final = re.compile(rb"([0-9]{1,18})(?: ([0-9]{1,6}))?")


@dataclass(slots=True)
class Rcpt:
    """A recipient record: ``kind`` is its type (todo, done or canceled); ``original``: as it was before
    aliases.
    """

    kind: int
    address: bytes
    original: bytes


@dataclass(slots=True)
class Envelope:
    """What the records outside the content tell, in bytes as they stand; None is what no record tells.

    ``whole``: the end mark was seen, so that nothing can be missing.  ``problems``: what is damaged.
    ``first``: the type of the first record, 0 where there is none.
    """

    first: int = 0
    size_bytes: int | None = None
    size_text: bytes | None = None
    arrival_time: float | None = None
    sender: bytes | None = None
    recipients: list[Rcpt] = field(default_factory=list)
    whole: bool = False
    problems: list[str] = field(default_factory=list)


def read(path: str) -> tuple[os.stat_result, Envelope]:
    """The envelope of a file, with what stat(2) says of it.  Raises OSError where it cannot be read."""
    descriptor = os.open(path, _FLAGS)
    try:
        status = os.fstat(descriptor)
        return status, envelope(load(descriptor, status.st_size))
    finally:
        os.close(descriptor)


def load(descriptor: int, size: int) -> Data:
    """The bytes of an open file: all of a small one; of a large one what is asked for."""
    if size > WHOLE:
        return Paged(descriptor, size)
    return os.read(descriptor, size)


def envelope(data: Data) -> Envelope:
    """The envelope of a file's bytes; never fails."""
    found = Envelope()
    if not len(data):
        found.problems.append("it is empty")
        return found
    found.first = data[0]
    if found.first not in ENVELOPE:
        found.problems.append("it is no queue file")
        return found
    try:
        _records(data, found)
    except RecordError as error:
        found.problems.append(str(error))
    else:
        if not found.whole:
            found.problems.append("its end is missing")
    if found.sender is None:
        found.problems.append("it has no sender")
    return found


def _records(data: Data, found: Envelope) -> None:
    """Go through the records, over the content, to the end mark.  Raises RecordError.

    Every queue file comes through here, so records of usual length are taken apart in place.  A walk that
    covers more bytes than the file has goes round in circles.
    """
    place = since = walked = 0
    end, original, recipients = len(data), b"", found.recipients
    try:
        while place < end:
            kind, length, start = data[place], data[place + 1], place + 2
            stop = start + length
            if length >= LONG or stop > end:
                kind, start, stop = record(data, place)
            if kind == ATTRIBUTE:
                pass
            elif kind in RECIPIENTS:
                recipients.append(Rcpt(kind, data[start:stop], original))
                original = b""
            elif kind == ORIGINAL:
                original = data[start:stop]
            elif kind == MESSAGE:
                stop = _after_content(data, found, stop)
            elif kind == POINTER:
                if there := target(data[start:stop], place, end):
                    walked += stop - since
                    if walked > end:
                        raise RecordError(CIRCLE, place)
                    since = stop = there
            elif kind == END:
                found.whole = True
                return
            elif kind in ONCE:
                _told_once(found, kind, data[start:stop], place)
            place = stop
    except IndexError:
        raise RecordError("the file ends within a record", place) from None


def _told_once(found: Envelope, kind: int, payload: bytes, place: int) -> None:
    """Take what stands in one record.  Raises RecordError at a second sender."""
    if kind == TIME:
        if found.arrival_time is None:
            found.arrival_time = _instant(payload)
    elif kind == SENDER:
        if found.sender is not None:
            raise RecordError("a second sender", place)
        found.sender = payload
    elif kind == SIZE and found.size_bytes is None:
        found.size_text = payload
        # The first of several numbers.
        words = payload.split(None, 1)
        if words and len(words[0]) <= 15 and not payload.translate(None, b" 0123456789"):
            found.size_bytes = int(words[0])
        else:
            found.problems.append("its size is damaged")


def _instant(payload: bytes) -> float | None:
    """Seconds since 1970, of seconds and microseconds."""
    seconds, _, micros = payload.partition(b" ")
    if len(seconds) <= 18 and len(micros) <= 6 and seconds.isdigit() and micros.isdigit():
        return int(seconds) + int(micros) / 1e6
    numbers = _TIME.match(payload)
    return None if numbers is None else int(numbers[1]) + int(numbers[2] or 0) / 1e6


def _after_content(data: Data, found: Envelope, place: int) -> int:
    """Where the extracted records begin: as the size says; else the content is gone through, from record to
    record.
    """
    if found.size_bytes is not None:
        there = place + found.size_bytes
        if there < len(data) and data[there] == EXTRACTED:
            return there
    return place
