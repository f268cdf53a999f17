"""Lines of a store as files without names, so that whatever reads logs can read them.

Each source is a file of its own, older years in files of theirs: stamps may have no year, and a file's last
instant tells it.  Line numbers in them count the lines of the answer.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import IO, Final

import polars as pl

from mailscope.intake.reader import Source

PREFIX: Final = "store:"


@dataclass
class _File:
    file: IO[bytes]
    last: datetime | None = None
    set_id: str | None = None


@dataclass
class Spool:
    """The files; ``sources`` is good once all lines are put, until ``close``."""

    _files: dict[tuple[str, int], _File] = field(default_factory=dict)

    def put(self, answers: Iterable[pl.DataFrame]) -> None:
        """Add lines (``asking.LINES``)."""
        for rows in answers:
            timed = rows.with_columns(pl.col("time").dt.year().fill_null(0).alias("year"))
            for (source, year), part in timed.partition_by("source", "year", as_dict=True).items():
                held = self._files.get((source, year))
                if held is None:
                    # Closed by ``close``; it has no name, so it goes with this process in any case.
                    file = tempfile.TemporaryFile()  # noqa: SIM115
                    held = self._files[source, year] = _File(file, None, part["set_id"][0])
                held.file.write("".join(f"{line}\n" for line in part["raw"]).encode())
                last = part["time"].max()
                if isinstance(last, datetime):
                    held.last = last if held.last is None else max(held.last, last)

    def sources(self) -> list[Source]:
        """What can be read, the newest year of each source first in age."""
        found = []
        newest: dict[str, int] = {}
        for source, year in self._files:
            newest[source] = max(year, newest.get(source, 0))
        for (source, year), held in sorted(self._files.items()):
            held.file.flush()
            age = newest[source] - year
            name = f"{PREFIX}{source} ({year})" if age else f"{PREFIX}{source}"
            mtime = None if held.last is None else held.last.replace(tzinfo=UTC).timestamp()
            path = f"/proc/self/fd/{held.file.fileno()}"
            found.append(Source(path, name, held.set_id or source, age, mtime, held.file.tell(), "none"))
        return found

    def close(self) -> None:
        """Let go of the files."""
        for held in self._files.values():
            held.file.close()
