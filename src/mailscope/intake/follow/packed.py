"""What is left to read of a file that was packed: its text is unpacked again, up to where reading stopped."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Final

from mailscope.intake.continued import whole_records
from mailscope.intake.follow.piece import Piece
from mailscope.intake.follow.position import BEFORE_BYTES, Position, digest
from mailscope.intake.reader import ReadReport, Source, read_chunks, sniff_compression
from mailscope.intake.rotation import shown
from mailscope.vocabulary.errors import InputError

_CHUNK_BYTES: Final = 1 << 20
_PATIENCE_S: Final = 0.1  # that one call may unpack what was read before


class Packed:
    """The text of one packed file, from a position on.  It does not grow.

    ``problems`` fills while it is read: damage, or that it is not what was read before.
    """

    def __init__(self, after: Position) -> None:
        """Open the file that the position names; raises OSError where that fails."""
        self._after = after
        self._offset, self._line_number = after.offset, after.line_number
        self._before = b""  # the last bytes in front of what comes next
        self._skipped = False  # what was read before is behind us
        self._unpacked = 0
        self._report = ReadReport()
        # Held from now on, whatever becomes of its name; read when its turn comes.
        self._file: int | None = os.open(after.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        status = os.fstat(self._file)
        self.key = status.st_dev, status.st_ino
        source = replace(source_of(after.path), path=f"/dev/fd/{self._file}")
        self._chunks = read_chunks(source, _CHUNK_BYTES, None, self._report)
        self._records = whole_records(self._chunks)

    @property
    def problems(self) -> list[InputError]:
        """What was damaged or did not fit."""
        return self._report.problems

    @property
    def done(self) -> bool:
        """It was read to its end."""
        return self._file is None

    @property
    def behind(self) -> bool:
        """There is more to read at once."""
        return not self.done

    def read(self, limit_bytes: int) -> Piece | None:
        """The next lines; None at the end, or while what was read before is being unpacked."""
        until = time.monotonic() + _PATIENCE_S
        while self._file is not None and time.monotonic() < until:
            chunk = next(self._records, None)
            if chunk is None:
                if not self._skipped and self._after.offset > self._unpacked:
                    self._complain("it is shorter than what was read of it before it was packed")
                self.close()
            elif self._skipped:
                return self._piece(chunk.data, chunk.last)
            elif (start := self._after.offset - chunk.offset) >= len(chunk.data):
                self._before = (self._before + chunk.data)[-BEFORE_BYTES:]
                self._unpacked = chunk.offset + len(chunk.data)
            else:
                self._before = (self._before + chunk.data[:start])[-BEFORE_BYTES:]
                self._skipped = True
                if digest(self._before) == self._after.before:
                    return self._piece(chunk.data[start:], chunk.last)
                self._complain("it does not hold what was read before it was packed; it is left out")
                self.close()
        return None

    def position(self) -> Position:
        """Where the next piece will begin."""
        return replace(
            self._after,
            before=digest(self._before) if self._skipped else self._after.before,
            offset=self._offset,
            line_number=self._line_number,
            unread_bytes=0 if self.done else max(self._after.unread_bytes, 1),
            quiet=self.done,
        )

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            self._chunks.close()
            os.close(self._file)
            self._file = None

    def _piece(self, data: bytes, last: bool) -> Piece:
        piece = Piece(
            data if data.endswith(b"\n") or not last else data + b"\n",
            self._offset,
            self._line_number,
            not self._offset,
        )
        self._before = (self._before + data)[-BEFORE_BYTES:]
        self._offset += len(data)
        self._line_number += data.count(b"\n") + (not data.endswith(b"\n"))
        return piece

    def _complain(self, what: str) -> None:
        self._report.problems.append(InputError(what, shown(self._after.path)))


def head_of(path: str, size: int) -> bytes:
    """The first bytes of a file's text, unpacked; empty where that cannot be."""
    head = b""
    with_head = read_chunks(source_of(path), max(size, 1), None, ReadReport())
    for chunk in with_head:
        head += chunk.data
        if len(head) >= size:
            break
    with_head.close()
    return head[:size]


def holds_logins(path: str) -> bool:
    """Whether a file, unpacked, holds records of logins (``logins.py``)."""
    report = ReadReport()
    chunks = read_chunks(source_of(path), 1, None, report)
    next(chunks, None)
    chunks.close()
    return report.logins


def is_packed(head: bytes) -> bool:
    """The first bytes (as stored) are those of an archive."""
    return sniff_compression(head) not in ("none", "export", "logins")


def source_of(path: str) -> Source:
    """A file as the reader takes it."""
    return Source(path, shown(path), path, 0, None, 0, "none")
