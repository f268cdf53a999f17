"""Tables and blocks laid out in columns of a terminal, as lines of styled pieces.

In: texts as they were logged, and a paper that knows how to make them safe and how wide they are.  Out:
lines; a line is a list of pieces, a piece a text and the name of its style ("" for none).  Whether styles
become colours is the printer's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

Piece = tuple[str, str]
Line = list[Piece]

GAP: Final = 2
# The last column of words takes what is left of the width, but is not squeezed below this.
NARROWEST: Final = 12
WIDEST_GAP: Final = 6
# Blocks that need no more than this stand side by side even on narrower paper.
USUAL: Final = 80
NOTHING: Final = ("0", "-", "0 s")


@dataclass(frozen=True)
class Paper:
    """What is written on: its width; how a text is made safe, cut to a width, and measured in columns."""

    width: int
    safe: Callable[[str], str]
    fit: Callable[[str, int], str]
    columns: Callable[[str], int]


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, its cells, to which side they are set, and the style of its cells."""

    title: str
    cells: Sequence[str]
    right: bool = False
    style: str = ""
    # Where there is not room for all: what a column of words may keep; the last one takes what is left.
    widest: int = 22


def table(columns: Sequence[Column], paper: Paper) -> list[Line]:
    """The table, headings first.  A long text in the last column goes on in a second line."""
    safe = [[paper.safe(cell) for cell in column.cells] for column in columns]
    widths = _widths(columns, safe, paper)
    lines = [_row(columns, [column.title for column in columns], widths, paper, "head")]
    for cells in zip(*safe, strict=True):
        first, second = cells, ""
        if not columns[-1].right and paper.columns(cells[-1]) > widths[-1]:
            head, second = _broken(cells[-1], widths[-1], paper)
            first = (*cells[:-1], head)
        lines.append(_row(columns, first, widths, paper, None))
        if second:
            indent = " " * (sum(widths[:-1]) + GAP * len(columns))
            lines.append([(indent + paper.fit(second, widths[-1]), "")])
    return lines


def _widths(columns: Sequence[Column], cells: Sequence[Sequence[str]], paper: Paper) -> list[int]:
    """The width of each column: what it needs; columns of words take less where there is not enough."""
    widths = [
        max([paper.columns(column.title), *map(paper.columns, own)])
        for column, own in zip(columns, cells, strict=True)
    ]
    words = [place for place, column in enumerate(columns) if not column.right]
    for place in words[:-1]:
        excess = sum(widths) + GAP * len(columns) - paper.width
        if excess > 0:
            widths[place] = max(min(widths[place], columns[place].widest), widths[place] - excess)
    if words:
        excess = sum(widths) + GAP * len(columns) - paper.width
        needed = widths[words[-1]]
        widths[words[-1]] = max(min(NARROWEST, needed), needed - max(0, excess))
    return widths


def _broken(text: str, width: int, paper: Paper) -> tuple[str, str]:
    """A text cut at a space near the end of the width, if there is one, and the rest."""
    if paper.columns(text) > len(text):  # wide characters: as many as fit
        width = len(paper.fit(text, width)) - 1
    at = text.rfind(" ", width // 2, width + 1)
    return (text[:at], text[at + 1 :]) if at > 0 else (text[:width], text[width:])


def _row(
    columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int], paper: Paper, style: str | None
) -> Line:
    line: Line = []
    for position, (column, cell, width) in enumerate(zip(columns, cells, widths, strict=True)):
        text = paper.fit(cell, width)
        gap = " " * (width - paper.columns(text))
        if column.right:
            text = gap + text
        elif position < len(columns) - 1:
            text += gap
        # A zero wants nobody's attention.
        own = "" if cell in NOTHING else column.style
        line.append((" " * GAP + text, own if style is None else style))
    return line


def beside(blocks: Sequence[Sequence[Line]], paper: Paper) -> list[Line]:
    """Blocks of lines side by side, spread over the width as far as that looks well.

    The last ones go below where they would not fit.
    """
    widths = [max((_length(line, paper) for line in block), default=0) for block in blocks]
    if len(blocks) > 1 and sum(widths) + GAP * (len(blocks) - 1) > max(paper.width, USUAL):
        return [*beside(blocks[:-1], paper), [], *blocks[-1]]
    gap = max(GAP, min(WIDEST_GAP, (paper.width - sum(widths)) // max(1, len(blocks) - 1)))
    lines: list[Line] = []
    for number in range(max(map(len, blocks))):
        line: Line = []
        for block, room in zip(blocks, widths, strict=True):
            pieces = list(block[number]) if number < len(block) else []
            line += [*pieces, (" " * (room - _length(pieces, paper) + gap), "")]
        lines.append(line)
    return lines


def pairs(rows: Sequence[tuple[str, str, str]], paper: Paper) -> list[Line]:
    """Names, each with its figure; a third item is the style."""
    longest = max((paper.columns(name) for name, _, _ in rows), default=0)
    room = max((len(figure) for _, figure, _ in rows), default=0)
    return [
        [(f"{name}{' ' * (longest - paper.columns(name))} {figure:>{room}}", style)]
        for name, figure, style in rows
    ]


def _length(line: Line, paper: Paper) -> int:
    return sum(paper.columns(text) for text, _ in line)


def plain(lines: Sequence[Line]) -> str:
    """The lines without styles."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)
