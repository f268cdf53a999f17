"""Files: appended to, brought to the disk where that is asked for, put aside when they are full.

While a file cannot be written, some lines are kept until it can; those beyond are counted as lost.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final

from mailscope.syslog.conf.rules import Action
from mailscope.syslog.record import FORMS, Record
from mailscope.syslog.sinks.troubles import Troubles

_MODE: Final = 0o640
_KEPT_BYTES: Final = 4 << 20


class FileSink:
    """One file."""

    def __init__(self, action: Action, say: Callable[[str], None]) -> None:
        self._action = action
        self._form = FORMS[action.form]
        self._file = -1
        self._kept = b""
        self._troubles = Troubles(action.target, say)
        self._open()

    def write(self, records: Sequence[Record]) -> None:
        """Append a line for each."""
        lines = [self._form(record).replace(b"\n", b"#012") + b"\n" for record in records]
        data = self._kept + b"".join(lines)
        try:
            if self._file < 0:
                self._file = self._opened()
            data = self._written(data)
        except OSError as error:
            self._failed(error, data, len(lines))
        else:
            self._kept = b""
            self._troubles.passed()

    def reopen(self) -> None:
        """Open the file of that name, which may be another one now."""
        self.close()
        self._open()

    def close(self) -> None:
        """Let go of it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def _open(self) -> None:
        try:
            self._file = self._opened()
        except OSError as error:
            self._troubles.met(error, 0)

    def _opened(self) -> int:
        return os.open(
            self._action.target, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOCTTY, _MODE
        )

    def _written(self, data: bytes) -> bytes:
        """Write it; what is left when an OSError is raised is in ``self._kept``."""
        left = data
        try:
            while left:
                left = left[os.write(self._file, left) :]
            if self._action.synced:
                os.fdatasync(self._file)
            if self._action.rotate_bytes and os.fstat(self._file).st_size >= self._action.rotate_bytes:
                self._rotate()
        except OSError:
            self._kept = left
            raise
        return left

    def _failed(self, error: OSError, data: bytes, lines: int) -> None:
        if self._file < 0:
            self._kept = data
        lost = 0
        if len(self._kept) > _KEPT_BYTES:
            # Whole lines, the oldest ones, are what stays.
            end = self._kept.rfind(b"\n", 0, _KEPT_BYTES) + 1
            lost = self._kept.count(b"\n", end)
            self._kept = self._kept[:end]
        self._troubles.met(error, min(lost, lines))

    def _rotate(self) -> None:
        """``log`` becomes ``log.0``, that ``log.1``, and so on; the last is dropped."""
        path, count = self._action.target, self._action.rotate_count
        for number in range(count - 2, -1, -1):
            if os.path.exists(f"{path}.{number}"):
                os.replace(f"{path}.{number}", f"{path}.{number + 1}")
        if count:
            os.replace(path, f"{path}.0")
        else:
            os.unlink(path)
        os.close(self._file)
        self._file = -1
        self._file = self._opened()
