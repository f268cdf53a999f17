"""The queue as ``exim -bp`` (mailq) prints it, byte for byte, without Exim.

Source: queue_list() of queue.c and string_format_size() of string.c, Exim 4.96.  Named queues are left out as
there.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

from mailscope.queues.entry import Spool
from mailscope.queues.exim.files import Message, messages
from mailscope.queues.exim.reader import delivered, size


def lines(spool: Spool, words: Sequence[str]) -> Iterator[bytes]:
    """The listing; each message ends with an empty line."""
    for message in messages(spool):
        if message.named:
            continue
        try:
            yield from _message(message, spool)
        except FileNotFoundError:
            continue
        except OSError as error:
            spool.tell(f"{message.path('H')}: {error.strerror}")


def _message(message: Message, spool: Spool) -> Iterator[bytes]:
    header = message.read()
    whole_envelope = not header.fault or header.in_header
    age = ""
    if whole_envelope:
        age = _age(int(spool.now) - (header.arrival_time or 0))
    counted = size(message, header, []) if whole_envelope else 0
    # Longer ids are cut, too.
    head = f"{age}{_size(counted)} {message.queue_id[:16]}".encode()
    if whole_envelope and header.sender is not None:
        head += b" <" + header.sender + b">"
        if b"sender_set_untrusted" in header.options:
            head += b" (" + header.login + b")"
    if header.fault:
        yield head
        head = b"    *** spool format error: size=%d ***" % os.stat(message.path("H")).st_size
        if not header.in_header:
            yield head
            yield b""
            return
    yield head + (b" *** frozen ***" if b"frozen" in header.options else b"")
    if header.recipients:
        done = header.done | delivered(message)
        for each in header.recipients:
            yield b"        " + (b"D " if each in done else b"  ") + each
        yield b""


def _age(seconds: int) -> str:
    minutes = int(seconds / 60)
    if minutes <= 90:
        return f"{minutes:2d}m "
    hours = (minutes + 30) // 60
    return f"{(hours + 12) // 24:2d}d " if hours > 72 else f"{hours:2d}h "


def _size(count: int) -> str:
    if count == 0:
        return "     "
    for unit, name in ((1, ""), (1 << 10, "K"), (1 << 20, "M")):
        if unit == 1:
            if count < 1024:
                return f"{count:5d}"
        elif count < 10 * unit:
            return f"{count / unit:4.1f}{name}"
        elif count < 1024 * unit or name == "M":
            return f"{(count + unit // 2) // unit:4d}{name}"
    raise AssertionError  # every count ends in M
