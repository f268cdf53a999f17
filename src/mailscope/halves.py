"""The same flow over the two halves of one large log, side by side in two processes.

The second half is followed in a child process; its tallies are merged with those of the first half, and
what may belong to messages of the first half is followed here (``joining.py``).  The result is that of the
whole, exactly: where the halves cannot be joined so that this is certain, PartsDoNotJoin says so, and the
caller goes through the log once more from its beginning.

A log is one file, or the files that it was rotated into; the cut falls where half of the text is read.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from mailscope.second_process import SecondProcess

if TYPE_CHECKING:
    from mailscope.intake.reader import ReadReport, Source
    from mailscope.intake.sources import Sources
    from mailscope.joining import Parted, Whole
    from mailscope.periods import Reported
    from mailscope.recognise.engine import Engine
    from mailscope.sequence.merge import Pending
    from mailscope.sequence.selection import Selection
    from mailscope.sequence.stream import Stream
    from mailscope.tallies.ledger import Ledger
    from mailscope.vocabulary.calendar import Calendar, Span

    Part = tuple[Calendar, Span | None]

# Less text is read before a second process is ready.
SMALLEST: Final = 64 << 20
# Where an archive does not tell how much text it holds; logs are packed about so well.
PACKED: Final = 10
# How far the halves' instants may be apart for their years to agree, and how far late lines go back.
APART: Final = timedelta(days=45)
LATE: Final = timedelta(days=2)
SHORTEST_GZ: Final = 20
# There are two processes to hold chunks, so each holds smaller ones.
CHUNK_BYTES: Final = 8 << 20


@dataclass
class Half:
    """What following one half came to.

    ``certain``: its first line told its own instant; ``latest``: for each file that it read of, in order, the
    latest instant (None: no line told any).
    """

    counted: Whole | Parted
    reports: dict[str, ReadReport] = field(default_factory=dict)
    lines: int = 0
    first: datetime | None = None
    last: datetime | None = None
    certain: bool = True
    latest: list[datetime | None] = field(default_factory=list)


@dataclass(frozen=True)
class Cut:
    """Where the second half begins: in which file, the oldest being 0, and at which byte of its text."""

    file: int
    offset: int


@dataclass
class Task:
    """Everything that either process needs to know."""

    sources: Sources
    patterns: Path | None
    selection: Selection
    cut: Cut
    # The day, week or month that is wanted, and whose mail alone counts (none: all).
    part: Part | None = None
    domains: Collection[str] = ()

    @property
    def files(self) -> list[Source]:
        """The files, the oldest first."""
        return oldest_first(self.sources.files)


def oldest_first(files: Sequence[Source]) -> list[Source]:
    """The files that a log was rotated into, in the order in which they were written."""
    return sorted(files, key=lambda source: -source.age_rank)


def cut_of(files: Sequence[Source]) -> Cut | None:
    """Where to cut a log in two; None where two processes cannot read it, or are not worth their start."""
    several = len({source.set_id for source in files}) != 1 or any(
        source.size_bytes is None for source in files
    )
    if several or int(os.environ.get("MAILSCOPE_THREADS", "2")) < 2 or (os.cpu_count() or 1) < 2:
        return None
    files = oldest_first(files)
    try:
        sizes = [text_bytes(source) for source in files]
    except OSError:
        return None
    left = sum(sizes) // 2
    if 2 * left < SMALLEST:
        return None
    for number, (source, size) in enumerate(zip(files, sizes, strict=True)):
        if left < size:
            if source.compression in ("none", "gz"):
                return Cut(number, left)
            # The others unpack so slowly that nothing is won by unpacking one of them twice.
            return Cut(number, 0) if number else None
        left -= size
    return None


def text_bytes(source: Source) -> int:
    """About how much text a file holds; a wrong figure makes halves of unequal size, nothing worse."""
    size = source.size_bytes or 0
    if source.compression == "none":
        return size
    if source.compression == "gz" and size >= SHORTEST_GZ:
        # The last four bytes give the length of the text (RFC 1952), modulo 2**32 and of the last member
        # only.
        with open(source.path, "rb") as file:
            file.seek(-4, os.SEEK_END)
            told = int.from_bytes(file.read(4), "little")
        if told > size:
            return told
    return size * PACKED


def second_half() -> SecondProcess:
    """The process that follows the second half.

    Started before this one loads what the work needs, so that both load it at the same time.
    """
    return SecondProcess(_second)


def count(task: Task, second: SecondProcess) -> Ledger | Reported | None:
    """Tallies of the whole log, or what is reported of it where a part is wanted (None: it has no lines).

    Raises PartsDoNotJoin where only following the log from its beginning is certain to be right.
    """
    from mailscope.trails.partial import PartsDoNotJoin

    second.pipe.send(task)
    here = follow(task, second=False)
    try:
        there = second.pipe.recv()
    except EOFError as error:
        raise PartsDoNotJoin from error
    if not isinstance(there, Half):
        raise PartsDoNotJoin
    return joined(task, here, there)


def joined(task: Task, first: Half, second: Half) -> Ledger | Reported | None:
    """What ``count`` gives, from both halves."""
    from mailscope.joining import Parted, Whole
    from mailscope.trails.partial import PartsDoNotJoin

    if not _in_sequence(first, second, task):
        raise PartsDoNotJoin
    for half in (first, second):
        for name, report in half.reports.items():
            shown = task.sources.reports[name]
            shown.problems.extend(report.problems)
            shown.cut_lines += report.cut_lines
    if isinstance(first.counted, Parted) and isinstance(second.counted, Parted):
        return first.counted.join(second.counted, task.sources.now)
    assert isinstance(first.counted, Whole)
    assert isinstance(second.counted, Whole)
    return first.counted.join(second.counted)


def _in_sequence(first: Half, second: Half, task: Task) -> bool:
    """Whether the second half's instants go on where the first's end: same year, same side of an hour."""
    if not second.lines:
        return True
    if not second.certain or first.last is None or second.first is None:
        return False
    if not -LATE <= second.first - first.last <= APART:
        return False
    # Files that overlap in time are merged line by line, which two processes cannot do.
    opened = {source.name: source for source in task.sources.opened()}
    begins = [opened[source.name].first for source in task.files[task.cut.file + 1 :]]
    if any(one is None or one >= second.first for one in first.latest[: task.cut.file]):
        return False
    if any(one is None or one <= first.last for one in begins):
        return False
    for instant in (first.last, second.first):
        local = instant.replace(tzinfo=UTC).astimezone(task.sources.zone)
        if local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset():
            return False
    return True


def _second(pipe: Connection) -> None:
    """The child's work."""
    from mailscope.intake.clock import YearDisproved
    from mailscope.tallies import ledger  # noqa: F401  (loads what the work needs)

    try:
        half = follow(pipe.recv(), second=True)
    except (YearDisproved, EOFError):
        return
    pipe.send(half)


