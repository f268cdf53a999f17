"""``matchup``: qmail-send's log becomes one line per delivery and one per message that left the queue.

In: lines of qmail-send with a numeric stamp in front, in the order of writing.

    STAMP info msg M: bytes B from <S> qp Q uid U           the message's birth, size, sender ...
    STAMP new msg M / STAMP end msg M                       the number M is free / the message is done
    STAMP starting delivery D: msg M to CHANNEL RECIPIENT
    STAMP delivery D: success|failure|deferral: REASON      (report mangled counts as a deferral)
    STAMP running / STAMP exiting                           deliveries under way are forgotten
    BIRTH extra M NK NZ ND                                  results so far, from an earlier run's state

Out, in seconds since 1970, addresses in lower case:

    m birth done bytes nk nd nz <sender> qp uid
    d k|d|z birth dstart ddone bytes <sender> channel.recipient qp uid reason

(The manual page has nk nz nd; the program writes failures before deferrals, and its reports read them
so.)  A delivery whose message is not known has birth = dstart, 0 bytes and ``?`` for the rest.  Lines of
warnings and alerts pass through; of status and of what else says nothing here are left out; any other
line comes out with ``? `` in front.  ``pending`` is the state: lines that go in front of the next input.

A stamp may be a TAI64N label, which becomes decimal seconds (2^62+10 is 1970-01-01 00:00:00 UTC, as
multilog writes it).  A label that is not whole stays as it is.

Source: qmailanalog 0.70 matchup.c (as kept in aQmail), indimail's for TAI64N and for what it ignores
besides (``local:``, ``remote:``, ``qmail-daemon:``).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, Protocol, TypeVar

# Fields are parted by spaces, tabs, line breaks and, as C strings end there, by zero bytes.
FIELD: Final = re.compile(rb"[^\0 \t\n]+")
NOT_PLAIN: Final = re.compile(rb"[\0\r\x0b\x0c]")
MOST_FIELDS: Final = 12
TAI64N: Final = re.compile(rb"@([0-9a-f]{16})([0-9a-f]{8})")
TAI_AT_EPOCH: Final = (1 << 62) + 10
UNSIGNED_LONG: Final = (1 << 64) - 1
DIGITS: Final = re.compile(rb"[0-9]*")
IGNORED: Final = frozenset(
    {b"status:", b"number", b"local", b"remote", b"local:", b"remote:", b"qmail-daemon:"}
)
PASSED: Final = frozenset({b"warning:", b"alert:"})


class Numbered(Protocol):
    """What is kept under a number."""

    number: int


@dataclass(slots=True)
class Message:
    """A message in the queue."""

    number: int
    birth: bytes
    size: int
    sender: bytes
    qp: int
    uid: int
    succeeded: int = 0
    failed: int = 0
    deferred: int = 0


@dataclass(slots=True)
class Delivery:
    """A delivery under way."""

    number: int
    message: int
    channel: bytes
    recipient: bytes
    start: bytes


T = TypeVar("T", bound=Numbered)


class Table(Generic[T]):
    """Items by number, in the original's order: the last one takes the place of one that goes."""

    def __init__(self) -> None:
        self.items: list[T] = []
        self._place: dict[int, int] = {}

    def get(self, number: int) -> T | None:
        """The item of that number."""
        place = self._place.get(number)
        return None if place is None else self.items[place]

    def put(self, item: T) -> None:
        """Add an item, in the place of the one of that number if there is one."""
        place = self._place.setdefault(item.number, len(self.items))
        self.items[place : place + 1] = (item,)

    def pop(self, number: int) -> T | None:
        """Take an item out."""
        place = self._place.pop(number, None)
        if place is None:
            return None
        item, last = self.items[place], self.items.pop()
        if last is not item:
            self.items[place] = last
            self._place[last.number] = place
        return item

    def clear(self) -> None:
        """Take all items out."""
        self.items.clear()
        self._place.clear()


