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


@dataclass(frozen=True)
class Column:
    """A column of a table: its heading, its cells, to which side they are set, and the style of each."""

    title: str
    cells: Sequence[str]
    right: bool = False
    style: str = ""
    # How much of the width a column of words may take; the last one takes what the others leave.
    widest: int = 40

    @property
    def width(self) -> int:
        """The width that it needs."""
        return max(len(self.title), *(map(len, self.cells)), 0)


def table(columns: Sequence[Column], width: int, fit: Fit) -> list[Line]:
    """The table, headings first."""
    widths = [column.width if column.right else min(column.width, column.widest) for column in columns]
    last = len(columns) - 1
    if not columns[last].right:
        rest = width - sum(widths[:last]) - GAP * len(columns)
        widths[last] = max(NARROWEST, min(rest, columns[last].width))
    lines = [_row(columns, [column.title for column in columns], widths, fit, "head")]
    for cells in zip(*(column.cells for column in columns), strict=True):
        lines.append(_row(columns, cells, widths, fit, None))
    return lines


def _row(
    columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int], fit: Fit, style: str | None
) -> Line:
    line: Line = []
    for position, (column, cell, width) in enumerate(zip(columns, cells, widths, strict=True)):
        text = fit(cell, width)
        if column.right:
            text = " " * (width - len(text)) + text
        elif position < len(columns) - 1:
            text += " " * (width - len(text))
        line.append((" " * GAP + text, column.style if style is None else style))
    return line


def beside(blocks: Sequence[Sequence[Line]], width: int) -> list[Line]:
    """Blocks of lines side by side, each as wide as an equal share of the width."""
    share = width // len(blocks)
    lines: list[Line] = []
    for number in range(max(map(len, blocks))):
        line: Line = []
        for block in blocks:
            pieces = list(block[number]) if number < len(block) else []
            used = sum(len(text) for text, _ in pieces)
            line += [*pieces, (" " * (share - used), "")]
        lines.append(line)
    return lines


def pairs(rows: Sequence[tuple[str, str, str]], width: int) -> list[Line]:
    """Names with their figures set to the right of a given width; a third item is the style."""
    room = max((len(figure) for _, figure, _ in rows), default=0)
    lines: list[Line] = []
    for name, figure, style in rows:
        name = name.ljust(width - room - 1)[: width - room - 1]
        lines.append([(f"{name} {figure:>{room}}", style)])
    return lines


def plain(lines: Sequence[Line]) -> str:
    """The lines without styles."""
    return "".join("".join(text for text, _ in line).rstrip() + "\n" for line in lines)
