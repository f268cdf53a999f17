"""Blocklists that are asked of the running daemon, by the settings in force."""

from __future__ import annotations

from collections.abc import Mapping

from mailscope.daemon.service import Service
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.settings.settings import Settings


class Blocking:
    """Makes the list; ``settings``: those in force, taken anew when they are read again."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service = service
        self.settings = settings

    def make(self, asked: Mapping[str, list[str]]) -> tuple[bytes, str, str]:
        """The list, what names its contents, and its content type.  Raises MailscopeError."""
        from mailscope.watch.blocking.answering import blocklist

        return blocklist(self._service.database, self.settings, asked)

    def feed(self, asked: Mapping[str, list[str]]) -> tuple[bytes, str, str]:
        """The same over TCP, where the settings want that."""
        if not self.settings.blocking.feed:
            raise UsageError("the blocklist is not given over TCP", "", "set feed in [blocking]")
        return self.make(asked)
