"""The sources of one run: opened in order, each with a clock that knows its zone and its last year."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import chain, pairwise
from typing import Any, BinaryIO, Final
from zoneinfo import ZoneInfo

from mailscope.intake.ahead import read_ahead
from mailscope.intake.clock import AHEAD_DAYS, BACK_DAYS, Clock
from mailscope.intake.continued import whole_records
from mailscope.intake.envelopes.rfc3164 import MONTHS
from mailscope.intake.lines import parse_lines
from mailscope.intake.overlap import chunk_bytes, open_at_once
from mailscope.intake.reader import CHUNK_BYTES, Chunk, ReadReport, Source, read_chunks
from mailscope.vocabulary.instants import naive, naive_now

PEEK_BYTES: Final = 32 << 10
SAMPLES: Final = 400
SAMPLE_BYTES: Final = 1 << 10
GRACE: Final = timedelta(days=1)
OLDEST_MTIME: Final = datetime(1990, 1, 1, tzinfo=UTC).timestamp()
MONTH_AND_DAY: Final = re.compile(
    rb"\n(?:<[^>\n]{1,20}>)?(" + "|".join(MONTHS).encode() + rb") {1,2}([0-9]{1,2}) [0-9]{2}:[0-9]{2}:"
)


@dataclass
class Opened:
    """One source, ready to be read: its name, first instant and how to get chunks and a clock."""

    name: str
    first: datetime | None
    chunks: Callable[[], Iterator[bytes]]
    clock: Callable[[], Clock]
    set_id: str


@dataclass
class Sources:
    """What a run reads.

    ``zone``: of stamps without one; ``now``: naive UTC instant that no stamp is far beyond;
    ``reports``: by source name, how reading went (problems, bytes), filled while it is read.
    """

    files: list[Source]
    zone: ZoneInfo
    now: datetime
    stdin: BinaryIO | None = None
    # What is done to chunks of whole lines before anything looks at them; their number and stamps stay.
    clean: Callable[[bytes], bytes] | None = None
    chunk_bytes: int = CHUNK_BYTES
    years_back: dict[str, int] = field(default_factory=dict)
    reports: dict[str, ReadReport] = field(default_factory=dict)
    # The beginnings of files, which are looked at again: once a span is known, and by each of two processes.
    heads: dict[str, bytes] = field(default_factory=dict)
    # How many files are open at once, as far as their beginnings tell.
    at_once: int = 1
    _held: dict[str, Iterator[Chunk]] = field(default_factory=dict)

    def go_back(self, name: str, years: int = 1) -> None:
        """A source turned out to begin earlier than its first stamp alone told."""
        self.years_back[name] = self.years_back.get(name, 0) + years

    def opened(self) -> list[Opened]:
        """The sources with their first instants; of a rotated set, each file bounds the one before."""
        out: dict[int, Opened] = {}
        following: dict[str, datetime] = {}
        # The newest of each set first: nothing in a file is later than the file that follows it.
        for source in sorted(self.files, key=lambda file: file.age_rank):
            bound = self._bound(source, following.get(source.set_id))
            opened = self._open(source, bound)
            if opened.first is not None:
                following[source.set_id] = opened.first
            out[id(source)] = opened
        self.at_once = open_at_once((opened.set_id, opened.first) for opened in out.values())
        return [out[id(source)] for source in self.files]

    def narrow(self, since: datetime | None, until: datetime | None) -> None:
        """Leave out the files that hold no line of a span (naive UTC; None: open).

        Of a rotated set, a file ends where the next one begins.  A day's grace is for clocks that were
        set, and for lines that came late.  Nothing is left out where that would be everything, or where
        there is a pipe, which can be looked at only once.
        """
        if any(source.size_bytes is None for source in self.files):
            return
        begins = {source.name: source.first for source in self.opened()}
        sets: dict[str, list[Source]] = {}
        for source in sorted(self.files, key=lambda file: -file.age_rank):
            sets.setdefault(source.set_id, []).append(source)
        outside: set[str] = set()
        for files in sets.values():
            ends = [*(begins[source.name] for source in files[1:]), None]
            for source, end in zip(files, ends, strict=True):
                first = begins[source.name]
                early = since is not None and end is not None and end < since - GRACE
                late = until is not None and first is not None and first > until + GRACE
                if early or late:
                    outside.add(source.name)
        within = [source for source in self.files if source.name not in outside]
        self.files = within or self.files

    def _bound(self, source: Source, following: datetime | None) -> datetime:
        bound = self.now
        # Archives that can be built again the same carry a time of 0 or so: it tells nothing.
        now = self.now.replace(tzinfo=UTC).timestamp()
        if source.mtime is not None and OLDEST_MTIME < source.mtime < now:
            bound = naive(datetime.fromtimestamp(source.mtime, UTC))
        if following is not None:
            bound = min(bound, following)
        return bound

    def _open(self, source: Source, bound: datetime) -> Opened:
        report = self.reports.setdefault(source.name, ReadReport())
        head = self._head(source, report)
        seekable = source.size_bytes is not None
        if source.name not in self.years_back and source.compression == "none" and seekable:
            self.years_back[source.name] = new_years_passed(source.path)

        # What a line has that lacks its stamp, or the month of it, and stands before all others.
        lead: dict[str, Any] = {}

        def clock() -> Clock:
            back = self.years_back.get(source.name, 0)
            return Clock(source.name, self.zone, bound.replace(tzinfo=UTC), back, **lead)

        first = None
        if month := MONTH_AND_DAY.search(b"\n" + head):
            lead["month"] = MONTHS.index(month[1].decode()) + 1
        if head:
            header = parse_lines(head).header
            time, _ = (teller := clock()).instants(header)
            while teller.disproved:
                self.go_back(source.name, teller.disproved)
                time, _ = (teller := clock()).instants(header)
            known = time.drop_nulls()
            if len(known):
                lead["last"] = known[0]
                value = known.min()
                first = value if isinstance(value, datetime) else None
        return Opened(source.name, first, lambda: self._chunks(source, report), clock, source.set_id)

    def _head(self, source: Source, report: ReadReport) -> bytes:
        """The first whole lines; a pipe's first chunk is kept, it can be read only once."""
        if source.size_bytes is None:
            chunks = read_chunks(source, self.chunk_bytes, self.stdin, report)
            first = next(chunks, None)
            self._held[source.name] = chain([first] if first is not None else [], chunks)
            return first.data[:PEEK_BYTES].rpartition(b"\n")[0] if first is not None else b""
        if source.name not in self.heads:
            first = next(read_chunks(source, PEEK_BYTES, None, ReadReport()), None)
            self.heads[source.name] = first.data[: 4 * PEEK_BYTES] if first is not None else b""
        return self.heads[source.name]

    def _chunks(self, source: Source, report: ReadReport) -> Iterator[bytes]:
        chunks: Iterable[Chunk]
        if source.size_bytes is None:
            chunks = self._held.pop(source.name, iter(()))
        else:
            # Read again from the start (a restart counts nothing twice).
            report.problems.clear()
            report.bytes_read_compressed = report.bytes_text = report.cut_lines = 0
            chunks = read_chunks(source, chunk_bytes(self.chunk_bytes, self.at_once), None, report)
        if source.compression != "none" or report.compression != "none":
            # Unpacking keeps a processor busy; it goes on while chunks are being parsed.
            chunks = read_ahead(iter(chunks), depth=2)
        for chunk in whole_records(chunks):
            yield chunk.data if self.clean is None else self.clean(chunk.data)


