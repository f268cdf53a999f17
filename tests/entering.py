"""A daemon with a live page, and people who have entered."""

from __future__ import annotations

import socket
from pathlib import Path

from serving import Daemon
from visiting import Visitor

from mailscope.web.people import accounts, links
from mailscope.web.people.book import Book

PASSWORD = "correct horse battery"


class Served(Daemon):
    """One that serves the page at ``address``; ``more``: other settings of [web]."""

    def __init__(self, place: Path, more: str = "", scheme: str = "http") -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        super().__init__(place, f"[web]\nenabled = true\nport = {port}\n{more}")
        self.address = f"{scheme}://127.0.0.1:{port}"

    def entered(self, name: str, role: str, *domains: str) -> Visitor:
        """A browser of a new person who has chosen a password."""
        book = Book(self.store)
        accounts.add(book, name, role, domains)
        key = links.make(book, name, "").rpartition("=")[2]
        book.close()
        visitor = Visitor(self.address)
        answer = visitor.post("/welcome", {"key": key, "password": PASSWORD, "again": PASSWORD})
        assert answer.status == 303, answer.text
        return visitor
