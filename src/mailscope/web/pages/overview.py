"""The overview: this span against the same one a week earlier, and what wants attention."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from mailscope.language.phrase import Phrase
from mailscope.reports import figures
from mailscope.reports.sections.volume import BY_DAY, BY_HOUR
from mailscope.store import findings
from mailscope.tallies.ledger import Ledger
from mailscope.tallies.tally import quantile
from mailscope.vocabulary.errors import UsageError
from mailscope.vocabulary.shown import safe
from mailscope.web.pages.grid import Column, Grid, of_rows
from mailscope.web.pages.over_time import HOURS, Legend, over_time
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.rows import Where
from mailscope.web.pages.span import HOUR, Span
from mailscope.web.pages.tile import Tile, compared
from mailscope.web.pages.visit import Visit

WEEK: Final = timedelta(days=7)
TALLIES: Final = (
    "received",
    "attempts",
    "verdicts_by_time",
    "logins_by_day",
    "delays_by_day",
    "problems_by_day",
)
SHOWN: Final = {
    "sent": Phrase("delivered"),
    "deferred": Phrase("deferred"),
    "bounced": Phrase("bounced"),
    "rejected": Phrase("rejected"),
}
MOST_TITLE: Final = 200


@dataclass(frozen=True)
class Overview(Context):
    """``against``: what the figures in brackets are of."""

    tiles: Sequence[Tile]
    against: str
    picture: Markup
    legend: Legend
    open_findings: Sequence[Mapping[str, Any]]
    marks: Grid
    may_mark: bool


def show(visit: Visit) -> Overview:
    """What the page shows."""
    now = visit.ledger(*TALLIES)
    earlier = visit.span.before(WEEK if visit.span.length <= WEEK else visit.span.length)
    before = visit.ledger(*TALLIES, span=earlier)
    marks = _marks(visit)
    picture, legend = _picture(visit, now, marks)
    return Overview(
        _tiles(visit, now, before),
        visit.tr(
            "In brackets: {since} to {until}",
            since=visit.told_time(earlier.since)[:16],
            until=visit.told_time(earlier.until)[:16],
        ),
        picture,
        legend,
        _findings(visit),
        of_rows(
            visit,
            "marks",
            visit.tr("Marks on the time line"),
            (
                Column("time", visit.tr("Time"), "time"),
                Column("kind", visit.tr("Kind"), "word"),
                Column("author", visit.tr("Author"), "address"),
                Column("title", visit.tr("What happened")),
                Column("details", visit.tr("Details"), "raw"),
            ),
            marks,
            {"time": lambda row: visit.link("/lines", visit.within(row["time"], HOUR / 2))},
            empty=visit.tr("None in this time. Changes of the mail server's configuration are marked here."),
        ),
        visit.viewer.may("handle"),
    )


def _sums(ledger: Ledger) -> dict[str, float | None]:
    def total(tally: str, only: pl.Expr, column: str = "count") -> int:
        return int(ledger.result(tally).filter(only)[column].sum())

    outcome, event = pl.col("outcome"), pl.col("event")
    return {
        "received": total("received", pl.lit(True)),
        "sent": total("attempts", outcome.is_in(["sent", "forwarded"])),
        "deferred": total("attempts", outcome == "deferred"),
        "bounced": total("attempts", outcome.is_in(["bounced", "expired"])),
        "rejected": total("verdicts_by_time", event == "rejected"),
        "logins": total("logins_by_day", event == "login_succeeded"),
        "failed": total("logins_by_day", event == "login_failed"),
        "delay_s": quantile(ledger.result("delays_by_day"), 0.5),
    }


def _tiles(visit: Visit, now: Ledger, before: Ledger) -> list[Tile]:
    tr = visit.tr
    new, old = _sums(now), _sums(before)
    if not any(old.values()):
        # Nothing was known of then, which is no news.
        old = dict.fromkeys(old)
    link = visit.link
    waiting = visit.rows.how_many("messages", WAITING) if visit.viewer.may("look") else None
    tiles = [
        compared(visit, tr("received"), new["received"], old["received"], link("/messages")),
        compared(
            visit, tr("delivered"), new["sent"], old["sent"], link("/messages", status="sent"), worse="less"
        ),
        compared(
            visit,
            tr("deferred"),
            new["deferred"],
            old["deferred"],
            link("/messages", status="deferred"),
            worse="more",
        ),
        compared(
            visit,
            tr("bounced"),
            new["bounced"],
            old["bounced"],
            link("/messages", status="bounced"),
            worse="more",
        ),
        compared(visit, tr("rejected"), new["rejected"], old["rejected"], link("/lines", event="rejected")),
        Tile(
            tr("median delay"),
            figures.seconds(new["delay_s"]),
            f"({figures.seconds(old['delay_s'])})",
            link("/domains"),
        ),
        compared(visit, tr("logins"), new["logins"], old["logins"], link("/logins")),
        compared(
            visit,
            tr("failed logins"),
            new["failed"],
            old["failed"],
            link("/lines", event="login_failed"),
            worse="more",
        ),
    ]
    if waiting is not None:
        tiles.append(Tile(tr("in the queue"), figures.count(int(waiting)), "", "/queue"))
    return tiles


# Messages that have not left the queue, as far as the log tells.
WAITING: Final = Where(["ended is null", "not coalesce(closed, false)", "not coalesce(refused, false)"])


def _picture(visit: Visit, ledger: Ledger, marks: Sequence[Mapping[str, Any]]) -> tuple[Markup, Legend]:
    """Attempts and refusals over time; every part leads to its list."""
    hourly = visit.span.length <= HOURS
    section = BY_HOUR if hourly else BY_DAY
    label = section.labels[0].name
    rows = {row[label]: row for row in section.rows(ledger, str(visit.zone)).iter_rows(named=True)}

    def counts(begin: datetime, end: datetime) -> dict[str, int]:
        local = visit.local(begin)
        row = rows.get(local if hourly else local.date(), {})
        return {"sent": row.get("delivered") or 0, **{name: row.get(name) or 0 for name in tuple(SHOWN)[1:]}}

    def href(kind: str, span: Span) -> str:
        if kind == "rejected":
            return visit.link("/lines", span, event="rejected") if visit.viewer.may("lines") else ""
        return visit.link("/messages", span, status=kind)

    told = visit.tr("Delivery attempts and refusals over time; every bar leads to its list.")
    return over_time(visit, "volume", told, SHOWN, counts, href, marks)


def _findings(visit: Visit) -> list[dict[str, Any]]:
    from mailscope.watch.told import SEVERITY

    if not visit.viewer.may("security"):
        return []
    rows = [findings.plain(row) for row in visit.found(findings.listing("open", "info", None, None, 6))]
    return [
        {
            "id": row["id"],
            "severity": row["severity"],
            "word": visit.tr(SEVERITY[row["severity"]]),
            "title": safe(row["title"])[:MOST_TITLE],
            "since": datetime.fromisoformat(row["first_time"].rstrip("Z")),
            "acknowledged": row["acknowledged_by"],
        }
        for row in rows
    ]


def _marks(visit: Visit) -> list[dict[str, Any]]:
    where = Where()
    where.add("time >= ? and time < ?", visit.span.since, visit.span.until)
    return visit.rows.recent("marks", "*", where, visit.top("marks", 20)).to_dicts()


def mark(visit: Visit, form: Mapping[str, str]) -> str:
    """Put a note on the time line."""
    title = form.get("title", "").strip()
    if not title or len(title) > MOST_TITLE:
        raise UsageError(
            Phrase("a mark needs a title of up to 200 characters"), "title", Phrase("say what happened")
        )
    visit.site.service.mark(visit.now, visit.viewer.name, title, form.get("details", "")[:20_000])
    return "/#marks"


PAGE: Final = Page(
    "overview",
    "/",
    Phrase("Overview"),
    "overview.html",
    show,
    "look",
    "today",
    forms={"/marks": ("handle", mark)},
)
