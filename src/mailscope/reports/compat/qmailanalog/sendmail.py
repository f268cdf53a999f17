"""``zsendmail``: every message and delivery as a line in the manner of sendmail's log.

In: lines of ``matchup``.  Out: a ``to=`` line per delivery, a ``from=`` line per message, all other
lines as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from mailscope.reports.compat.qmailanalog.numbers import fixed, numbers, printed
from mailscope.reports.compat.qmailanalog.records import Readable, Record, blocks, column, lines_of, split_all

STATUS: Final = {b"k": b"Sent", b"d": b"Failed"}
OTHER_STATUS: Final = b"Deferred"
MICROSECONDS: Final = 6


def zsendmail(stream: Readable) -> Iterator[bytes]:
    """The lines, in the order of the input."""
    for block in blocks(stream):
        lines = lines_of(block)
        deliveries = _deliveries(split_all(block, [line for line in lines if line.startswith(b"d")]))
        messages = _messages(split_all(block, [line for line in lines if line.startswith(b"m")]))
        for line in lines:
            if line.startswith(b"d"):
                yield next(deliveries)
            elif line.startswith(b"m"):
                yield next(messages)
            else:
                yield line


def _deliveries(batch: list[Record]) -> Iterator[bytes]:
    births, starts, ends = (numbers(column(batch, at)) for at in (3, 4, 5))
    for record, birth, started, done in zip(batch, births, starts, ends, strict=True):
        _, result, _, _, end, _, _, recipient, qp, uid, reason = record[:11]
        ddelay, xdelay = fixed(done - birth, MICROSECONDS), fixed(done - started, MICROSECONDS)
        status = STATUS.get(result, OTHER_STATUS)
        yield b"%b qp %b: to=%b, uid=%b, ddelay=%b, xdelay=%b, stat=%b (%b)" % (
            *(end, qp, recipient, uid),
            *(ddelay, xdelay, status, reason),
        )


def _messages(batch: list[Record]) -> Iterator[bytes]:
    births, ends, successes, failures = (numbers(column(batch, at)) for at in (2, 3, 5, 6))
    for record, birth, done, succeeded, failed in zip(batch, births, ends, successes, failures, strict=True):
        _, _, end, size, _, _, deferred, sender, qp, uid = record[:10]
        recipients, qtime = printed(succeeded + failed), fixed(done - birth, MICROSECONDS)
        yield b"%b qp %b: from=%b, uid=%b, size=%b, nrcpts=%b, deferrals=%b, qtime=%b" % (
            *(end, qp, sender, uid, size),
            *(recipients, deferred, qtime),
        )
