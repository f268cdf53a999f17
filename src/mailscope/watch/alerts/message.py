"""A message as it is handed to a route, whatever that makes of it: a mail, a line, a POST, a note."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from mailscope.watch.finding import Severity


@dataclass(frozen=True)
class Message:
    """What is told.

    ``id``: the same each time that it is tried, so that who gets it twice can tell; ``kind``: the news, or
    digest, summary, test; ``thread``: the finding that it is about, None for several; ``title`` and ``text``:
    safe to show as they are (``vocabulary/shown.py``), one line and many; ``plain``: the same as JSON.
    """

    id: str
    route: str
    kind: str
    severity: Severity
    host: str
    time: datetime
    title: str
    text: str
    plain: Mapping[str, Any]
    thread: str | None = None


class Sender(Protocol):
    """A way to send messages."""

    @property
    def where(self) -> str:
        """Where they go, without any secret."""

    def send(self, message: Message) -> None:
        """Send one and come back within the route's time.  Raises MailscopeError where it is not taken."""
