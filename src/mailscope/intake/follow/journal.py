"""systemd's journal as a feed: a ``journalctl --follow`` that is started again whenever it ends.

A thread makes lines of its entries (``exported.py``) into a buffer of bounded size; while that is full
nothing is read, and journalctl waits.  The resume point is the cursor of the last entry, after which
journalctl begins.

Source: journalctl(1).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, Literal

from mailscope.intake.exported import Export
from mailscope.intake.journal import NAME, Wanted
from mailscope.intake.live import Arrival, Resume
from mailscope.intake.unpacking import DamageError
from mailscope.vocabulary.errors import InputError
from mailscope.vocabulary.instants import naive

_BUFFER_BYTES: Final = 8 << 20
_BLOCK_BYTES: Final = 128 << 10
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_WELL_S: Final = 10.0  # after which a journalctl that runs is taken to be well


class JournalFeed:
    """A Feed (``live.py``) of the host's journal, or of journal files.

    In: which entries; the resume point that the store holds; where to begin if it holds none; the name of the
    source.  Raises InputError for a damaged resume point.
    """

    def __init__(
        self,
        wanted: Wanted,
        resume: Resume | None = None,
        start: Literal["end", "beginning"] = "beginning",
        name: str = NAME,
    ) -> None:
        self._name = name
        try:
            self._offset = int(resume["offset"] or 0) if resume else 0
            self._line_number = int(resume["line_number"] or 1) if resume else 1
            self._cursor = str(resume["cursor"] or "") if resume else ""
            self._since_s = float(resume["since_s"] or 0) if resume else time.time() * (start == "end")
        except (KeyError, TypeError, ValueError) as error:
            raise InputError("its resume point in the store is damaged", name) from error
        self._announce = resume is None
        if self._since_s:
            wanted = replace(wanted, since=naive(datetime.fromtimestamp(self._since_s, UTC)))
        self._reading = _Reading(wanted, self._cursor, name)

    def take(self, limit_bytes: int) -> Sequence[Arrival]:
        """What has come since the last time, about so many bytes; never waits."""
        lines, cursor = self._reading.take(limit_bytes)
        if not lines and not self._announce:
            return []
        self._announce = False
        self._cursor = cursor or self._cursor
        offset, line_number = self._offset, self._line_number
        self._offset += len(lines)
        self._line_number += lines.count(b"\n")
        resume: Resume = {
            "cursor": self._cursor,
            "since_s": self._since_s,
            "offset": self._offset,
            "line_number": self._line_number,
        }
        return [Arrival(self._name, lines, offset, line_number, resume, self._name)]

    def stored(self, arrivals: Sequence[Arrival]) -> None:
        """Nothing to do: the journal stays as it is, the resume points are the store's."""

    def problems(self) -> Sequence[str]:
        """Why journalctl does not run, and what was left out."""
        return self._reading.problems()

    def end(self) -> bool:
        """Nothing has to be taken: it is in the journal, and the store holds how far that was read."""
        return False

    def close(self) -> None:
        """End journalctl."""
        self._reading.close()


class _Reading(threading.Thread):
    """journalctl at work, again and again."""

    def __init__(self, wanted: Wanted, cursor: str, name: str) -> None:
        super().__init__(name=f"mailscope-{name}", daemon=True)
        self._wanted = wanted
        self._where = name
        self._cursor = cursor  # of the last entry in the buffer
        self._held: deque[tuple[bytes, str]] = deque()
        self._held_bytes = 0
        self._changed = threading.Condition()
        self._closed = False
        self._child: subprocess.Popen[bytes] | None = None
        self._problem = ""
        self._left_out = 0
        self.start()

    def take(self, limit_bytes: int) -> tuple[bytes, str]:
        """Lines, and the cursor of the last of them."""
        taken: list[bytes] = []
        cursor = ""
        with self._changed:
            while self._held and limit_bytes > 0:
                lines, cursor = self._held.popleft()
                limit_bytes -= len(lines)
                self._held_bytes -= len(lines)
                taken.append(lines)
            self._changed.notify()
        return b"".join(taken), cursor

    def problems(self) -> list[str]:
        """What is wrong just now."""
        out = [self._problem] if self._problem else []
        if self._left_out:
            out.append(f"{self._where}: {self._left_out} entries could not be read and were left out")
        return out

    def close(self) -> None:
        """End it."""
        with self._changed:
            self._closed = True
            if (child := self._child) is not None:
                child.terminate()
            self._changed.notify()
        self.join(timeout=5)

    def run(self) -> None:
        """Start journalctl whenever there is none."""
        pause_s = _FIRST_PAUSE_S
        while not self._closed:
            begun = time.monotonic()
            try:
                self._problem = self._follow() or self._problem
            except InputError as error:
                self._problem = str(error)
            except OSError as error:
                self._problem = str(InputError.from_os_error(error, self._where))
            if time.monotonic() - begun > _WELL_S:
                pause_s = _FIRST_PAUSE_S
            with self._changed:
                self._changed.wait_for(lambda: self._closed, pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)

    def _follow(self) -> str:
        """Run one journalctl to its end; what is to be said of it."""
        command = shutil.which("journalctl")
        if command is None:
            raise InputError("there is no journalctl to read it", self._where, "install systemd's journalctl")
        options = self._wanted.following(self._cursor)
        with tempfile.TemporaryFile() as said:
            with self._changed:
                if self._closed:
                    return ""
                child = self._child = subprocess.Popen(
                    [command, *options],
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=said,
                    env={**os.environ, "LC_ALL": "C.UTF-8"},
                )
            assert child.stdout is not None
            with child.stdout:
                why = self._read(child.stdout.fileno())
            child.terminate()
            status = child.wait()
            self._child = None
            said.seek(0)
            words = said.read(1000).decode("utf-8", "replace").strip()
        if self._closed:
            return ""
        why = why or (words.splitlines()[0] if words else f"exit status {status}")
        return str(InputError(f"journalctl ended: {why}", self._where, "it is started again"))

    def _read(self, pipe: int) -> str:
        """Fill the buffer until journalctl ends; why it has to be ended, if so."""
        export = Export()
        begun = time.monotonic()
        while block := os.read(pipe, _BLOCK_BYTES):
            lines, damage = b"", None
            try:
                lines = export.feed(block)
                damage = export.damage
            except DamageError as error:
                damage = error
            if lines:
                self._hold(lines, export.cursor)
            if damage is not None:
                self._cursor = export.begun or self._cursor  # the entry is not read again
                self._left_out += 1
                return str(damage)
            if lines or time.monotonic() - begun > _WELL_S:
                self._problem = ""
        return ""

    def _hold(self, lines: bytes, cursor: str) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._held_bytes < _BUFFER_BYTES)
            if not self._closed:
                self._held.append((lines, cursor))
                self._held_bytes += len(lines)
                self._cursor = cursor
