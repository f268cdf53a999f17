"""What arrives while the daemon runs: whole lines of one source, and where reading goes on after them.

Files that are followed, the journal and the syslog receiver are *feeds*.  The daemon asks each of them in
turn for what has come (``take``, which never waits), puts it all into the store in one transaction together
with the resume points, and only then says so (``stored``).  After a crash a feed is made anew with the resume
points that the store holds: what was taken but not stored is read once more, what was stored is not.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

Resume = Mapping[str, str | int | float | None]


@dataclass(frozen=True, slots=True)
class Arrival:
    """Whole lines of one source.

    ``source``: the name that is shown, and the key of its resume point; ``data``: bytes of whole lines, each
    with its line feed (empty where only the resume point is new; a line that is too long to be held comes in
    pieces); ``offset``: of its first byte, and ``line_number`` of its first line, in the source
    (unpacked); ``resume``: where to go on, None for what cannot be read again (sockets); ``set_id``: the same
    for all files that one log is rotated into; ``first``: the data begins a new file (the year is told anew).
    """

    source: str
    data: bytes
    offset: int = 0
    line_number: int = 1
    resume: Resume | None = None
    set_id: str | None = None
    first: bool = False


class Feed(Protocol):
    """Something that lines come from."""

    def take(self, limit_bytes: int) -> Sequence[Arrival]:
        """What has come, at most about so many bytes; empty when there is nothing.  Never waits."""

    def stored(self, arrivals: Sequence[Arrival]) -> None:
        """The store holds these arrivals of this feed: they will not be asked for again."""

    def problems(self) -> Sequence[str]:
        """What goes wrong just now, one line each, for the status: files that cannot be read, lines lost."""

    def end(self) -> bool:
        """Take in nothing new, as the daemon ends or the settings want this feed no more.

        Whether ``take`` has still to be asked for what came before, as it cannot be read again; never waits.
        """

    def close(self) -> None:
        """Let go of files and sockets."""
