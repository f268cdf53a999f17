"""Where some bytes stand in a source: the raw search, before anything is taken apart.

In: a source and needles.  Out: its chunks, each with the positions at which a needle stands, in order.

Two ways, by measurement (366 MB of log on two cores): a few needles are looked for one after the other
with ``bytes.find`` in small chunks that stay in the processor's cache (0.1 s for the first, 0.05 s for each
further one); many at once with Polars' Aho-Corasick automaton, in two threads (0.3 s for up to a
thousand).  Case is ignored for ASCII letters only.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

from mailscope.intake.reader import Chunk, ReadReport, Source, read_chunks

FEW: Final = 4
CACHED_BYTES: Final = 1 << 20
LARGE_BYTES: Final = 6 << 20
THREADS: Final = 2
# Bytes above 0x7f as a question mark: keeps every position where text is not valid UTF-8.
_ASCII_ONLY: Final = bytes(range(128)) + b"?" * 128


def find(
    source: Source, needles: Sequence[bytes], *, any_case: bool, report: ReadReport
) -> Iterator[tuple[Chunk, list[int]]]:
    """Every chunk of a source with the positions (in the chunk, rising) at which a needle stands.

    Errors: none; what cannot be read is in ``report``.
    """
    # A source is read several times, but what went wrong is told once.
    report.problems.clear()
    report.bytes_text = report.bytes_read_compressed = report.cut_lines = 0
    if any_case:
        needles = [needle.lower() for needle in needles]
    if len(needles) <= FEW or not all(needle.isascii() for needle in needles):
        for chunk in read_chunks(source, CACHED_BYTES, report=report):
            yield chunk, _find_each(chunk.data.lower() if any_case else chunk.data, needles)
        return
    yield from _side_by_side(read_chunks(source, LARGE_BYTES, report=report), needles, any_case)


def _find_each(data: bytes, needles: Sequence[bytes]) -> list[int]:
    places: list[int] = []
    for needle in needles:
        at = data.find(needle)
        while at >= 0:
            places.append(at)
            at = data.find(needle, at + 1)
    return sorted(places) if len(needles) > 1 else places


def _side_by_side(
    chunks: Iterator[Chunk], needles: Sequence[bytes], any_case: bool
) -> Iterator[tuple[Chunk, list[int]]]:
    words = [needle.decode("ascii") for needle in needles]
    waiting: deque[tuple[Chunk, Future[list[int]]]] = deque()
    with ThreadPoolExecutor(THREADS) as pool:
        for chunk in chunks:
            waiting.append((chunk, pool.submit(_find_many, chunk.data, words, any_case)))
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
