"""The same flow over the two halves of one large file, side by side in two processes.

Threads share Python's lock, and every step needs some Python; two processes do not.  The second half is
followed by a PartialTracker in a child process; its tallies are merged with those of the first half, and what
may belong to messages of the first half is followed here.  The result is that of the whole, exactly:
where the halves cannot be joined so that this is certain, PartsDoNotJoin says so, and the caller goes
through the file once more from its beginning.
"""

from __future__ import annotations

import contextlib
import ctypes
import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mailscope.intake.reader import ReadReport
    from mailscope.intake.sources import Sources
    from mailscope.sequence.selection import Selection
    from mailscope.tallies.ledger import Ledger
    from mailscope.trails.partial import PartialTracker
    from mailscope.trails.tracker import Tracker

# A smaller file is read before a second process is ready.
SMALLEST: Final = 64 << 20
# How far the halves' instants may be apart for their years to agree, and how far late lines go back.
APART: Final = timedelta(days=45)
LATE: Final = timedelta(days=2)
PR_SET_PDEATHSIG: Final = 1
# There are two processes to hold chunks, so each holds smaller ones.
CHUNK_BYTES: Final = 4 << 20


@dataclass
class Half:
    """What following one half came to.  ``certain``: its first line told its own instant."""

    ledger: Ledger
    report: ReadReport
    tracker: PartialTracker | None = None
    first: datetime | None = None
    last: datetime | None = None
    certain: bool = True


class Inline(Executor):
    """Does work at once, in the caller's thread."""

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Run the work and give its result as a finished Future."""
        future: Future[Any] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


@dataclass
class Task:
    """Everything that either process needs to know."""

    sources: Sources
    patterns: Path | None
    selection: Selection
    middle: int


def worthwhile(names: tuple[str, ...]) -> bool:
    """Whether one large regular file is all there is to read, and two processes may run."""
    if len(names) != 1 or int(os.environ.get("MAILSCOPE_THREADS", "2")) < 2:
        return False
    try:
        path = Path(names[0])
        with path.open("rb") as file:
            head = file.read(2)
        large = path.is_file() and path.stat().st_size >= (SMALLEST // 8 if head == b"\x1f\x8b" else SMALLEST)
    except OSError:
        return False
    return large and (os.cpu_count() or 1) > 1


def middle_of(path: str, size: int, compression: str) -> int | None:
    """A place near the middle of a source's text; None where it cannot be told beforehand."""
    if compression == "none":
        return size // 2
    if compression == "gz":
        # The last four bytes give the length of the text (RFC 1952), modulo 2**32 and of the last member
        # only: a wrong middle makes halves of unequal size, nothing worse.
        with open(path, "rb") as file:
            file.seek(-4, os.SEEK_END)
            return int.from_bytes(file.read(4), "little") // 2
    return None


def count(task: Task) -> Ledger:
    """Tallies of the whole file.

    Raises PartsDoNotJoin where only following the file from its beginning is certain to be right.
    """
    from mailscope.trails.partial import PartsDoNotJoin
    from mailscope.trails.tracker import Tracker

    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_second, args=(there, task, os.getpid()), daemon=True)
    child.start()
    there.close()
    try:
        tracker = Tracker(detail=False)
        first = follow(task, tracker, second=False)
        try:
            second = here.recv()
        except EOFError as error:
            raise PartsDoNotJoin from error
    finally:
        here.close()
        child.join(timeout=1)
        if child.is_alive():
            child.kill()
    if not isinstance(second, Half):
        raise PartsDoNotJoin
    return joined(task, tracker, first, second)


def joined(task: Task, tracker: Tracker, first: Half, second: Half) -> Ledger:
    """Tallies of the whole, from both halves and the first one's tracker."""
    from mailscope.trails.partial import PartsDoNotJoin, join

    if second.tracker is None or not _in_sequence(first, second, task):
        raise PartsDoNotJoin
    shown = task.sources.reports[task.sources.files[0].name]
    for half in (first, second):
        shown.problems.extend(half.report.problems)
        shown.cut_lines += half.report.cut_lines
    ledger = first.ledger
    ledger.add([], join(tracker, second.tracker))
    ledger.merge(second.ledger)
    ledger.add([], tracker.finish())
    return ledger


def _in_sequence(first: Half, second: Half, task: Task) -> bool:
    """Whether the second half's instants go on where the first's end: same year, same side of an hour."""
    if not second.ledger.totals.get("read"):
        return True
    if not second.certain or first.last is None or second.first is None:
        return False
    if not -LATE <= second.first - first.last <= APART:
        return False
    for instant in (first.last, second.first):
        local = instant.replace(tzinfo=UTC).astimezone(task.sources.zone)
        if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
            return False
    return True


def _second(pipe: Connection, task: Task, parent: int) -> None:
    """The child's work."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Should the parent die, this half is of no use to anybody (only Linux has this call).
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        return
    from mailscope.intake.clock import YearDisproved
    from mailscope.trails.partial import PartialTracker

    tracker = PartialTracker(detail=False, next_trail=1 << 48)
    try:
        half = follow(task, tracker, second=True)
    except YearDisproved:
        pipe.close()
        return
    half.tracker = tracker
    pipe.send(half)
    pipe.close()


def follow(task: Task, tracker: Tracker, *, second: bool) -> Half:
    """Follow one half with a tracker and count it."""
    from mailscope.intake.reader import ReadReport
    from mailscope.recognise.engine import Engine
    from mailscope.recognise.library import in_force
    from mailscope.sequence.merge import Pending, merge
    from mailscope.sequence.stream import Stream
    from mailscope.tallies.ledger import Ledger
    from mailscope.tallies.tables import needed_fields

    opened = task.sources.opened()[0]
    engine = Engine(in_force(task.patterns), needed_fields())
    clock = opened.clock()
    if second:
        # What a clock knows of the file's first line says nothing about the middle.
        clock.last = clock.month = None
    report = ReadReport()
    chunks = _chunks(task, report, None if second else task.sources.reports[opened.name])
    stream = Stream(opened.name, chunks, clock, engine, Inline(), 1, set_id=opened.set_id)
    half = Half(Ledger(), report)
    batches = merge([Pending(None, lambda: stream)])
    while (batch := next(batches, None)) is not None:
        if half.first is None:
            _note_beginning(half, batch)
        last = batch[-1].time.drop_nulls()
        if len(last) and isinstance(last[-1], datetime):
            half.last = last[-1]
        batch = [task.selection.apply(events) for events in batch]
        half.ledger.add(batch, tracker.feed(batch))
        del batch
    return half


def _note_beginning(half: Half, batch: list[Any]) -> None:
    from mailscope.intake.envelopes.header import UNKNOWN

    first = batch[0].time[0]
    quality = batch[0].quality
    half.certain = (quality[0] if not isinstance(quality, int) else quality) != UNKNOWN
    half.first = first if isinstance(first, datetime) else None


def _chunks(task: Task, report: ReadReport, shown: ReadReport | None) -> Iterator[bytes]:
    """The chunks of one half.  Both processes cut the text in the same places.

    ``shown``, of the first half only, is what a progress bar looks at: both halves move alike.
    """
    from mailscope.intake.reader import read_chunks

    source = task.sources.files[0]
    for chunk in read_chunks(source, min(task.sources.chunk_bytes, CHUNK_BYTES), None, report):
        if (shown is None) == (chunk.offset >= task.middle):
            yield chunk.data
        elif shown is not None:
            break
        if shown is not None:
            shown.bytes_read_compressed = 2 * report.bytes_read_compressed
            shown.bytes_text = 2 * report.bytes_text
