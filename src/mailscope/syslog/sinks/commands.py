"""Commands that messages are given to, as by the BSDs' syslogd: ``sh -c``, started anew when ended."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Sequence
from typing import Final

from mailscope.syslog.conf.rules import Action
from mailscope.syslog.record import FORMS, Record
from mailscope.syslog.sinks.pipes import put
from mailscope.syslog.sinks.troubles import Troubles

_PATIENCE_S: Final = 5.0
_LEAVE_S: Final = 3.0


class CommandSink:
    """One command, started with the first message."""

    def __init__(self, action: Action, say: Callable[[str], None]) -> None:
        self._command, self._form = action.target, FORMS[action.form]
        self._process: subprocess.Popen[bytes] | None = None
        self._troubles = Troubles(action.target, say)

    def write(self, records: Sequence[Record]) -> None:
        """Give it a line for each."""
        data = b"".join(self._form(record).replace(b"\n", b"#012") + b"\n" for record in records)
        for last in (False, True):
            try:
                put(self._input(), data, _PATIENCE_S)
            except OSError as error:
                self.close()
                if last:
                    self._troubles.met(error, len(records))
            else:
                self._troubles.passed()
                return

    def reopen(self) -> None:
        """End it; the next message starts it anew."""
        self.close()

    def close(self) -> None:
        """Close its input and let it end."""
        if self._process is None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(_LEAVE_S)
        except subprocess.TimeoutExpired:
            self._process.terminate()
        self._process = None

    def _input(self) -> int:
        if self._process is None or self._process.poll() is not None:
            self._process = subprocess.Popen(
                ["/bin/sh", "-c", self._command], stdin=subprocess.PIPE, bufsize=0, start_new_session=True
            )
            assert self._process.stdin is not None
            os.set_blocking(self._process.stdin.fileno(), False)
        assert self._process.stdin is not None
        return self._process.stdin.fileno()
