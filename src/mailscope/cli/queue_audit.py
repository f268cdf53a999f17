"""Where it is written who changed a queue: in the store's audit log where there is a store, else in
syslog.
"""

from __future__ import annotations

import syslog
from pathlib import Path
from typing import Final

SOCKET: Final = Path("/dev/log")


class Audit:
    """What is entered is on the disk, or handed to syslog, before anything is done."""

    def __init__(self) -> None:
        from mailscope.cli.inputs import say
        from mailscope.cli.stores import directory, exists

        place = directory(None)
        self._store = place if exists(place) else None
        if self._store is None and not SOCKET.exists():
            say("there is neither a store nor a syslog here: nobody writes down who did this")
        elif self._store is None:
            syslog.openlog("mailscope", syslog.LOG_PID, syslog.LOG_MAIL)

    def enter(self, action: str, words: str) -> None:
        """Enter something.  Raises OutputError where the store's log cannot be written."""
        from mailscope.store import audit

        if self._store is not None:
            audit.enter(self._store, audit.user(), f"queue {action}", words)
        elif SOCKET.exists():
            syslog.syslog(syslog.LOG_NOTICE, f"queue {action} by {audit.user()}: {words}")
