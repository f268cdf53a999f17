"""The live page in the daemon: who may enter, what is answered, and where."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from mailscope.web.api import Adder
from mailscope.web.listener import Listener
from mailscope.web.people.book import Book
from mailscope.web.people.desk import Desk
from mailscope.web.people.entering import add_door
from mailscope.web.people.guard import Guard
from mailscope.web.people.links import first
from mailscope.web.people.own_account import add_account
from mailscope.web.people.rules import Rules
from mailscope.web.site import rules, site

if TYPE_CHECKING:
    from mailscope.daemon.serving import Doors
    from mailscope.vocabulary.settings.settings import Settings


class LivePage:
    """Served where the settings say so.

    ``settings``: gives those in force; ``more``: what else the API answers.  Raises InputError where the
    address, the certificate or the accounts cannot be had.
    """

    def __init__(
        self,
        doors: Doors,
        settings: Callable[[], Settings],
        more: Sequence[Adder],
        say: Callable[[str], None],
    ) -> None:
        self._listener: Listener | None = None
        self._book: Book | None = None
        web = settings().web
        if not web.enabled:
            return
        book = self._book = Book(doors.directory)
        desk = Desk(book, lambda: settings().web, doors.audit)
        app = site(doors, settings, more)
        add_door(app, desk)
        add_account(app, desk)
        try:
            self._listener = Listener(Guard(app, desk, Rules(rules())), web)
        except BaseException:
            book.close()
            raise
        reached = web.url or self._listener.address
        say(f"the live page is at {reached}")
        if link := first(book, reached):
            say(f"nobody can log in yet: choose the first admin's password at {link} (once, within a day)")

    def renew(self) -> None:
        """Settings were read again: so is the certificate.  Raises InputError; the old one stays then."""
        if self._listener is not None:
            self._listener.renew_certificate()

    def close(self) -> None:
        """Answer no more."""
        if self._listener is not None:
            self._listener.close()
        if self._book is not None:
            self._book.close()
