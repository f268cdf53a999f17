"""Lines of the log: those that a filter lets pass, and those around one, as ``grep -A -B`` shows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.instants import naive
from mailscope.web.pages.grid import Column, Grid, of_rows
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.rows import Where
from mailscope.web.pages.visit import Visit

USUAL_ROWS: Final = 100
# Parameter -> condition.  Those of the form come first.
FILTERS: Final = {
    "text": "contains(lower(raw), lower(?))",
    "event": "event = ?",
    "service": "service = ?",
    "ip": "client_ip = ?",
    "user": "user = ? or sasl_user = ?",
    "host": "host = ?",
    "program": "program = ?",
    "client": "lower(client_host) = lower(?)",
    "queue_id": "queue_id = ?",
    "reply_code": "reply_code::varchar = ?",
    "stage": "stage = ?",
    "cause": "cause = ?",
    "severity": "severity = ?",
    "target_user": "target_user = ?",
    "network": "starts_with(client_ip, ?)",
}
SHOWN: Final = {
    "text": Phrase("Text"),
    "event": Phrase("Event"),
    "service": Phrase("Service"),
    "ip": Phrase("Client address"),
    "user": Phrase("User"),
    "host": Phrase("Host"),
}
NUMBERS: Final = (10, 20, 50, 200)
MOST_AROUND: Final = 500
NEAR: Final = timedelta(hours=6)


@dataclass(frozen=True)
class Lines(Context):
    """``filters``: names of the fields of the form, with their words and values; ``others``: filters in force
    that it has no field for.
    """

    found: Grid
    filters: Sequence[tuple[str, str, str]]
    others: Sequence[tuple[str, str]]


def show(visit: Visit) -> Lines:
    """What the page shows."""
    where = Where()
    asked = {name: visit.asked(name) for name in FILTERS if visit.asked(name)}
    for name, value in asked.items():
        where.add(FILTERS[name], *[value] * FILTERS[name].count("?"))
    visit.weekly(where, "time")
    visit.audit("lines", " ".join(f"{name}={value}" for name, value in asked.items()) or "every line")
    top = visit.top("lines", USUAL_ROWS)
    columns = (
        "time, host, service, program, pid, event, client_ip, queue_id, trail_id, raw, batch, line_number"
    )
    frame = visit.rows.newest("events", columns, where, visit.span.since, visit.span.until, top + 1)
    rows = frame.head(top)
    return Lines(
        _grid(visit, rows, "lines", None if len(frame) > top else len(frame)),
        [(name, visit.tr(words), asked.get(name, "")) for name, words in SHOWN.items()],
        [
            *((name, value) for name, value in asked.items() if name not in SHOWN),
            *((name, visit.asked(name)) for name in ("weekday", "clock") if visit.asked(name)),
        ],
    )


def _grid(visit: Visit, rows: pl.DataFrame, name: str, total: int | None, at: datetime | None = None) -> Grid:
    tr = visit.tr
    columns = (
        Column("time", tr("Time"), "time"),
        Column("host", tr("Host")),
        Column("service", tr("Service")),
        Column("event", tr("Event")),
        Column("raw", tr("Line"), "raw"),
    )
    return of_rows(
        visit,
        name,
        "",
        columns,
        rows.iter_rows(named=True),
        {
            "time": lambda row: around(visit, row["time"], row["host"]) if row["time"] else None,
            "event": lambda row: f"/messages/{row['trail_id']}" if row["trail_id"] else None,
        },
        total=total,
        more=visit.here(all=name) if total is None and visit.query.get("all") != name else "",
    )


def around(visit: Visit, time: datetime, host: str | None) -> str:
    """Where the lines around an instant are shown."""
    return visit.link("/lines/around", at=time.isoformat() + "Z", host=host or "")


@dataclass(frozen=True)
class Around(Context):
    """``numbers``: how many lines may be shown, with where that leads."""

    found: Grid
    at: datetime
    count: int
    numbers: Sequence[tuple[int, str]]


def show_around(visit: Visit) -> Around:
    """What the page shows.  Raises UsageError for no instant."""
    at = _instant(visit.asked("at"))
    count = _count(visit.asked("n"))
    host = visit.asked("host")
    visit.audit("lines", f"around {at.isoformat()} {host}".strip())
    where = Where()
    if host:
        where.add("host = ?", host)
    columns = (
        "time, host, service, program, pid, event, client_ip, queue_id, trail_id, raw, batch, line_number"
    )
    values: list[Any] = [*where.values]

    def side(sign: str, order: str, since: datetime, until: datetime) -> pl.DataFrame:
        """The nearest lines on one side."""
        statement = (
            f"select {columns} from rows where time {sign} ? and {where.sql()} "
            f"order by time {order}, batch {order}, line_number {order} limit {count:d}"
        )
        found = visit.rows.grouped("events", statement, [at, *values], since, until)
        return found.sort("time", "batch", "line_number", descending=order == "desc").head(count)

    later = side(">=", "asc", at, at + NEAR)
    earlier = side("<", "desc", at - NEAR, at + timedelta(microseconds=1))
    rows = pl.concat([earlier.reverse(), later])
    return Around(
        _grid(visit, rows, "around", len(rows)),
        at,
        count,
        [(number, visit.here(n=number)) for number in NUMBERS],
    )


def _instant(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
        return naive(found) if found.tzinfo else found
    except (ValueError, OverflowError):
        raise UsageError(
            Phrase("'{text}' is no instant", text=text[:40]), "at", Phrase("follow a link from a line")
        ) from None


def _count(text: str) -> int:
    if not text:
        return NUMBERS[0]
    if not (text.isascii() and text.isdigit() and 0 < int(text[:6]) <= MOST_AROUND):
        raise UsageError(
            Phrase("'{text}' is no number of lines", text=text[:20]),
            "n",
            Phrase("give 1 to {most}", most=MOST_AROUND),
        )
    return int(text)


def of_row(visit: Visit, **columns: str) -> Any:
    """A link to the lines that have a row's values: parameter -> the row's column."""

    def link(row: Mapping[str, Any]) -> str | None:
        told = {name: row.get(column) for name, column in columns.items()}
        return (
            None if None in told.values() or not visit.viewer.may("lines") else visit.link("/lines", **told)
        )

    return link


PAGE: Final = Page("lines", "/lines", Phrase("Lines"), "lines.html", show, "lines")
AROUND: Final = Page(
    "around",
    "/lines/around",
    Phrase("Lines around"),
    "around.html",
    show_around,
    "lines",
    usual="",
    menu=False,
)
