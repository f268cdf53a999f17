"""A site of a few paths behind the guard, in this process, for tests."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fastapi import FastAPI, Request, Response
from visiting import Browser

from mailscope.vocabulary.settings.web import Web
from mailscope.web.people.book import Book
from mailscope.web.people.desk import Desk
from mailscope.web.people.entering import add_door
from mailscope.web.people.guard import Guard
from mailscope.web.people.own_account import add_account
from mailscope.web.people.rules import Rule, Rules
from mailscope.web.people.viewer import viewer

PASSWORD = "correct horse battery"
SHOWN = {
    "text/html": "<a href='/about?subject=bob%40example.net'>&lt;bob@example.net&gt;</a> amy@example.org",
    "application/json": '{"to": "\\"bob b\\"@example.net", "from": "amy@example.org", "words": "bob@example.net"}',
    "text/event-stream": "data: bob@example.net\n\ndata: amy@example.org\n\n",
}


@dataclass
class Place:
    """A site of a few paths, and what the audit has of it."""

    book: Book
    settings: Web = field(default_factory=Web)
    entered: list[tuple[str, str, str]] = field(default_factory=list)
    clock: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        app = FastAPI()
        self.desk = Desk(self.book, lambda: self.settings, lambda *entry: self.entered.append(entry))
        add_door(app, self.desk)
        add_account(app, self.desk)

        @app.get("/shown")
        def shown(kind: str) -> Response:
            if kind == "binary":
                return Response(b"bob@example.net", media_type="application/vnd.apache.arrow.stream")
            return Response(SHOWN[kind], media_type=kind)

        @app.get("/v1/report")
        def report(request: Request) -> dict[str, Any]:
            return {"who": viewer(request).signature}

        @app.post("/v1/marks")
        def marks(request: Request, body: dict[str, Any]) -> dict[str, Any]:
            return body

        @app.get("/forgotten")
        def forgotten() -> str:
            return "nobody wrote a rule for this"

        self.app = Guard(app, self.desk, Rules([Rule("/", "look"), Rule("/shown", "look up", limited=True)]))

    def browser(self, name: str = "", **more: Any) -> Browser:
        """One that is logged in."""
        made = Browser(self.app, **more)
        if name:
            answer = made.post("/login", {"name": name, "password": PASSWORD})
            assert answer.status == 303, answer.text
        return made