def new_years_passed(path: str) -> int:
    """By how many years the first stamp of a plain file lies before its last possible year.

    A file longer than a year passes more New Years than its first stamp can tell.  Stamps are sampled
    all over the file; each fall of the date by more than six weeks is a New Year.
    """
    dates = list(_sampled_dates(path))
    steps = [two - one for one, two in pairwise(dates)]
    # A leap ahead by nearly a year is a late line of the year before.
    passed = sum(step < -BACK_DAYS for step in steps) - sum(step > AHEAD_DAYS for step in steps)
    # One New Year is told by the first and last stamp alone, if the first is later in its year.
    return passed - 1 if passed > 0 and dates[0] > dates[-1] else max(passed, 0)


def _sampled_dates(path: str) -> Iterator[int]:
    try:
        with open(path, "rb") as file:
            size = file.seek(0, 2)
            step = max(size // SAMPLES, SAMPLE_BYTES)
            for start in range(0, size, step):
                found = MONTH_AND_DAY.search(_after(file, start))
                if found:
                    yield (MONTHS.index(found[1].decode()) + 1) * 31 + int(found[2])
            # The last lines, all of them, but none that stands before the last sample.
            for found in MONTH_AND_DAY.finditer(
                _after(file, max((size - 1) // step * step, size - SAMPLE_BYTES, 0))
            ):
                yield (MONTHS.index(found[1].decode()) + 1) * 31 + int(found[2])
    except OSError:
        return


def _after(file: BinaryIO, start: int) -> bytes:
    """Some bytes from a position on, with a line feed in front where it is the beginning of the file."""
    file.seek(max(0, start - 1))
    return (b"" if start else b"\n") + file.read(SAMPLE_BYTES)


def utc_now() -> datetime:
    """Now, as naive UTC, with a minute's grace for clocks that differ."""
    return naive_now() + timedelta(minutes=1)
