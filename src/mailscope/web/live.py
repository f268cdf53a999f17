"""Events as they are stored, for whoever watches: a JSON object per line, while the client stays."""

from __future__ import annotations

import queue
from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final

import polars as pl
from fastapi import FastAPI, Query, Request
from fastapi.responses import StreamingResponse

from mailscope.exports.choice import Choice
from mailscope.exports.escapes import json_safe
from mailscope.web.served import Served

LINES: Final = "application/x-ndjson"
# Batches that a slow client may be behind; then it misses some, and is told how many events.
MOST_WAITING: Final = 100
# An empty line this often shows that the client is still there.
HEARTBEAT_S: Final = 5.0


def add_tail(app: FastAPI, service: Served, caller: Callable[[Request], str]) -> None:
    """The live events."""

    @app.get(
        "/v1/tail",
        summary="Events as they are stored, one JSON object per line; empty lines say that nothing came.",
        response_class=StreamingResponse,
        responses={200: {"content": {LINES: {}}}},
    )
    def tail(
        request: Request,
        event: Annotated[list[str], Query(description="Only these kinds of event.")] = [],  # noqa: B006
        program: Annotated[list[str], Query(description="Only these programs or services.")] = [],  # noqa: B006
    ) -> StreamingResponse:
        service.audit(caller(request), "tail", " ".join([*event, *program]) or "everything")
        return StreamingResponse(_following(service, event, program), media_type=LINES)


def _following(service: Served, events: Sequence[str], programs: Sequence[str]) -> Iterator[str]:
    waiting: queue.Queue[pl.DataFrame] = queue.Queue(MOST_WAITING)
    missed = 0

    def watch(rows: pl.DataFrame) -> None:
        nonlocal missed
        if not len(rows):
            return
        try:
            waiting.put_nowait(rows)
        except queue.Full:
            missed += len(rows)

    service.watchers.append(watch)
    try:
        while True:
            try:
                rows = _chosen(waiting.get(timeout=HEARTBEAT_S), events, programs)
            except queue.Empty:
                yield "\n"
                continue
            if len(rows):
                yield "".join(f"{line}\n" for line in _lines(rows))
            if missed:
                told, missed = missed, 0
                words = f"{told} events were not shown: this client is too slow"
                yield f'{{"event":"lines_lost","text":"{words}"}}\n'
    finally:
        service.watchers.remove(watch)


def _chosen(rows: pl.DataFrame, events: Sequence[str], programs: Sequence[str]) -> pl.DataFrame:
    if events:
        rows = rows.filter(pl.col("event").is_in(list(events)))
    if programs and len(rows):
        rows = rows.filter(Choice(programs=frozenset(programs)).wants_program())
    return rows


def _lines(rows: pl.DataFrame) -> pl.Series:
    """Rows as JSON, each with the fields that it has."""
    shown = rows.drop("batch", strict=False).with_columns(
        pl.col("time").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ")
    )
    lines = pl.Series("line", shown.write_ndjson().splitlines(), dtype=pl.String)
    # Within a text a quotation mark is escaped, so that only fields without a value look like this.
    return json_safe(lines.str.replace_all('"[a-z_]+":null,?', "").str.replace(r",\}$", "}"))
