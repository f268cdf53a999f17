"""What comes while a page is looked at, as server-sent events (HTML, "Server-sent events").

    /live/pulse    stored: how many lines a batch brought; a page of figures is fetched anew then
    /live/stream   rows: the lines of a batch that the filters of the live page let pass

A client costs no thread: batches reach its queue from the daemon's thread, and what it is too slow for is
left out.  A line without words says every few seconds that the daemon is still there.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any, Final

import polars as pl
from fastapi import FastAPI, Request, Response
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool

from mailscope.web.pages.answering import visiting
from mailscope.web.pages.live import PAGE, cells, chosen
from mailscope.web.pages.visit import Site, Visit

EVENTS: Final = "text/event-stream"
HEARTBEAT_S: Final = 15.0
# Batches that a slow client may be behind.
MOST_WAITING: Final = 20
# Of a large batch, only the last lines can be read by anybody.
MOST_ROWS: Final = 200


def add_streams(app: FastAPI, site: Site) -> None:
    """Both streams."""

    @app.get("/live/pulse", include_in_schema=False)
    async def pulse(request: Request) -> Response:
        return StreamingResponse(
            _following(site, _pulse), media_type=EVENTS, headers={"x-accel-buffering": "no"}
        )

    @app.get("/live/stream", include_in_schema=False)
    async def stream(request: Request) -> Response:
        visit = await run_in_threadpool(visiting, site, request, dict(request.query_params))
        if not visit.viewer.may(PAGE.action):
            return Response(status_code=403)
        asked = " ".join(f"{name}={value}" for name, value in visit.query.items())
        await run_in_threadpool(visit.audit, "tail", asked or "everything")
        return StreamingResponse(
            _following(site, lambda rows: _rows(visit, rows)), media_type=EVENTS,
            headers={"x-accel-buffering": "no"},
        )  # fmt: skip


async def _following(site: Site, made: Callable[[pl.DataFrame], str]) -> AsyncIterator[str]:
    """What is made of each batch, until the client goes."""
    loop = asyncio.get_running_loop()
    waiting: asyncio.Queue[pl.DataFrame] = asyncio.Queue(MOST_WAITING)

    def put(rows: pl.DataFrame) -> None:
        if not waiting.full():
            waiting.put_nowait(rows)

    def watch(rows: pl.DataFrame) -> None:
        if len(rows) and not loop.is_closed():
            loop.call_soon_threadsafe(put, rows)

    watchers = site.service.watchers
    watchers.append(watch)
    try:
        yield "retry: 3000\n\n"
        while True:
            try:
                rows = await asyncio.wait_for(waiting.get(), HEARTBEAT_S)
            except TimeoutError:
                yield ":\n\n"
                continue
            if told := await run_in_threadpool(made, rows):
                yield told
    finally:
        watchers.remove(watch)


def _pulse(rows: pl.DataFrame) -> str:
    return f"event: stored\ndata: {len(rows)}\n\n"


def _rows(visit: Visit, rows: pl.DataFrame) -> str:
    found: list[Any] = [
        cells(visit, row) for row in chosen(rows, visit.query).tail(MOST_ROWS).iter_rows(named=True)
    ]
    return f"event: rows\ndata: {json.dumps(found)}\n\n" if found else ""
