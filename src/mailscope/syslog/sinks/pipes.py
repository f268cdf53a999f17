"""Named pipes and devices: opened when somebody is there, never waited for at the opening."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Callable, Sequence
from typing import Final

from mailscope.syslog.conf.rules import Action
from mailscope.syslog.record import FORMS, Record
from mailscope.syslog.sinks.troubles import Troubles

_PATIENCE_S: Final = 5.0  # for a reader that does not read


class OpenedSink:
    """A pipe or a device.  A device's lines end with a carriage return, too, and drive no terminal."""

    def __init__(self, action: Action, say: Callable[[str], None]) -> None:
        self._path, self._form = action.target, FORMS[action.form]
        self._device = action.kind == "device"
        self._file = -1
        self._troubles = Troubles(action.target, say)

    def write(self, records: Sequence[Record]) -> None:
        """Write a line for each."""
        for done, record in enumerate(records):
            line = self._form(record).replace(b"\n", b"#012")
            data = harmless(line) + b"\r\n" if self._device else line + b"\n"
            try:
                if self._file < 0:
                    self._file = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
                put(self._file, data, _PATIENCE_S)
            except OSError as error:
                self._troubles.met(error, len(records) - done)
                self.reopen()
                return
        self._troubles.passed()

    def reopen(self) -> None:
        """Open it anew for the next message."""
        self.close()

    def close(self) -> None:
        """Let go of it."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def put(file: int, data: bytes, patience_s: float) -> None:
    """Write all to a descriptor that does not block.  Raises OSError, TimeoutError after the patience."""
    until = time.monotonic() + patience_s
    while data:
        try:
            data = data[os.write(file, data) :]
        except BlockingIOError:
            left = until - time.monotonic()
            if left <= 0:
                raise TimeoutError(0, "nobody reads") from None
            select.select((), (file,), (), left)


def harmless(line: bytes) -> bytes:
    """A line that drives no terminal: control characters, also those above 127, are shown as escapes."""
    text = line.decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else ascii(char)[1:-1] for char in text).encode()
