"""``senders``, ``suids``: what each sender, or each user id, sent.

In: lines of ``matchup``.  Out: ``mess bytes sbytes rbytes recips tries xdelay`` and the sender (as
``uid/<address>``) or uid, in the order of first sight: awk's own order is not defined.  All but xdelay
come from message lines, so messages still in the queue do not count; xdelay is that of all deliveries.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mailscope.reports.compat.qmailanalog.numbers import fixed, number, numbers, printed
from mailscope.reports.compat.qmailanalog.records import Readable, Record, blocks, column, lines_of, split_all

Key = Callable[[Record], bytes]


class Sent:
    """What one sender sent, by its message lines."""

    __slots__ = ("failed", "messages", "rbytes", "sbytes", "size", "succeeded", "tried_again")

    def __init__(self) -> None:
        self.messages = 0
        self.size = self.sbytes = self.rbytes = 0.0
        self.succeeded = self.failed = self.tried_again = 0.0

    def add(self, message: Record) -> None:
        """Count a message line: its size, successes, failures and deferrals."""
        size, succeeded, failed, deferred = map(number, message[3:7])
        self.messages += 1
        self.size += size
        self.sbytes += size * succeeded
        self.rbytes += size * (succeeded + failed)
        self.succeeded += succeeded
        self.failed += failed
        self.tried_again += deferred

    def row(self) -> bytes:
        """``mess bytes sbytes rbytes recips tries``."""
        recipients = self.succeeded + self.failed
        figures = (
            self.messages,
            self.size,
            self.sbytes,
            self.rbytes,
            recipients,
            recipients + self.tried_again,
        )
        return b" ".join(map(printed, figures))


def senders(stream: Readable) -> Iterator[bytes]:
    """Per user id and return path."""
    return _senders(
        stream,
        lambda message: message[9] + b"/" + message[7],
        lambda delivery: delivery[9] + b"/" + delivery[6],
    )


def suids(stream: Readable) -> Iterator[bytes]:
    """Per user id of the sending user."""
    return _senders(stream, lambda message: message[9], lambda delivery: delivery[9])


def _senders(stream: Readable, of_message: Key, of_delivery: Key) -> Iterator[bytes]:
    sent: dict[bytes, Sent] = {}
    xdelay: dict[bytes, float] = {}
    for block in blocks(stream):
        lines = lines_of(block)
        for message in split_all(block, [line for line in lines if line.startswith(b"m")]):
            sender = of_message(message)
            if sender not in sent:
                sent[sender] = Sent()
            sent[sender].add(message)
        deliveries = split_all(block, [line for line in lines if line.startswith(b"d")])
        starts, ends = numbers(column(deliveries, 4)), numbers(column(deliveries, 5))
        for sender, started, done in zip(map(of_delivery, deliveries), starts, ends, strict=True):
            xdelay[sender] = xdelay.get(sender, 0.0) + (done - started)
    for sender, figures in sent.items():
        yield b"%b %b %b" % (figures.row(), fixed(xdelay.get(sender, 0.0), 6), sender)
