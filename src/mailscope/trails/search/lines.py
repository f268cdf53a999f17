"""Lines of a block by position."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mailscope.trails.search.find import Block
from mailscope.trails.search.spans import Position


def line_at(data: bytes, begin: int) -> bytes:
    """The line that begins at a position, without its line feed."""
    end = data.find(b"\n", begin)
    return data[begin:] if end < 0 else data[begin:end]


def lines_at(number: int, block: Block, places: Sequence[int]) -> Iterator[tuple[Position, bytes]]:
    """The lines in which some places (rising) lie, each once, with their position in file ``number``."""
    done = 0
    for at in places:
        if at < done:
            continue
        begin = block.data.rfind(b"\n", 0, at) + 1
        line = line_at(block.data, begin)
        done = begin + len(line) + 1
        yield (number, block.offset + begin), line
