"""A queue written line by line, as a table or as JSON; a long one by two processes, which share its files."""

from __future__ import annotations

import gc
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from typing import TYPE_CHECKING, Any, Final

from mailscope.second_process import SecondProcess

if TYPE_CHECKING:
    from mailscope.cli.queue_options import Asked
    from mailscope.queues.entry import QueueEntry
    from mailscope.queues.selection import Selection

# From so many files on, another process pays: it takes a third of a second to begin.
LONG: Final = 5_000
PART: Final = 500


@dataclass(frozen=True)
class Part:
    """Some of the listing: its text, how many messages it tells of and how large they are."""

    text: str
    messages: int
    size_bytes: int
    troubles: tuple[str, ...] = ()


@dataclass(frozen=True)
class Listing:
    """How messages are written: ``form`` text or json; ``every`` recipient; in ``cut`` columns at most."""

    form: str
    every: bool
    cut: int | None
    now: float

    @property
    def causes(self) -> bool:
        """Whether it tells the causes of reasons."""
        return self.every or self.form == "json"

    def part(self, entries: Iterable[QueueEntry]) -> Part:
        """Write messages."""
        from mailscope.cli.queue_text import message

        lines: list[str] = []
        count = size = 0
        for entry in entries:
            count, size = count + 1, size + entry.size_bytes
            if self.form == "json":
                # All but ASCII as escapes, so that bytes that are no text stay what they are, too.
                lines.append(json.dumps(plain(entry)).replace("\x7f", "\\u007f"))
            else:
                lines += message(entry, self.now, self.cut, every=self.every)
        lines.append("")
        return Part("\n".join(lines), count, size)


def plain(entry: QueueEntry) -> dict[str, Any]:
    """An entry as JSON gives it: what ``postqueue -j`` tells, under its names, then what it does not tell."""
    recipients = []
    for each in entry.recipients:
        told = {"address": each.recipient}
        if each.reason:
            told |= {"delay_reason": each.reason, "dsn_status": each.dsn_status, "cause": each.cause}
        recipients.append(told | {"status": each.status})
    return {
        "queue_name": entry.queue,
        "queue_id": entry.queue_id,
        "arrival_time": None if entry.arrival_time is None else int(entry.arrival_time),
        "message_size": entry.size_bytes,
        "forced_expire": entry.forced_expire,
        "sender": entry.sender,
        "recipients": recipients,
        "attempts": entry.attempts,
        "attempts_estimated": entry.attempts_estimated,
        "last_attempt_time": entry.last_attempt_time,
        "next_retry_time": entry.next_retry_time,
        "reason": entry.reason,
        "problems": entry.problems,
    }


def whole(part: Part, listing: Listing) -> Iterator[str]:
    """A listing of one part, with its head and its sum."""
    return _framed(iter([part]), listing)


def written(queue: Asked, selection: Selection, listing: Listing) -> Iterator[str]:
    """The listing of what is meant of a queue."""
    parts = queue.mta.parts()
    if parts is None or not parts.readable(queue.spool):
        entries = queue.entries(selection, causes=listing.causes)
        return _framed((listing.part(some) for some in _some(entries)), listing)
    files = list(parts.files(queue.spool))
    pieces = [files[start : start + PART] for start in range(0, len(files), PART)]
    if len(files) < LONG:
        return _framed((_read(queue, selection, listing, piece) for piece in pieces), listing)
    return _framed(_shared(queue, selection, listing, pieces), listing)


@contextmanager
def uncollected() -> Iterator[None]:
    """Without looking for what refers to itself in circles: nothing here does, and it takes a tenth of the
    time.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def _framed(parts: Iterator[Part], listing: Listing) -> Iterator[str]:
    from mailscope.cli.queue_text import HEAD

    text = listing.form == "text"
    if text:
        yield HEAD + "\n"
    count = size = 0
    for part in parts:
        count, size = count + part.messages, size + part.size_bytes
        yield part.text
    if text:
        yield f"{count:,} message{'' if count == 1 else 's'}, {size:,} bytes\n"


def _read(queue: Asked, selection: Selection, listing: Listing, files: list[Any]) -> Part:
    """The messages of some files."""
    parts = queue.mta.parts()
    assert parts is not None
    entries = parts.read(queue.spool, files)
    return listing.part(queue.chosen(entries, selection, causes=listing.causes))


def _shared(queue: Asked, selection: Selection, listing: Listing, pieces: list[list[Any]]) -> Iterator[Part]:
    """Every other piece is read by another process; what it has is never less than one piece ahead."""
    with SecondProcess(work) as other:
        spool = replace(queue.spool, tell=_nobody)
        other.pipe.send((queue.mta.name, spool, selection, listing))
        for piece in pieces[0:4:2]:
            other.pipe.send(piece)
        for place in range(0, len(pieces), 2):
            mine = _read(queue, selection, listing, pieces[place + 1]) if place + 1 < len(pieces) else None
            theirs: Part = other.pipe.recv()
            if place + 4 < len(pieces):
                other.pipe.send(pieces[place + 4])
            queue.troubles.extend(theirs.troubles)
            yield theirs
            if mine is not None:
                yield mine
        other.pipe.send(None)


def work(pipe: Connection) -> None:
    """The other process: pieces in, parts out, until there is no more."""
    from mailscope.cli.queue_options import Asked
    from mailscope.queues.registry import BY_NAME

    gc.disable()
    name, spool, selection, listing = pipe.recv()
    troubles: list[str] = []
    queue = Asked(BY_NAME[name], replace(spool, tell=troubles.append), troubles)
    while (piece := pipe.recv()) is not None:
        part = _read(queue, selection, listing, piece)
        pipe.send(replace(part, troubles=tuple(troubles)))
        troubles.clear()


def _nobody(words: str) -> None:
    """Stands for who is told, where that cannot go to another process."""


def _some(entries: Iterator[QueueEntry]) -> Iterator[list[QueueEntry]]:
    """Some entries at a time."""
    some: list[QueueEntry] = []
    for entry in entries:
        some.append(entry)
        if len(some) == PART:
            yield some
            some = []
    yield some
