"""The live page: its pages and files, beside the API, in one application."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fastapi import FastAPI, Response
from fastapi.responses import FileResponse

from mailscope.web.api import Adder, api
from mailscope.web.pages import PAGES
from mailscope.web.pages.answering import add_pages
from mailscope.web.pages.live import PAGE as LIVE
from mailscope.web.pages.visit import Site
from mailscope.web.people.documented import document
from mailscope.web.people.rules import Rule
from mailscope.web.people.viewer import viewer
from mailscope.web.served import Served
from mailscope.web.streaming import add_streams

if TYPE_CHECKING:
    from mailscope.vocabulary.settings.settings import Settings

STATIC: Final = Path(__file__).parent / "static"
FILES: Final = {
    "site.css": "text/css; charset=utf-8",
    "site.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
# Pages that name persons, whoever is asked for; the others enter what is looked up.
ENTERED: Final = ("security", "queue", "cause")
# What one must be allowed to hear how many lines come.
LOOK: Final = "look"
# A new version of the program may have others.
LASTING: Final = "public, max-age=600"


def site(service: Served, settings: Callable[[], Settings], more: Sequence[Adder] = ()) -> FastAPI:
    """The application, which answers behind the guard only (``people/guard.py``).

    ``settings``: those in force, for pages that show them; ``more``: see ``api``.
    """
    app = api(service, more=more, who=viewer)
    found = Site(service, settings)
    # Before the pages: one of their paths would take it.
    add_streams(app, found)
    add_pages(app, found)

    @app.get("/static/{name}", include_in_schema=False)
    def static(name: str) -> Response:
        if name not in FILES:
            return Response(status_code=404)
        return FileResponse(STATIC / name, media_type=FILES[name], headers={"cache-control": LASTING})

    document(app)
    return app


def rules() -> list[Rule]:
    """What the pages and their streams need."""
    streams = [Rule("/live/pulse", LOOK), Rule("/live/stream", LIVE.action)]
    pages = [
        Rule(page.path, page.action, limited=page.limited, audited=page.name if page.name in ENTERED else "")
        for page in PAGES
    ]
    forms = [
        Rule(path, action, ("POST",), limited=page.limited)
        for page in PAGES
        for path, (action, _) in page.forms.items()
    ]
    return [*streams, *pages, *forms]


__all__ = ["PAGES", "rules", "site"]
