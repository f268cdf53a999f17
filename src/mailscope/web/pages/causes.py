"""Why mail was not delivered, or not taken, and what to do; and one cause closely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import polars as pl

from mailscope.causes.catalogue import INCOMING, OUTGOING, catalogue
from mailscope.language.phrase import Phrase
from mailscope.reports.causes import of_attempts
from mailscope.reports.section import Label, Number, Section
from mailscope.reports.sections.causes import OF_REJECTS, STATUS
from mailscope.vocabulary.errors import UsageError
from mailscope.web.pages.grid import Column, Grid, of_rows, of_section
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.visit import Visit

OF_ATTEMPTS: Final = Section(
    "causes",
    "Causes of deferrals and bounces",
    "Why attempts did not deliver: one cause for all the words that servers have for it.",
    (Label("cause", "Cause", of_attempts("cause"), "cause"),),
    (
        Number("deferred", "Deferred", "reasons_by_day", only=STATUS == "deferred"),
        Number("bounced", "Bounced", "reasons_by_day", only=STATUS.is_in(["bounced", "expired"])),
    ),
)


@dataclass(frozen=True)
class Causes(Context):
    """The tables; ``advice``: of the most frequent causes, title, what to do, and their pages."""

    attempts: Grid
    rejects: Grid
    advice: Sequence[tuple[str, str, str]]


def show(visit: Visit) -> Causes:
    """What the page shows."""
    attempts = of_section(
        visit,
        OF_ATTEMPTS,
        visit.ledger("reasons_by_day"),
        {
            "cause": lambda row: visit.link(f"/causes/{row['cause']}"),
            "deferred": lambda row: visit.link("/messages", cause=row["cause"], status="deferred"),
            "bounced": lambda row: visit.link("/messages", cause=row["cause"], status="bounced"),
        },
        30,
    )
    rejects = of_section(
        visit,
        replace(OF_REJECTS, name="reject_causes"),
        visit.ledger("verdicts"),
        {
            "cause": lambda row: visit.link(f"/causes/{row['cause']}"),
            "rejects": lambda row: (
                visit.link("/lines", event="rejected", cause=row["cause"])
                if visit.viewer.may("lines")
                else None
            ),
        },
        30,
    )
    names = [str(row[0].value) for row in (*attempts.rows[:4], *rejects.rows[:3])]
    advice = []
    for place, name in enumerate(names):
        if name in catalogue():
            text = catalogue()[name].text(
                visit.tr.language, OUTGOING if place < len(attempts.rows[:4]) else INCOMING
            )
            advice.append((text.title, text.advice, visit.link(f"/causes/{name}")))
    return Causes(attempts, rejects, advice)


@dataclass(frozen=True)
class Cause(Context):
    """One cause: in words, where it is met, and what servers said."""

    title: str
    meaning: str
    advice: str
    incoming: str
    fault: str
    references: Sequence[str]
    domains: Grid
    words: Grid


BY_DOMAIN: Final = """
select lower(regexp_extract(recipient, '@([^@]*)$', 1)) as domain,
    count(*) filter (status = 'deferred') as deferred,
    count(*) filter (status in ('bounced', 'expired')) as bounced
from rows where cause = ? and status <> 'sent' group by 1
"""
WORDS: Final = """
select relay_host, dsn_status, any_value(reason) as reason, count(*) as attempts from rows
where cause = ? and status <> 'sent' group by relay_host, dsn_status
"""


def show_one(visit: Visit) -> Cause:
    """What the page shows.  Raises UsageError for a cause that there is not."""
    name = visit.query["cause"]
    if name not in catalogue():
        raise UsageError(
            Phrase("there is no cause '{name}'", name=name[:40]), "", Phrase("see the page Causes")
        )
    cause = catalogue()[name]
    text, incoming = (cause.text(visit.tr.language, way) for way in (OUTGOING, INCOMING))
    tr = visit.tr

    def link(status: str) -> Any:
        return lambda row: visit.link("/messages", cause=name, domain=row["domain"], status=status)

    return Cause(
        text.title,
        text.meaning,
        text.advice,
        incoming.advice if incoming.advice != text.advice else "",
        text.fault,
        cause.references,
        of_rows(
            visit,
            "domains",
            tr("Recipient domains"),
            (
                Column("domain", tr("Domain")),
                Column("deferred", tr("Deferred"), "count"),
                Column("bounced", tr("Bounced"), "count"),
            ),
            _domains(visit, name).head(visit.top("domains", 20)).iter_rows(named=True),
            {
                "domain": lambda row: visit.link(f"/domains/{row['domain']}") if row["domain"] else None,
                "deferred": link("deferred"),
                "bounced": link("bounced"),
            },
        ),
        of_rows(
            visit,
            "words",
            tr("What servers said"),
            (
                Column("relay_host", tr("Relay")),
                Column("dsn_status", "DSN"),
                Column("attempts", tr("Attempts"), "count"),
                Column("reason", tr("Reason")),
            ),
            _words(visit, name).head(visit.top("words", 20)).iter_rows(named=True),
            {
                "attempts": lambda row: visit.link(
                    "/messages", cause=name, status="failed", relay=row["relay_host"], dsn=row["dsn_status"]
                )
            },
        ),
    )


def _domains(visit: Visit, name: str) -> pl.DataFrame:
    """Attempts that failed for a cause, by the recipient's domain."""
    rows = visit.rows.grouped("deliveries", BY_DOMAIN, [name], visit.span.since, visit.span.until)
    failed = pl.col("deferred") + pl.col("bounced")
    return rows.group_by("domain").sum().sort(-failed, "domain", nulls_last=True)


def _words(visit: Visit, name: str) -> pl.DataFrame:
    """What servers said, by server and status."""
    rows = visit.rows.grouped("deliveries", WORDS, [name], visit.span.since, visit.span.until)
    keys = ("relay_host", "dsn_status")
    rows = rows.group_by(keys).agg(pl.col("reason").first(), pl.col("attempts").sum())
    return rows.sort(-pl.col("attempts"), *keys, nulls_last=True)


PAGE: Final = Page("causes", "/causes", Phrase("Causes"), "causes.html", show, "look", "7d")
ONE: Final = Page(
    "cause", "/causes/{cause}", Phrase("Cause"), "cause.html", show_one, "look", "7d", menu=False
)
