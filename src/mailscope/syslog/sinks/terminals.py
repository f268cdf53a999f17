"""People's terminals: some users', or everyone's, as wall(1) writes to them."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from typing import Final

from mailscope.syslog.conf.rules import Action
from mailscope.syslog.record import Record, traditional
from mailscope.syslog.sinks.pipes import harmless, put

_LINE: Final = re.compile(r"[A-Za-z0-9]+(?:/[0-9]+)?")
_PATIENCE_S: Final = 1.0


def sessions() -> list[tuple[str, str]]:
    """Who is logged in, and on which terminal."""
    import psutil

    return [(user.name, user.terminal or "") for user in psutil.users()]


class TerminalSink:
    """The terminals of some users.  A terminal that cannot be written to is its user's choice (mesg(1))."""

    def __init__(
        self,
        action: Action,
        say: Callable[[str], None],
        logged_in: Callable[[], list[tuple[str, str]]] = sessions,
        devices: str = "/dev",
    ) -> None:
        self._names = None if action.kind == "everyone" else frozenset(action.target.split(","))
        self._logged_in, self._devices = logged_in, devices

    def write(self, records: Sequence[Record]) -> None:
        """Show each."""
        for name, line in self._logged_in():
            if (self._names is None or name in self._names) and _LINE.fullmatch(line):
                for record in records:
                    self._show(f"{self._devices}/{line}", record)

    def reopen(self) -> None:
        """Nothing is held open."""

    def close(self) -> None:
        """Nothing is held open."""

    def _show(self, terminal: str, record: Record) -> None:
        head = f"Message from syslogd@{harmless(record.host).decode()} at {time.ctime()} ..."
        text = f"\r\n\a{head}\r\n {harmless(traditional(record)).decode()}\r\n".encode()
        try:
            file = os.open(terminal, os.O_WRONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC)
        except OSError:
            return
        try:
            put(file, text, _PATIENCE_S)
        except OSError:
            return
        finally:
            os.close(file)
