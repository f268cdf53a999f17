"""A file of logins (wtmp, btmp) that is read while it grows, as the lines that its records stand for.

Records have one size, so that a place in the file is always one between two of them.  Rotation is renaming,
as logrotate does it with wtmp and btmp: what is left of the renamed file is read first, also after a restart,
as long as it lies beside under its name with ``.1``.  utmp is no log: its records are changed in place.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from mailscope.host.layouts.lines import Lines, holds_refusals
from mailscope.host.layouts.utmp import LOOKED_AT, Layout, sniff
from mailscope.intake.follow.position import digest
from mailscope.intake.live import Arrival, Resume
from mailscope.intake.rotation import shown
from mailscope.vocabulary.errors import InputError

_BLOCK_BYTES: Final = 1 << 20
_HEAD_BYTES: Final = LOOKED_AT * 400


class LoginFeed:
    """A Feed (``live.py``) of one file of logins, from its beginning or from a resume point on.

    Raises InputError for a damaged resume point.
    """

    def __init__(self, path: str, resume: Resume | None = None) -> None:
        self._path = os.path.abspath(path)
        self._name = shown(self._path)
        self._file: int | None = None
        self._layout: Layout | None = None
        self._problem, self._losses = "", list[str]()
        self._key, self._fingerprint, self._offset, self._line_number = (0, 0), "", 0, 1
        if resume:
            try:
                self._key = int(resume["device"] or 0), int(resume["inode"] or 0)
                self._fingerprint = str(resume["fingerprint"] or "")
                self._offset, self._line_number = int(resume["offset"] or 0), int(resume["line_number"] or 1)
            except (KeyError, TypeError, ValueError) as error:
                raise InputError("its resume point in the store is damaged", self._name) from error

    def take(self, limit_bytes: int) -> Sequence[Arrival]:
        """What has come since the last time; never waits."""
        self._problem = ""
        try:
            if self._file is None and not self._open():
                return []
            arrival = self._next(limit_bytes)
            if arrival is None and self._rotated() and self._open():
                arrival = self._next(limit_bytes)
        except OSError as error:
            self._problem = str(InputError.from_os_error(error, self._name))
            return []
        return [arrival] if arrival else []

    def stored(self, arrivals: Sequence[Arrival]) -> None:
        """Nothing to do: the file stays as it is, the resume points are the store's."""

    def problems(self) -> Sequence[str]:
        """What is wrong just now, and what was lost."""
        return [*([self._problem] if self._problem else []), *self._losses]

    def end(self) -> bool:
        """Nothing has to be taken: it is in the file, and the store holds how far that was read."""
        return False

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _open(self) -> bool:
        """Open the file that was being read, wherever it is by now, or else the one that has the name."""
        known = self._offset > 0
        for path in (self._path, f"{self._path}.1") if known else (self._path,):
            with suppress(FileNotFoundError):
                self._file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
                if not known or self._goes_on():
                    self._begin()
                    return True
                self.close()
        if not known:
            self._problem = str(InputError("no such file yet", self._name, "it is read as it appears"))
            return False
        self._lose("it was rotated or rewritten while nobody followed it")
        return self._restart()

    def _goes_on(self) -> bool:
        """Whether the open file is the one that was read, by what it begins with."""
        assert self._file is not None
        head = os.pread(self._file, _HEAD_BYTES, 0)
        layout = sniff(head)
        same = layout is not None and digest(head[: layout.size]) == self._fingerprint
        return same and os.fstat(self._file).st_size >= self._offset

    def _begin(self) -> None:
        """Look at what was read of it before, for who is logged in where."""
        assert self._file is not None
        status = os.fstat(self._file)
        self._key = status.st_dev, status.st_ino
        self._layout = None
        at = 0
        while at < self._offset and self._known_layout():
            block = os.pread(self._file, min(_BLOCK_BYTES, self._offset - at), at)
            if not block:
                break
            self._lines.feed(block)
            at += len(block)

    def _known_layout(self) -> bool:
        """Tell the layout, as soon as there is a record to tell it by."""
        assert self._file is not None
        if self._layout is None:
            head = os.pread(self._file, _HEAD_BYTES, 0)
            self._layout = sniff(head)
            if self._layout is None:
                if len(head) >= _HEAD_BYTES:
                    self._problem = str(InputError("it holds no records of logins", self._name))
                return False
            self._fingerprint = digest(head[: self._layout.size])
            self._lines = Lines(self._layout, refusals=holds_refusals(self._path))
        return True

    def _next(self, limit_bytes: int) -> Arrival | None:
        if not self._known_layout() or self._layout is None or self._file is None:
            return None
        size = self._layout.size
        wanted = min(max(limit_bytes, size), _BLOCK_BYTES)
        block = os.pread(self._file, wanted - wanted % size, self._offset)
        block = block[: len(block) - len(block) % size]
        if not block:
            return None
        damaged = self._lines.damaged
        lines = self._lines.feed(block)
        if self._lines.damaged > damaged:
            self._lose(f"{self._lines.damaged - damaged} damaged records behind byte {self._offset} left out")
        offset, line_number = self._offset, self._line_number
        self._offset += len(block)
        self._line_number += lines.count(b"\n")
        return Arrival(self._name, lines, offset, line_number, self._resume(), self._path, first=offset == 0)

    def _rotated(self) -> bool:
        """Whether another file has the name, or the same one was emptied; it is let go of then."""
        assert self._file is not None
        if os.fstat(self._file).st_size < self._offset:
            self._lose("it was emptied while it was followed")
            self.close()
            self._forget()
            return True
        try:
            status = os.stat(self._path)
        except FileNotFoundError:
            return False
        if (status.st_dev, status.st_ino) == self._key:
            return False
        self.close()
        self._forget()
        return True

    def _restart(self) -> bool:
        self._forget()
        return self._open()

    def _forget(self) -> None:
        self._layout, self._offset, self._line_number, self._fingerprint = None, 0, 1, ""

    def _lose(self, what: str) -> None:
        self._losses = [*self._losses, str(InputError(what, self._name))][-20:]

    def _resume(self) -> Resume:
        return {
            "device": self._key[0],
            "inode": self._key[1],
            "fingerprint": self._fingerprint,
            "offset": self._offset,
            "line_number": self._line_number,
        }