class Matchup:
    """The state between lines: messages in the queue and deliveries under way."""

    def __init__(self) -> None:
        self.messages: Table[Message] = Table()
        self.deliveries: Table[Delivery] = Table()
        self._handlers: dict[bytes, Callable[[list[bytes]], bytes]] = {
            b"info": self._info,
            b"new": self._new,
            b"end": self._end,
            b"starting": self._starting,
            b"delivery": self._delivery,
            b"extra": self._extra,
            b"running": self._clear,
            b"exiting": self._clear,
        }

    def read(self, block: bytes) -> bytes:
        """Whole lines in, lines out."""
        split = FIELD.findall if NOT_PLAIN.search(block) else bytes.split
        return b"".join(self._outputs(block.removesuffix(b"\n").split(b"\n"), split))

    def pending(self) -> bytes:
        """The state as lines: what a next run must read before its own input."""
        lines = []
        for message in self.messages.items:
            lines.append(
                b"%b info msg %d: bytes %d from %b qp %d uid %d\n"
                % (message.birth, message.number, message.size, message.sender, message.qp, message.uid)
            )
            results = (message.number, message.succeeded, message.deferred, message.failed)
            lines.append(b"%b extra %d %d %d %d\n" % (message.birth, *results))
        lines.extend(
            b"%b starting delivery %d: msg %d to %b %b\n"
            % (delivery.start, delivery.number, delivery.message, delivery.channel, delivery.recipient)
            for delivery in self.deliveries.items
        )
        return b"".join(lines)

    def _outputs(self, lines: Iterable[bytes], split: Callable[[bytes], list[bytes]]) -> Iterable[bytes]:
        handlers = self._handlers
        for line in lines:
            record = split(line)
            what = record[1] if len(record) > 1 else b""
            if handler := handlers.get(what):
                if len(record) < MOST_FIELDS:
                    record += [b""] * (MOST_FIELDS - len(record))
                yield handler(record)
            elif what in PASSED:
                yield line + b"\n"
            elif what not in IGNORED:
                yield b"? " + line + b"\n"

    def _info(self, record: list[bytes]) -> bytes:
        size, qp, uid = unsigned(record[5]), unsigned(record[9]), unsigned(record[11])
        self.messages.put(Message(unsigned(record[3]), seconds(record[0]), size, record[7].lower(), qp, uid))
        return b""

    def _new(self, record: list[bytes]) -> bytes:
        self.messages.pop(unsigned(record[3]))
        return b""

    def _end(self, record: list[bytes]) -> bytes:
        message = self.messages.pop(unsigned(record[3]))
        if message is None:
            return b""
        return b"m %b %b %d %d %d %d %b %d %d\n" % (
            message.birth,
            seconds(record[0]),
            message.size,
            message.succeeded,
            message.failed,
            message.deferred,
            message.sender,
            message.qp,
            message.uid,
        )

    def _starting(self, record: list[bytes]) -> bytes:
        number, message = unsigned(record[3]), unsigned(record[5])
        start = seconds(record[0])
        self.deliveries.put(Delivery(number, message, record[7], record[8].lower(), start))
        return b""

    def _delivery(self, record: list[bytes]) -> bytes:
        delivery = self.deliveries.pop(unsigned(record[2]))
        if delivery is None:
            return b""
        message = self.messages.get(delivery.message)
        start, reason = _result(message, record[3], record[4])
        done = seconds(record[0])
        if message is None:
            return b"%b%b %b %b 0 ? %b.%b ? ? %b\n" % (
                start,
                delivery.start,
                delivery.start,
                done,
                delivery.channel,
                delivery.recipient,
                reason,
            )
        return b"%b%b %b %b %d %b %b.%b %d %d %b\n" % (
            start,
            message.birth,
            delivery.start,
            done,
            message.size,
            message.sender,
            delivery.channel,
            delivery.recipient,
            message.qp,
            message.uid,
            reason,
        )

    def _extra(self, record: list[bytes]) -> bytes:
        if message := self.messages.get(unsigned(record[2])):
            message.succeeded = unsigned(record[3])
            message.deferred = unsigned(record[4])
            message.failed = unsigned(record[5])
        return b""

    def _clear(self, record: list[bytes]) -> bytes:
        self.deliveries.clear()
        return b""


def unsigned(text: bytes) -> int:
    """The number that the text begins with, 0 without one, within 64 bits."""
    digits = DIGITS.match(text)
    assert digits
    return int(digits[0] or b"0") & UNSIGNED_LONG


def seconds(stamp: bytes) -> bytes:
    """A stamp as decimal seconds since 1970: a TAI64N label is converted, all else is as it was."""
    if stamp.startswith(b"@") and (label := TAI64N.fullmatch(stamp)):
        since_1970 = int(label[1], 16) - TAI_AT_EPOCH
        if since_1970 >= 0:
            return b"%d.%09d" % (since_1970, int(label[2], 16))
    return stamp


def _result(message: Message | None, word: bytes, reason: bytes) -> tuple[bytes, bytes]:
    """How the output line begins, and the reason; the message is told the result."""
    if word.startswith(b"succ"):
        if message:
            message.succeeded += 1
        return b"d k ", reason
    if word.startswith(b"fail"):
        if message:
            message.failed += 1
        return b"d d ", reason
    if word.startswith((b"defer", b"report")):
        if message:
            message.deferred += 1
        return b"d z ", reason if word.startswith(b"defer") else b"report_mangled"
    # The original sets no space here: the line begins ?BIRTH.
    return b"?", b""