def follow(task: Task, *, second: bool) -> Half:
    """Follow one half and count it."""
    from mailscope.joining import Parted, Whole
    from mailscope.recognise.engine import Engine
    from mailscope.recognise.library import in_force
    from mailscope.sequence.merge import merge
    from mailscope.tallies.tables import needed_fields

    engine = Engine(in_force(task.patterns), needed_fields(addresses=bool(task.domains)))
    half = Half(
        Whole(task.sources.zone, task.domains, second=second)
        if task.part is None
        else Parted(*task.part, task.domains, second=second)
    )
    streams: list[Stream] = []
    pending = list(_pending(task, engine, half, streams, second=second))
    batches = merge(pending, task.sources.chunk_bytes)
    while (batch := next(batches, None)) is not None:
        if half.first is None:
            _note_beginning(half, batch)
        last = batch[-1].time.drop_nulls()
        if len(last) and isinstance(last[-1], datetime):
            half.last = last[-1]
        batch = [task.selection.apply(events) for events in batch]
        half.lines += sum(events.read + events.blank + events.duplicate for events in batch)
        half.counted.add(batch)
        del batch
    half.counted.close()
    half.latest = [stream.latest for stream in streams]
    return half


def _pending(
    task: Task, engine: Engine, half: Half, streams: list[Stream], *, second: bool
) -> Iterator[Pending]:
    """The files of one half, and what of them; the streams are noted in the order of the files."""
    from mailscope.intake.reader import ReadReport
    from mailscope.sequence.merge import Pending
    from mailscope.sequence.stream import Inline, Stream

    opened = {source.name: source for source in task.sources.opened()}
    ranks = {source.name: rank for rank, source in enumerate(task.sources.files)}
    for number, source in enumerate(task.files):
        if (number < task.cut.file) if second else (number > task.cut.file):
            continue
        cut = number == task.cut.file
        clock = opened[source.name].clock()
        if second and cut and task.cut.offset:
            # What a clock knows of the file's first line says nothing about the middle.
            clock.last = clock.month = None
        report = half.reports[source.name] = ReadReport()
        shown = None if second else task.sources.reports[source.name]
        chunks = _chunks(task, source, report, shown, of=(task.cut.offset if cut else None), second=second)
        stream = Stream(
            source.name, chunks, clock, engine, Inline(), 1, ranks[source.name], set_id=source.set_id
        )
        streams.append(stream)
        # The middle of a file is at its turn when the half begins.
        first = None if second and cut else opened[source.name].first
        yield Pending(first, lambda stream=stream: stream)  # type: ignore[misc]


def _note_beginning(half: Half, batch: list[Any]) -> None:
    from mailscope.intake.envelopes.header import UNKNOWN

    first = batch[0].time[0]
    quality = batch[0].quality
    half.certain = (quality[0] if not isinstance(quality, int) else quality) != UNKNOWN
    half.first = first if isinstance(first, datetime) else None


def _chunks(
    task: Task, source: Source, report: ReadReport, shown: ReadReport | None, of: int | None, *, second: bool
) -> Iterator[bytes]:
    """The chunks of a file that are of one half (``of``: where it is cut).  Both cut it in the same places.

    ``shown``, of the first half only, is what a progress bar looks at: both halves move alike.
    """
    from mailscope.intake.continued import whole_records
    from mailscope.intake.reader import read_chunks

    chunks = read_chunks(source, min(task.sources.chunk_bytes, CHUNK_BYTES), None, report)
    for chunk in whole_records(chunks):
        if of is None or second == (chunk.offset >= of):
            yield chunk.data
        elif not second:
            break
        if shown is not None:
            shown.bytes_read_compressed = 2 * report.bytes_read_compressed
            shown.bytes_text = 2 * report.bytes_text
