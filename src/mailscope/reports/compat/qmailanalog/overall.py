"""``zoverall``: the totals of all messages and deliveries.

In: lines of ``matchup``.  Out: lines of text.  Messages count when they have left the queue, deliveries
when they have ended.  qtime is done minus birth, ddelay ddone minus birth (successes only), xdelay ddone
minus dstart; all in seconds, summed in the order of the lines, as the last digits depend on it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailscope.reports.compat.qmailanalog.numbers import (
    fixed,
    less,
    number,
    numbers,
    numeric,
    numerics,
    printed,
    quotient,
)
from mailscope.reports.compat.qmailanalog.records import Readable, Record, blocks, column, lines_of, split_all

SECONDS_PER_DAY: Final = 86400
SUCCESS: Final = b"d k"
FAILURE: Final = b"d d"


class Span:
    """The earliest and the latest instant, kept as the fields they came from."""

    def __init__(self) -> None:
        self.first = self.last = b""
        self._seen = False

    def add(self, starts: list[bytes], ends: list[bytes]) -> None:
        """Widen the span.  Instants that are no numbers compare as texts, as awk's fields do."""
        started, ended = numerics(starts), numerics(ends)
        if (
            started
            and ended
            and (not self._seen or (numeric(self.first), numeric(self.last)).count(None) == 0)
        ):
            # All are numbers: the smallest and the largest will do.
            starts = [starts[started.index(min(started))]]
            ends = [ends[ended.index(max(ended))]]
        for start, end in zip(starts, ends, strict=True):
            if not self._seen or less(start, self.first):
                self.first = start
            if not self._seen or less(self.last, end):
                self.last = end
            self._seen = True


class Totals:
    """Everything that the report says."""

    def __init__(self) -> None:
        self.messages = self.deliveries = self.succeeded = self.failed = 0
        self.recipients = self.tries = self.size = self.size_by_success = 0.0
        self.qtime = self.ddelay = self.xdelay = 0.0
        self.span = Span()

    def add_messages(self, batch: list[Record]) -> None:
        """Count message lines."""
        births, ends, sizes, *results = (numbers(column(batch, at)) for at in range(2, 8))
        self.messages += len(batch)
        for birth, done, size, succeeded, failed, deferred in zip(births, ends, sizes, *results, strict=True):
            self.size += size
            self.size_by_success += size * succeeded
            self.qtime += done - birth
            self.recipients += succeeded + failed
            self.tries += succeeded + failed + deferred

    def add_deliveries(self, batch: list[Record], results: list[bytes]) -> None:
        """Count delivery lines, which begin with ``results``."""
        births, starts, ends = (numbers(column(batch, at)) for at in (3, 4, 5))
        self.deliveries += len(batch)
        self.succeeded += results.count(SUCCESS)
        self.failed += results.count(FAILURE)
        for result, birth, started, done in zip(results, births, starts, ends, strict=True):
            if result == SUCCESS:
                self.ddelay += done - birth
            self.xdelay += done - started

    def lines(self) -> Iterator[bytes]:
        """The report's lines."""
        yield b"Completed messages: %d" % self.messages
        if self.messages:
            yield b"Recipients for completed messages: " + printed(self.recipients)
            yield b"Total delivery attempts for completed messages: " + printed(self.tries)
            average = printed(self.tries / self.messages)
            yield b"Average delivery attempts per completed message: " + average
            yield b"Bytes in completed messages: " + printed(self.size)
            yield b"Bytes weighted by success: " + printed(self.size_by_success)
            yield b"Average message qtime (s): " + printed(self.qtime / self.messages)
        yield b""
        yield b"Total delivery attempts: %d" % self.deliveries
        if self.deliveries:
            yield from self._delivery_lines()

    def _delivery_lines(self) -> Iterator[bytes]:
        yield b"  success: %d" % self.succeeded
        yield b"  failure: %d" % self.failed
        yield b"  deferral: %d" % (self.deliveries - self.succeeded - self.failed)
        yield b"Total ddelay (s): " + fixed(self.ddelay, 6)
        if self.succeeded:
            yield b"Average ddelay per success (s): " + fixed(self.ddelay / self.succeeded, 6)
        yield b"Total xdelay (s): " + fixed(self.xdelay, 6)
        yield b"Average xdelay per delivery attempt (s): " + fixed(self.xdelay / self.deliveries, 6)
        if less(self.span.first, self.span.last):
            span_s = number(self.span.last) - number(self.span.first)
            yield b"Time span (days): " + printed(span_s / SECONDS_PER_DAY)
            yield b"Average concurrency: " + printed(quotient(self.xdelay, span_s))


def overall(stream: Readable) -> Iterator[bytes]:
    """The lines of the report, without its heading."""
    totals = Totals()
    for block in blocks(stream):
        lines = [line for line in lines_of(block) if line.startswith((b"m", b"d"))]
        batch = split_all(block, lines)
        messages = [record for record in batch if record[0].startswith(b"m")]
        deliveries = [record for record in batch if record[0].startswith(b"d")]
        totals.add_messages(messages)
        totals.add_deliveries(deliveries, [line[:3] for line in lines if line.startswith(b"d")])
        starts = [record[1 if record[0].startswith(b"m") else 2] for record in batch]
        ends = [record[2 if record[0].startswith(b"m") else 4] for record in batch]
        totals.span.add(starts, ends)
    yield from totals.lines()
