"""``recipients``, ``rhosts``, ``rxdelay``: what each recipient, or each host, was sent.

In: delivery lines of ``matchup``.  Out: ``sbytes mess tries xdelay`` and the recipient (CHANNEL.ADDRESS)
or host (what follows the last ``@``; all of it where there is none), in the order of first sight: awk's
own order is not defined.  ``rxdelay`` takes lines of ``recipients`` and gives ``avg tries recipient``,
the quickest first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

from mailscope.reports.compat.qmailanalog.numbers import fixed, number, numbers, printed, quotient
from mailscope.reports.compat.qmailanalog.ordering import by_value
from mailscope.reports.compat.qmailanalog.records import Readable, batches, column


class Received:
    """What one recipient or host was sent."""

    __slots__ = ("results", "sbytes", "xdelay")

    def __init__(self) -> None:
        self.xdelay = self.sbytes = 0.0
        self.results = {b"k": 0, b"d": 0, b"z": 0}

    def add(self, result: bytes, took_s: float, size: float) -> None:
        """Count a delivery: how it ended, how long it took, its size if it succeeded."""
        self.xdelay += took_s
        if result in self.results:
            self.results[result] += 1
            if result == b"k":
                self.sbytes += size

    def row(self) -> bytes:
        """``sbytes mess tries xdelay``."""
        messages = self.results[b"k"] + self.results[b"d"]
        tries = messages + self.results[b"z"]
        return b"%b %d %d %b" % (printed(self.sbytes), messages, tries, fixed(self.xdelay, 2))


def recipients(stream: Readable) -> Iterator[bytes]:
    """Per channel and recipient address."""
    return _received(stream, lambda recipient: recipient)


def rhosts(stream: Readable) -> Iterator[bytes]:
    """Per recipient host."""
    return _received(stream, lambda recipient: recipient.rpartition(b"@")[2])


def rxdelay(stream: Readable) -> Iterator[bytes]:
    """Average xdelay per recipient, of lines of ``recipients``."""
    rows = []
    for record in chain.from_iterable(batches(stream)):
        _, _, tries, xdelay, recipient = record[:5]
        average = quotient(number(xdelay), number(tries))
        rows.append(b"%b %b %b" % (fixed(average, 2), tries, recipient))
    yield from sorted(rows, key=by_value)


def _received(stream: Readable, key: Callable[[bytes], bytes]) -> Iterator[bytes]:
    received: dict[bytes, Received] = {}
    for batch in batches(stream, b"d"):
        starts, ends, sizes = (numbers(column(batch, at)) for at in (4, 5, 6))
        found = zip(map(key, column(batch, 8)), column(batch, 2), starts, ends, sizes, strict=True)
        for who, result, started, done, size in found:
            if who not in received:
                received[who] = Received()
            received[who].add(result, done - started, size)
    for who, figures in received.items():
        yield b"%b %b" % (figures.row(), who)
