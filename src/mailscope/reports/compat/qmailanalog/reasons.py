"""``deferrals``, ``failures``, ``successes``: how often each reason ended a delivery, and the time it took.

In: lines of ``matchup``.  Out: ``del xdelay reason`` per reason, in the order of first sight: awk's own
order is not defined.  xdelay is ddone minus dstart, in seconds, summed in the order of the lines.
"""

from __future__ import annotations

from collections.abc import Iterator

from mailscope.reports.compat.qmailanalog.numbers import fixed, numbers
from mailscope.reports.compat.qmailanalog.records import Readable, batches, column


def deferrals(stream: Readable) -> Iterator[bytes]:
    """Reasons of deliveries that will be tried again."""
    return _reasons(stream, b"d z")


def failures(stream: Readable) -> Iterator[bytes]:
    """Reasons of deliveries that failed for good."""
    return _reasons(stream, b"d d")


def successes(stream: Readable) -> Iterator[bytes]:
    """Reasons of deliveries that succeeded."""
    return _reasons(stream, b"d k")


def _reasons(stream: Readable, start: bytes) -> Iterator[bytes]:
    deliveries: dict[bytes, int] = {}
    xdelay: dict[bytes, float] = {}
    for batch in batches(stream, start):
        starts, ends = numbers(column(batch, 4)), numbers(column(batch, 5))
        for reason, started, done in zip(column(batch, 11), starts, ends, strict=True):
            deliveries[reason] = deliveries.get(reason, 0) + 1
            xdelay[reason] = xdelay.get(reason, 0.0) + (done - started)
    for reason, count in deliveries.items():
        yield b"%d %b %b" % (count, fixed(xdelay[reason], 2), reason)
