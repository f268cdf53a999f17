"""Noting changes: each watched file is compared with what it was.

A file that an editor replaces is gone for a moment: it counts as removed only when it is missing twice in a
row.  What was is kept in a state of masked texts, which survives a restart; a change of nothing but
secrets is seen while the daemon runs.  Binary and very large files are only told to have changed.  More files
than ``MOST_FILES`` are not watched, which a mark and the daemon's status say.
"""

from __future__ import annotations

import difflib
import json
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from pathlib import Path
from typing import Final

import polars as pl

from mailscope.daemon.changes.masking import without_secrets
from mailscope.daemon.changes.watched import Watched

AUTHOR: Final = "mailscope"
KIND: Final = "config"
LARGEST_BYTES: Final = 256 << 10
MOST_FILES: Final = 2_000
# Beside the paths, in the state that is kept: how many files are not watched.
LEFT_OUT: Final = "left_out"
SCHEMA: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    "time": pl.Datetime("us"), "host": pl.String, "kind": pl.String, "author": pl.String, "title": pl.String,
    "details": pl.String,
}  # fmt: skip
ONLY_CHANGED: Final = "(no difference is shown: it is no text, or too large)"
ONLY_SECRETS: Final = "(only what is masked has changed)"


@dataclass(frozen=True, slots=True)
class _Content:
    """What a file held: masked lines (None: not shown), and in memory only, how it looked on disk."""

    lines: tuple[str, ...] | None
    size: int
    digest: bytes | None = None
    signature: tuple[int, ...] | None = None


class ChangeNotes:
    """Gives a row of ``marks`` for each file that has changed.

    ``files`` is asked each time, as configuration names other files; ``state``: what the last run kept
    (``state()``), None at the first one, which notes nothing; ``most_files`` are watched, the first of them.
    ``problems``: what cannot be watched, in words.
    """

    def __init__(
        self,
        host: str,
        files: Callable[[], Sequence[Watched]],
        interval_s: float = 10,
        max_diff_bytes: int = 64 << 10,
        state: str | None = None,
        most_files: int = MOST_FILES,
    ) -> None:
        self._host = host
        self._files = files
        self._every = timedelta(seconds=interval_s)
        self._most = max_diff_bytes
        self._next: datetime | None = None
        self._missing: set[str] = set()
        self._known, self._left_out = _restored(state)
        self._most_files = most_files
        self.problems: tuple[str, ...] = ()

    def state(self) -> str:
        """What must be kept for the next run, as JSON; it holds no secret."""
        known = self._known or {}
        kept: dict[str, object] = {
            path: {"lines": each.lines, "size": each.size} for path, each in known.items()
        }
        return json.dumps({**kept, LEFT_OUT: self._left_out})

    def sample(self, now: datetime) -> pl.DataFrame | None:
        """Rows for what has changed since the last time, if it is time to look."""
        if self._next is not None and now < self._next:
            return None
        self._next = now + self._every
        first, known = self._known is None, self._known or {}
        problems: list[str] = []
        told: list[tuple[str, str]] = []
        present: set[str] = set()
        files = self._files()
        for watched in files[: self._most_files]:
            path = str(watched.path)
            before = known.get(path)
            try:
                content = _read(watched, before)
            except FileNotFoundError:
                continue
            except OSError as error:
                present.add(path)
                problems.append(f"{path}: {error.strerror}")
                continue
            present.add(path)
            if before is None:
                if not first:
                    told.append((f"{path} was added", self._difference(path, (), content.lines)))
            elif (details := self._changed(path, before, content)) is not None:
                told.append((f"{path} was changed", details))
            known[path] = content
        told += self._gone(known, present)
        told += self._counted(max(0, len(files) - self._most_files))
        if len(problems) > 1:
            problems = [f"{problems[0]}, and {len(problems) - 1:,} more files that cannot be read"]
        if self._left_out:
            problems.append(self._unwatched())
        self._known = known
        self.problems = tuple(f"changes of configuration: {problem}" for problem in problems)
        if not told:
            return None
        rows = [(now, self._host, KIND, AUTHOR, title, details) for title, details in told]
        return pl.DataFrame(rows, schema=SCHEMA, orient="row")

    def _counted(self, left_out: int) -> list[tuple[str, str]]:
        """How many files are not watched: told when it is the first time that there are any, or more."""
        more = left_out > self._left_out
        self._left_out = left_out
        return [(self._unwatched(), "")] if more else []

    def _unwatched(self) -> str:
        return f"{self._left_out:,} files are not watched, as there are more than {self._most_files:,}"

    def _gone(self, known: dict[str, _Content], present: set[str]) -> list[tuple[str, str]]:
        """Files that were missing last time too."""
        missing = set(known) - present
        gone = sorted(missing & self._missing)
        self._missing = missing - set(gone)
        told = []
        for path in gone:
            title = "was removed" if not os.path.lexists(path) else "is no longer in use"
            told.append((f"{path} {title}", ""))
            del known[path]
        return told

    def _changed(self, path: str, before: _Content, now: _Content) -> str | None:
        """What has changed; None where nothing has."""
        if before.lines is None or now.lines is None:
            same = before.size == now.size and before.digest in (None, now.digest)
            return None if before.lines is now.lines and same else ONLY_CHANGED
        if before.lines != now.lines:
            return self._difference(path, before.lines, now.lines)
        return ONLY_SECRETS if before.digest not in (None, now.digest) else None

    def _difference(self, path: str, before: tuple[str, ...], now: tuple[str, ...] | None) -> str:
        """A unified difference of at most so many bytes; what is left out is counted."""
        if now is None:
            return ONLY_CHANGED
        lines, size = [], 0
        left = 0
        for line in difflib.unified_diff(before, now, path, path, lineterm="", n=2):
            size += len(line.encode(errors="replace")) + 1
            if size > self._most:
                left += 1
            else:
                lines.append(line)
        return "\n".join([*lines, f"({left:,} more lines)"] if left else lines)


def _read(watched: Watched, before: _Content | None) -> _Content:
    """What a file holds now; what is known of it where it looks the same on disk."""
    found = os.stat(watched.path)
    signature = (found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)
    if before is not None and before.signature == signature:
        return before
    with Path(watched.path).open("rb") as file:
        data = file.read(LARGEST_BYTES + 1)
    # Never kept: a known text with an unknown password could be tried out against it.
    digest = blake2b(data).digest()
    lines: tuple[str, ...] | None = None
    if len(data) <= LARGEST_BYTES and b"\0" not in data:
        text = data.decode(errors="replace").replace("\r\n", "\n")
        lines = tuple(without_secrets(text.removesuffix("\n"), watched.form))
    return _Content(lines, found.st_size, digest, signature)


def _restored(state: str | None) -> tuple[dict[str, _Content] | None, int]:
    """What the last run kept, and how many files it did not watch.  Raises ValueError for any other text."""
    if state is None:
        return None, 0
    known = json.loads(state)
    left_out = known.pop(LEFT_OUT, 0)
    return {
        path: _Content(None if each["lines"] is None else tuple(each["lines"]), each["size"])
        for path, each in known.items()
    }, left_out
