"""Which files are read, what is known of them before, and the pieces that they are read in."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from hashlib import sha256
from heapq import heappop, heappush
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo

from mailscope.cluster.places import BEGINNING, is_remote, opened
from mailscope.cluster.reading import Piece
from mailscope.intake.reader import Compression, ReadReport, Source, read_chunks
from mailscope.intake.sources import PEEK_BYTES, Sources, new_years_passed, utc_now
from mailscope.vocabulary.errors import InputError

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

# A plain file is read in parts of so many bytes.
PART_BYTES: Final = 64 << 20
# Small pieces are read together, so much by one task, but in so many tasks for each core at least.
TASK_BYTES: Final = 32 << 20
TASKS_A_CORE: Final = 2
# What tells one file from another, whatever it is called and however it is packed.
HEAD_BYTES: Final = 4096


@dataclass(frozen=True)
class Known:
    """A file that the store holds: how many bytes of text and lines of it were read.

    ``head``: a hash of its first bytes, as many as it had of HEAD_BYTES; ``stored``: how large it was then,
    packed as it may be.
    """

    path: str
    head: str
    size: int
    lines: int
    stored: int


@dataclass(frozen=True)
class Look:
    """A file's beginning: its text, what it is packed with, and how many New Years it passes."""

    name: str
    beginning: bytes
    compression: Compression
    years: int
    problems: tuple[InputError, ...] = ()

    def head(self, size: int = HEAD_BYTES) -> str:
        """A hash of the first bytes, of no more than so many."""
        return sha256(self.beginning[: min(size, HEAD_BYTES)]).hexdigest()


def look(source: Source) -> Look:
    """Look at a file's beginning, in an executor."""
    report = ReadReport()
    try:
        with (
            opened(source, BEGINNING) as file,
            closing(read_chunks(file, PEEK_BYTES, None, report)) as chunks,
        ):
            first = next(chunks, None)
            data = first.data if first is not None else b""
            plain = report.compression == "none" and not is_remote(source.path)
            years = new_years_passed(file.path) if plain else 0
    except InputError as error:
        return Look(source.name, b"", "none", 0, (error,))
    problems = () if data else tuple(report.problems)
    return Look(source.name, data[: PEEK_BYTES // 4], report.compression, years, problems)


def looks(spark: SparkSession, files: Sequence[Source]) -> dict[str, Look]:
    """Look at all files, many at a time."""
    count = max(1, min(len(files), TASKS_A_CORE * spark.sparkContext.defaultParallelism))
    found = spark.sparkContext.parallelize(files, count).map(look).collect()
    return {each.name: each for each in found}


def renamed(looks: Mapping[str, Look], known: Sequence[Known]) -> dict[str, Known]:
    """What the store holds of each file: by its name, or, where that is gone, of one that begins alike."""
    by_path = {each.path: each for each in known}
    gone = {each.head: each for each in known if each.path not in looks}
    # Of files that were short when they were read, fewer bytes tell.
    sizes = {HEAD_BYTES, *(each.size for each in gone.values() if each.size < HEAD_BYTES)}
    found = {}
    for name, look in looks.items():
        before = by_path.get(name)
        if before is None or before.head != look.head(before.size):
            # Rotation has given it another name, and perhaps packed it.
            heads = (look.head(size) for size in sorted(sizes, reverse=True))
            before = next((gone[head] for head in heads if head in gone), None)
        if before is not None:
            found[name] = before
    return found


class Plan:
    """The files of a run with their clocks; made anew where a file proves to begin in an earlier year."""

    def __init__(
        self,
        files: Sequence[Source],
        looks: Mapping[str, Look],
        before: Mapping[str, Known],
        zone: ZoneInfo,
        part_bytes: int = PART_BYTES,
    ) -> None:
        self.looks, self.before, self.part_bytes = looks, before, part_bytes
        packed = [replace(file, compression=looks[file.name].compression) for file in files]
        self.sources = Sources(packed, zone, utc_now())
        self.sources.heads = {name: look.beginning for name, look in looks.items()}
        self.sources.years_back = {name: look.years for name, look in looks.items()}

    def pieces(self) -> list[Piece]:
        """What is to be read."""
        found: list[Piece] = []
        together = zip(self.sources.files, self.sources.opened(), strict=True)
        for rank, (source, begun) in enumerate(together):
            before = self.before.get(source.name)
            if before is not None and before.path == source.name and before.stored == source.size_bytes:
                continue
            clock = begun.clock()
            whole = Piece(0, source, rank, clock)
            if before is not None:
                whole = replace(whole, start=before.size, lines=before.lines)
            found += self._parts(whole)
        return [replace(piece, number=number) for number, piece in enumerate(found)]

    def _parts(self, whole: Piece) -> Iterator[Piece]:
        source = whole.source
        size = source.size_bytes or 0
        plain = source.compression == "none" and not is_remote(source.path)
        # A year that passes more New Years than one is told by the order of all lines only.
        if not plain or size - whole.start <= self.part_bytes or self.looks[source.name].years:
            yield whole
            return
        for start in range(whole.start, size, self.part_bytes):
            end = start + self.part_bytes
            yield replace(whole, start=start, end=end if end < size else None, part=True)

    def go_back(self, years: Mapping[str, int]) -> None:
        """Some files begin earlier than their first stamps told."""
        for name, more in years.items():
            self.sources.go_back(name, more)


def tasks(spark: SparkSession, pieces: Sequence[Piece]) -> Any:
    """The pieces as a DataFrame, one row to a task: a large one, or some small ones (pickled)."""
    cores = spark.sparkContext.defaultParallelism
    total = sum(map(_size, pieces))
    count = max(1, min(len(pieces), max(TASKS_A_CORE * cores, total // TASK_BYTES)))
    # The largest first, each to whoever has the least so far.
    shares: list[list[Piece]] = [[] for _ in range(count)]
    filled = [(0, number) for number in range(count)]
    for piece in sorted(pieces, key=_size, reverse=True):
        size, number = heappop(filled)
        shares[number].append(piece)
        heappush(filled, (size + _size(piece), number))
    rows = [(bytearray(pickle.dumps(share)),) for share in shares]
    return spark.createDataFrame(spark.sparkContext.parallelize(rows, count), "pieces binary")


def _size(piece: Piece) -> int:
    """About how much there is to read."""
    whole = piece.source.size_bytes or 0
    return max((whole if piece.end is None else min(piece.end, whole)) - piece.start, 1)
