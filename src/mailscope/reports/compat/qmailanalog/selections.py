"""``xsender``, ``xrecipient``, ``xqp``: the lines of ``matchup`` about one sender, recipient or message.

In: lines of ``matchup``; an address or number.  Out: those lines, as they are.

- xsender A: message lines (field 8) and delivery lines (field 7) whose sender is ``<A>``.
- xrecipient C.R: delivery lines whose field 8 is channel, dot, recipient, such as local.user@example.org.
- xqp Q: message and delivery lines whose field 9 is Q.  It is a process id, and so used again within
  the hour on a busy host.

The argument is compared as awk compares it: by value if both sides look like numbers.  ``matchup``
writes addresses in lower case, so write them so here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import compress
from typing import Final

from mailscope.reports.compat.qmailanalog.numbers import numeric, numerics, unescaped
from mailscope.reports.compat.qmailanalog.records import Readable, blocks, lines_of, split_all

MESSAGE, DELIVERY = b"m", b"d"
SENDER: Final = {DELIVERY: 7, MESSAGE: 8}
RECIPIENT: Final = {DELIVERY: 8}
LONG_TERM_ID: Final = {DELIVERY: 9, MESSAGE: 9}


def xsender(stream: Readable, address: bytes) -> Iterator[bytes]:
    """Lines whose sender is the address; without one, bounces (``<>``)."""
    return _selected(stream, SENDER, unescaped(b"<" + address + b">"))


def xrecipient(stream: Readable, recipient: bytes) -> Iterator[bytes]:
    """Delivery lines to CHANNEL.RECIPIENT."""
    return _selected(stream, RECIPIENT, unescaped(recipient))


def xqp(stream: Readable, qp: bytes) -> Iterator[bytes]:
    """Lines of the message with that long-term queue identifier."""
    return _selected(stream, LONG_TERM_ID, unescaped(qp))


def _selected(stream: Readable, where: Mapping[bytes, int], wanted: bytes) -> Iterator[bytes]:
    value = numeric(wanted)
    for block in blocks(stream):
        if value is None and wanted not in block:
            continue
        lines = [
            line for line in lines_of(block) if line[:1] in where and (value is not None or wanted in line)
        ]
        batch = split_all(block, lines)
        found = [record[where[line[:1]] - 1] for line, record in zip(lines, batch, strict=True)]
        if value is None:
            yield from compress(lines, (text == wanted for text in found))
        else:
            values = numerics(found) or map(numeric, found)
            yield from compress(lines, (each == value for each in values))
