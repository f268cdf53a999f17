"""Pages over HTTP: who may see them, the document that is made, and tables as files.

A page is a function from a visit to what its template shows.  Here is all that is the same for each: the
span and the language are read, permission is asked, mistakes become a page that says what to do.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Final
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

import duckdb
from fastapi import FastAPI, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from starlette.concurrency import run_in_threadpool

from mailscope.language.choice import ENGLISH, LANGUAGES
from mailscope.language.phrase import Phrase
from mailscope.language.translator import Translator, translator
from mailscope.vocabulary.errors import MailscopeError, UsageError
from mailscope.vocabulary.instants import naive_now
from mailscope.web.pages import PAGES
from mailscope.web.pages.exporting import FORMATS, exported
from mailscope.web.pages.page import Context, Page, Redirect
from mailscope.web.pages.rendering import failed, rendered
from mailscope.web.pages.span import USUAL, named, read
from mailscope.web.pages.visit import Site, Visit
from mailscope.web.people.viewer import Viewer, csrf_token, viewer
from mailscope.web.refusals import told
from mailscope.web.telling import MORE

MOST_BYTES: Final = 64 << 10
FAILURES: Final = (MailscopeError, duckdb.Error, OSError)
FORBIDDEN: Final = {
    "what": Phrase("Your account may not see this."),
    "what_to_do": Phrase("Ask an administrator of Mailscope for another role."),
}
NO_TABLE: Final = {"what": Phrase("There is no such table."), "what_to_do": ""}
# Zones that a browser names and this host does not know are not used.
ZONE: Final = "mailscope_zone"
# Rows that are marked in a form.
MARKED: Final = "id"


def add_pages(app: FastAPI, site: Site) -> None:
    """All pages, and what can be posted to them."""
    for page in PAGES:
        app.add_api_route(
            page.path, _answering(page, site), methods=["GET"], include_in_schema=False, name=page.name
        )
        for path in page.forms:
            app.add_api_route(
                path, _taking(page, site, path), methods=["POST"], include_in_schema=False, name=path
            )


def _answering(page: Page, site: Site) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        return await run_in_threadpool(_answer, page, site, request)

    return answer


def _taking(page: Page, site: Site, path: str) -> Callable[[Request], Awaitable[Response]]:
    action, take = page.forms[path]

    async def answer(request: Request) -> Response:
        form = await _form(request)
        return await run_in_threadpool(_take, page, site, request, action, take, form)

    return answer


def _query(request: Request) -> dict[str, str]:
    """What the URL tells; of a mark that is there several times, all, with commas between."""
    found = dict(request.query_params)
    if MARKED in found:
        found[MARKED] = ",".join(request.query_params.getlist(MARKED))
    return found | {name: str(value) for name, value in request.path_params.items()}


def _answer(page: Page, site: Site, request: Request) -> Response:
    query = _query(request)
    visit = visiting(site, request, query)
    if not visit.viewer.may(page.action):
        return _failed(visit, FORBIDDEN, 403)
    try:
        visit = visiting(site, request, query, page.usual or USUAL)
        context = page.show(visit)
    except Redirect as other:
        return RedirectResponse(other.location, 303)
    except FAILURES as error:
        return _failed(visit, _words(error), 400 if isinstance(error, UsageError) else 503)
    if visit.query.get("format") in FORMATS:
        return _file(visit, context)
    return HTMLResponse(rendered(visit, page, context, menu(visit)))


def _take(
    page: Page,
    site: Site,
    request: Request,
    action: str,
    take: Callable[[Visit, Mapping[str, str]], str],
    form: Mapping[str, str],
) -> Response:
    query = {name: str(value) for name, value in request.path_params.items()}
    visit = visiting(site, request, query)
    if not visit.viewer.may(action):
        return _failed(visit, FORBIDDEN, 403)
    try:
        return RedirectResponse(take(visit, form), 303)
    except FAILURES as error:
        return _failed(visit, _words(error), 400 if isinstance(error, UsageError) else 503)


async def _form(request: Request) -> dict[str, str]:
    """The fields of a form (application/x-www-form-urlencoded), the first of each name."""
    data = bytearray()
    async for piece in request.stream():
        data += piece
        if len(data) > MOST_BYTES:
            break
    text = bytes(data[:MOST_BYTES]).decode("utf-8", "replace")
    found: dict[str, str] = {}
    for name, value in parse_qsl(text, keep_blank_values=True, max_num_fields=None):
        found.setdefault(name, value)
    return found


def _file(visit: Visit, context: Context) -> Response:
    grid = next((each for each in context.grids() if each.name == visit.export), None)
    if grid is None:
        return _failed(visit, NO_TABLE, 404)
    body, kind, name = exported(grid, visit.query["format"])
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    if grid.total is None or len(grid.rows) < grid.total:
        # Not all of it: how many rows are left out, where somebody counted them.
        headers[MORE] = "unknown" if grid.total is None else str(grid.total - len(grid.rows))
    return Response(body, media_type=kind, headers=headers)


def _words(error: Exception) -> Mapping[str, str]:
    """An error in words that can still be told in another language."""
    if isinstance(error, MailscopeError):
        return {"what": error.what, "where": error.where, "what_to_do": error.what_to_do}
    return told(error).model_dump()


def _failed(visit: Visit, words: Mapping[str, str], status: int) -> Response:
    return HTMLResponse(failed(visit, menu(visit), words, status), status)


def menu(visit: Visit) -> list[tuple[Page, str]]:
    """The pages that the viewer may see, with their links."""
    return [
        (page, visit.kept(page.path) if page.usual else page.path)
        for page in PAGES
        if page.menu and visit.viewer.may(page.action)
    ]


def visiting(site: Site, request: Request, query: Mapping[str, str], usual: str = "") -> Visit:
    """A visit; ``usual``: the span where the query names none ("": the query is not looked at).

    Raises UsageError for a span that is none.
    """
    who = viewer(request)
    now = naive_now()
    zone = zone_of(who, request, site)
    return Visit(
        site=site,
        viewer=who,
        tr=language_of(who, request),
        zone=zone,
        span=read(query, zone, now, usual) if usual else named(USUAL, zone, now),
        now=now,
        path=request.url.path,
        query=query,
        export=query.get("table", "") if query.get("format") in FORMATS else "",
        csrf=csrf_token(request),
    )


def language_of(who: Viewer, request: Request) -> Translator:
    """The viewer's language, or the first of the browser's that we have."""
    wanted = [who.language, *request.headers.get("accept-language", "").split(",")]
    for each in wanted:
        name = each.partition(";")[0].strip().partition("-")[0].lower()
        if name in LANGUAGES:
            return translator(name)
    return translator(ENGLISH)


def zone_of(who: Viewer, request: Request, site: Site) -> ZoneInfo:
    """The viewer's zone, that of the browser, or the store's."""
    for name in (who.zone, request.cookies.get(ZONE, "")):
        if name:
            try:
                return ZoneInfo(name)
            except (ValueError, OSError, KeyError):
                continue
    return site.service.reader().zone
