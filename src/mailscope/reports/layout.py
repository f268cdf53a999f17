"""Tables and blocks laid out in columns of a terminal, as lines of styled pieces.

In: texts that are safe to print.  Out: lines; a line is a list of pieces, a piece a text and the name of its
style ("" for none).  Whether styles become colours is the printer's business.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

Piece = tuple[str, str]
Line = list[Piece]
Fit = Callable[[str, int], str]

GAP: Final = 2
# The last column of words takes what is left of the width, but is not squeezed below this.
NARROWEST: Final = 12
WIDEST_GAP: Final = 6
NOTHING: Final = ("0", "-", "0 s")


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, its cells, to which side they are set, and the style of each."""

    title: str
    cells: Sequence[str]
    right: bool = False
    style: str = ""
    # Where there is not room for all: what a column of words may keep; the last one takes what is left.
    widest: int = 22

    @property
    def width(self) -> int:
        """The width that it needs."""
        return max(len(self.title), *(map(len, self.cells)), 0)


def table(columns: Sequence[Column], width: int, fit: Fit) -> list[Line]:
    """The table, headings first.  A long cell of the last column, if that holds words, goes on in a second line."""
    widths = _widths(columns, width)
    lines = [_row(columns, [column.title for column in columns], widths, fit, "head")]
    for cells in zip(*(column.cells for column in columns), strict=True):
        first, second = cells, ""
        if not columns[-1].right and len(cells[-1]) > widths[-1]:
            head, second = _broken(cells[-1], widths[-1])
            first = (*cells[:-1], head)
        lines.append(_row(columns, first, widths, fit, None))
        if second:
            lines.append([(" " * (sum(widths[:-1]) + GAP * len(columns)) + fit(second, widths[-1]), "")])
    return lines


def _widths(columns: Sequence[Column], width: int) -> list[int]:
    """The width of each column: what it needs; columns of words take less where there is not enough."""
    widths = [column.width for column in columns]
    words = [place for place, column in enumerate(columns) if not column.right]
    for place in words[:-1]:
        excess = sum(widths) + GAP * len(columns) - width
        if excess > 0:
            widths[place] = max(min(widths[place], columns[place].widest), widths[place] - excess)
    if words:
        excess = sum(widths) + GAP * len(columns) - width
        widths[words[-1]] = max(NARROWEST, widths[words[-1]] - max(0, excess))
    return widths


def _broken(text: str, width: int) -> tuple[str, str]:
    """A text cut at a space near the end of the width, if there is one, and the rest."""
    at = text.rfind(" ", width // 2, width + 1)
    return (text[:at], text[at + 1 :]) if at > 0 else (text[:width], text[width:])


def _row(
    columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int], fit: Fit, style: str | None
) -> Line:
    line: Line = []
    for position, (column, cell, width) in enumerate(zip(columns, cells, widths, strict=True)):
        text = fit(cell, width)
        gap = " " * (width - len(text))
        if column.right:
            text = gap + text
        elif position < len(columns) - 1:
            text += gap
        # A zero wants nobody's attention.
        own = "" if cell in NOTHING else column.style
        line.append((" " * GAP + text, own if style is None else style))
    return line


def beside(blocks: Sequence[Sequence[Line]], width: int) -> list[Line]:
    """Blocks of lines side by side, spread over the width as far as that looks well."""
    widths = [max((_length(line) for line in block), default=0) for block in blocks]
    gap = max(GAP, min(WIDEST_GAP, (width - sum(widths)) // max(1, len(blocks) - 1)))
    lines: list[Line] = []
    for number in range(max(map(len, blocks))):
        line: Line = []
        for block, room in zip(blocks, widths, strict=True):
            pieces = list(block[number]) if number < len(block) else []
            line += [*pieces, (" " * (room - _length(pieces) + gap), "")]
        lines.append(line)
    return lines


def pairs(rows: Sequence[tuple[str, str, str]]) -> list[Line]:
    """Names, each with its figure; a third item is the style."""
    longest = max((len(name) for name, _, _ in rows), default=0)
    room = max((len(figure) for _, figure, _ in rows), default=0)
    return [[(f"{name:<{longest}} {figure:>{room}}", style)] for name, figure, style in rows]


def _length(line: Line) -> int:
    return sum(len(text) for text, _ in line)


def plain(lines: Sequence[Line]) -> str:
    """The lines without styles."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)
