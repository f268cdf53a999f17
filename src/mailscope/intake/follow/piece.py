"""What is handed out of a log's files, and what they have in common, be they plain or packed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from mailscope.intake.follow.position import Position


@dataclass(frozen=True, slots=True)
class Piece:
    """Bytes that are handed out: whole lines, or a piece of a line that is too long to be held."""

    data: bytes
    offset: int
    line_number: int
    first: bool


class Reader(Protocol):
    """An open file of a log."""

    key: tuple[int, int]  # device and inode

    @property
    def done(self) -> bool:
        """Nothing will come from it any more."""
        ...

    @property
    def behind(self) -> bool:
        """There is more to read at once."""
        ...

    def read(self, limit_bytes: int) -> Piece | None:
        """The next lines, about so many bytes; None where there are none now.  Raises OSError."""
        ...

    def position(self) -> Position:
        """Where the next piece will begin."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...
