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
from mailscope.web.pages.visit import Site
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
# A new version of the program may have others.
LASTING: Final = "public, max-age=600"


def site(
    service: Served, settings: Callable[[], Settings], group: str = "", more: Sequence[Adder] = ()
) -> FastAPI:
    """The application; ``settings``: those in force, for pages that show them; the rest: see ``api``."""
    app = api(service, group, more)
    found = Site(service, settings)
    # Before the pages: one of their paths would take it.
    add_streams(app, found)
    add_pages(app, found)

    @app.get("/static/{name}", include_in_schema=False)
    def static(name: str) -> Response:
        if name not in FILES:
            return Response(status_code=404)
        return FileResponse(STATIC / name, media_type=FILES[name], headers={"cache-control": LASTING})

    return app


__all__ = ["PAGES", "site"]
