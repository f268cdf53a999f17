"""Where some bytes stand in a source: the raw search, before anything is taken apart.

In: a source and needles.  Out: its text in blocks of whole lines, each with the positions at which a
needle stands, in order.

Two ways, by measurement (366 MB of log on two cores): a few needles are looked for one after the other
with ``bytes.find`` in one small buffer that stays in the processor's cache (0.11 s for the first, 0.07 s
for each further one; a third of that more if every block is copied); many at once with Polars' Aho-Corasick
automaton, in two threads (0.3 s for up to a thousand).  Case is ignored for ASCII letters only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from io import FileIO
from typing import Final

from mailscope.intake.reader import MAX_LINE_BYTES, ReadReport, Source, read_chunks
from mailscope.vocabulary.errors import InputError

Range = tuple[int, int]  # byte offsets in the text: first, and first not to be looked at any more

FEW: Final = 4
BLOCK_BYTES: Final = 1 << 20
LARGE_BYTES: Final = 6 << 20
THREADS: Final = 2
# Bytes above 0x7f as a question mark: keeps every position where text is not valid UTF-8.
_ASCII_ONLY: Final = bytes(range(128)) + b"?" * 128
_ALL: Final[Sequence[Range]] = ((0, 1 << 62),)


class Block:
    """Whole lines of a source; ``offset`` is that of the first byte in the text.

    Good only until the next block is asked for, but for what ``data`` gave.
    """

    __slots__ = ("_buffer", "_data", "offset", "size")

    def __init__(self, buffer: bytes | bytearray, size: int, offset: int) -> None:
        self._buffer = buffer
        self._data: bytes | None = buffer if isinstance(buffer, bytes) else None
        self.size = size
        self.offset = offset

    @property
    def data(self) -> bytes:
        """The bytes; copied only when they are asked for, as most blocks hold nothing of interest."""
        if self._data is None:
            with memoryview(self._buffer) as view:
                self._data = bytes(view[: self.size])
        return self._data

    def places(self, needles: Sequence[bytes], *, any_case: bool) -> list[int]:
        """Where the needles stand, rising."""
        text = self.data.lower() if any_case else self._buffer
        out: list[int] = []
        for needle in needles:
            at = text.find(needle, 0, self.size)
            while at >= 0:
                out.append(at)
                at = text.find(needle, at + 1, self.size)
        return sorted(out) if len(needles) > 1 else out


def find(
    source: Source,
    needles: Sequence[bytes],
    *,
    any_case: bool = False,
    ranges: Sequence[Range] | None = None,
    report: ReadReport,
) -> Iterator[tuple[Block, list[int]]]:
    """The blocks of a source with the positions (in the block, rising) at which a needle stands.

    ``ranges``: the lines that begin there are enough (None: all); the last block may go on beyond.
    Errors: none; what cannot be read is in ``report``, once however often the source is read.
    """
    if any_case:
        needles = [needle.lower() for needle in needles]
    few = len(needles) <= FEW or not all(needle.isascii() for needle in needles)
    if source.compression == "none":
        blocks = _plain(
            source, _ALL if ranges is None else ranges, BLOCK_BYTES if few else LARGE_BYTES, report
        )
    elif ranges == []:
        return
    else:
        report.problems.clear()
        report.bytes_text = report.bytes_read_compressed = report.cut_lines = 0
        chunks = read_chunks(source, BLOCK_BYTES if few else LARGE_BYTES, report=report)
        blocks = (Block(chunk.data, len(chunk.data), chunk.offset) for chunk in chunks)
    if not few:
        yield from _side_by_side(blocks, needles, any_case)
        return
    for block in blocks:
        yield block, block.places(needles, any_case=any_case)


def _plain(source: Source, ranges: Sequence[Range], size: int, report: ReadReport) -> Iterator[Block]:
    """The lines of a plain file that begin in some ranges (which rise and do not overlap)."""
    if ranges is _ALL:
        report.problems.clear()
        report.bytes_text = 0
    try:
        with FileIO(source.path) as file:
            for start, end in ranges:
                for block in _range(file, start, end, bytearray(size)):
                    if ranges is _ALL:
                        report.bytes_text += block.size
                    yield block
    except OSError as error:
        report.problems.append(InputError.from_os_error(error, source.name))


def _range(file: FileIO, start: int, end: int, buffer: bytearray) -> Iterator[Block]:
    offset = file.seek(max(start - 1, 0))
    # The line in which a range begins belongs to the range before; one that begins right there does not.
    skipping = start > 0
    fill = 0
    while offset < end:
        with memoryview(buffer) as view, view[fill:] as room:
            count = file.readinto(room) or 0
        fill += count
        cut = buffer.rfind(b"\n", 0, fill) + 1 if count else fill
        if not fill:
            return
        if not cut and len(buffer) < MAX_LINE_BYTES:
            buffer.extend(bytes(len(buffer)))
            continue
        cut = cut or fill
        begin = 0
        if skipping:
            begin = buffer.find(b"\n", 0, cut) + 1
            skipping = False
        if begin:
            yield Block(bytes(buffer[begin:cut]), cut - begin, offset + begin)
        else:
            yield Block(buffer, cut, offset)
        buffer[: fill - cut] = buffer[cut:fill]
        fill -= cut
        offset += cut
        if not count:
            return


def _side_by_side(
    blocks: Iterator[Block], needles: Sequence[bytes], any_case: bool
) -> Iterator[tuple[Block, list[int]]]:
    words = [needle.decode("ascii") for needle in needles]
    waiting: deque[tuple[Block, Future[list[int]]]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for block in blocks:
            waiting.append((block, pool.submit(_find_many, block.data, words, any_case)))
            if len(waiting) > THREADS:
                first, places = waiting.popleft()
                yield first, places.result()
        for first, places in waiting:
            yield first, places.result()


def _find_many(data: bytes, words: list[str], any_case: bool) -> list[int]:
    import polars as pl  # here: most queries never need it while they search

    text = data.decode("ascii") if data.isascii() else data.translate(_ASCII_ONLY).decode("ascii")
    found = pl.Series([text]).str.find_many(words, ascii_case_insensitive=any_case, overlapping=True)
    return sorted(found[0].to_list())
