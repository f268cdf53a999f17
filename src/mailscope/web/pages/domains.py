"""Where mail goes and comes from: recipient domains, relays, sender domains; and one domain closely."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from mailscope.language.phrase import Phrase
from mailscope.reports import figures
from mailscope.reports.attempts import OUTCOME, SENT
from mailscope.reports.section import Label, Number, Section
from mailscope.vocabulary.errors import UsageError
from mailscope.web.pages.grid import Column, Grid, of_rows, of_section
from mailscope.web.pages.over_time import Legend, over_time
from mailscope.web.pages.overview import SHOWN
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.span import Span
from mailscope.web.pages.tile import Tile
from mailscope.web.pages.visit import Visit

FAILED: Final = {
    "deferred": OUTCOME == "deferred",
    "bounced": OUTCOME.is_in(["bounced", "expired"]),
}


def _numbers(tally: str) -> tuple[Number, ...]:
    return (
        Number("sent", "Sent", tally, only=SENT),
        *(Number(name, name.capitalize(), tally, only=only) for name, only in FAILED.items()),
    )


RECIPIENTS: Final = Section(
    "recipient_domains",
    "Recipient domains",
    "Delivery attempts and their outcome, by the recipient's domain.",
    (Label("domain", "Domain"),),
    (
        *_numbers("recipient_domains_by_day"),
        Number("bytes", "Bytes", "recipient_domains_by_day", "bytes", SENT, "bytes"),
    ),
)
RELAYS: Final = Section(
    "relays",
    "Relays",
    "Delivery attempts and their outcome, by the host that took or refused the mail (none: no host was "
    "reached).",
    (Label("relay", "Relay", lambda zone: pl.col("relay_host")),),
    _numbers("relays_by_day"),
)
SENDERS: Final = Section(
    "sender_domains",
    "Sender domains",
    "Messages queued, by the sender's domain.",
    (Label("domain", "Domain"),),
    (
        Number("messages", "Messages", "sender_domains_by_day"),
        Number("bytes", "Bytes", "sender_domains_by_day", "bytes", unit="bytes"),
    ),
)


@dataclass(frozen=True)
class Domains(Context):
    """The tables."""

    recipients: Grid
    relays: Grid | None
    senders: Grid


def show(visit: Visit) -> Domains:
    """What the page shows."""
    ledger = visit.ledger("recipient_domains_by_day", "relays_by_day", "sender_domains_by_day")
    theirs = _theirs(visit)
    return Domains(
        of_section(visit, RECIPIENTS, ledger, recipient_links(visit), 25, theirs),
        None if visit.viewer.limited else of_section(visit, RELAYS, ledger, _relay_links(visit), 25),
        of_section(
            visit,
            SENDERS,
            ledger,
            {
                "domain": lambda row: f"/domains/{row['domain']}" if row["domain"] else None,
                "messages": lambda row: (
                    visit.link("/messages", sender_domain=row["domain"]) if row["domain"] else None
                ),
            },
            25,
            theirs,
        ),
    )


def _theirs(visit: Visit) -> Callable[[pl.DataFrame], pl.DataFrame] | None:
    """The rows of the domains that a viewer may see."""
    if not visit.viewer.limited:
        return None
    own = [domain.lower() for domain in visit.viewer.domains]
    return lambda rows: rows.filter(pl.col("domain").str.to_lowercase().is_in(own))


def recipient_links(visit: Visit) -> dict[str, Any]:
    """Where the cells of a row of a recipient domain lead."""

    def status(name: str) -> Any:
        return lambda row: (
            visit.link("/messages", domain=row["domain"], status=name) if row["domain"] else None
        )

    return {
        "domain": lambda row: visit.link(f"/domains/{row['domain']}") if row["domain"] else None,
        **{name: status(name) for name in ("sent", "deferred", "bounced")},
    }


def _relay_links(visit: Visit) -> dict[str, Any]:
    def status(name: str) -> Any:
        return lambda row: visit.link("/messages", relay=row["relay"], status=name) if row["relay"] else None

    return {
        "relay": lambda row: visit.link("/messages", relay=row["relay"]) if row["relay"] else None,
        **{name: status(name) for name in ("sent", "deferred", "bounced")},
    }


@dataclass(frozen=True)
class Domain(Context):
    """One domain: its figures over time, causes, relays, delays and deliveries at one time."""

    name: str
    tiles: Sequence[Tile]
    picture: Markup
    legend: Legend
    causes: Grid
    relays: Grid


MOST_ATTEMPTS: Final = 200_000
ATTEMPTS: Final = f"""
select time, status, relay_host, cause, delay_s, delay_connect_s, delay_transmit_s from rows
where ends_with(lower(recipient), '@' || ?) order by time desc limit {MOST_ATTEMPTS}
"""


def show_one(visit: Visit) -> Domain:
    """What the page shows.  Raises UsageError for a domain that the viewer may not see."""
    name = visit.query["domain"].lower().strip(".")[:255]
    if not visit.viewer.sees(name):
        raise UsageError(
            Phrase("this domain is not among yours"), name, Phrase("see those that are under Domains")
        )
    visit.audit("domain", name)
    frame = visit.rows.grouped("deliveries", ATTEMPTS, [name], visit.span.since, visit.span.until)
    frame = frame.sort("time", descending=True).head(MOST_ATTEMPTS).with_columns(pl.lit(name).alias("to"))
    picture, legend = _picture(visit, name, frame)
    tr = visit.tr
    sent = frame.filter(pl.col("status") == "sent")["delay_s"].drop_nulls()
    median, late = (sent.quantile(share) for share in (0.5, 0.95))
    counts = dict(frame.group_by("status").len().iter_rows())
    tiles = [
        Tile(
            tr(word),
            figures.count(counts.get(status, 0)),
            "",
            visit.link("/messages", domain=name, status=status),
        )
        for status, word in (
            ("sent", SHOWN["sent"]),
            ("deferred", SHOWN["deferred"]),
            ("bounced", SHOWN["bounced"]),
        )
    ]
    tiles += [
        Tile(tr("median delay"), figures.seconds(median)),
        Tile(tr("95 % are faster than"), figures.seconds(late)),
        Tile(tr("deliveries at one time"), figures.count(int(at_once(frame, "to")["at_once"].sum()))),
    ]
    return Domain(name, tiles, picture, legend, _causes(visit, name, frame), _relays(visit, name, frame))


def at_once(frame: pl.DataFrame, key: str) -> pl.DataFrame:
    """How many attempts were under way at one time at most (``at_once``), for each value of a key.

    Each lasts from connecting until its line.
    """
    lasted = (pl.col("delay_connect_s").fill_null(0) + pl.col("delay_transmit_s").fill_null(0)) * 1e6
    begun = (pl.col("time") - pl.duration(microseconds=lasted.cast(pl.Int64))).alias("at")
    steps = pl.concat(
        [
            frame.select(key, begun, pl.lit(1).alias("change")),
            frame.select(key, pl.col("time").alias("at"), pl.lit(-1).alias("change")),
        ]
    ).sort("at", "change", descending=[False, True])
    under_way = pl.col("change").cum_sum().over(key).alias("at_once")
    return steps.select(key, under_way).group_by(key).max()


def _picture(visit: Visit, name: str, frame: pl.DataFrame) -> tuple[Markup, Legend]:
    times = {status: part["time"].sort() for (status,), part in frame.group_by("status")}

    def counts(begin: datetime, end: datetime) -> dict[str, int]:
        return {
            str(status): int(each.search_sorted(end)) - int(each.search_sorted(begin))
            for status, each in times.items()
        }

    def href(kind: str, span: Span) -> str:
        return visit.link("/messages", span, domain=name, status=kind)

    kinds = {kind: SHOWN[kind] for kind in ("sent", "deferred", "bounced")}
    told = visit.tr("Delivery attempts over time; every bar leads to its list.")
    return over_time(visit, "domain", told, kinds, counts, href)


def _causes(visit: Visit, name: str, frame: pl.DataFrame) -> Grid:
    counts = (
        frame.filter(pl.col("status") != "sent")
        .group_by("cause")
        .agg(
            (pl.col("status") == "deferred").sum().alias("deferred"),
            pl.col("status").is_in(["bounced", "expired"]).sum().alias("bounced"),
        )
        .sort("deferred", "bounced", descending=True)
    )
    tr = visit.tr

    def link(status: str) -> Any:
        def made(row: Mapping[str, Any]) -> str | None:
            return (
                visit.link("/messages", domain=name, cause=row["cause"], status=status)
                if row["cause"]
                else None
            )

        return made

    return of_rows(
        visit,
        "causes",
        tr("Causes"),
        (
            Column("cause", tr("Cause"), "cause"),
            Column("deferred", tr("Deferred"), "count"),
            Column("bounced", tr("Bounced"), "count"),
        ),
        counts.head(visit.top("causes", 20)).iter_rows(named=True),
        {
            "cause": lambda row: (
                f"/causes/{row['cause']}" if row["cause"] and visit.viewer.may("look") else None
            ),
            "deferred": link("deferred"),
            "bounced": link("bounced"),
        },
        total=len(counts),
        empty=tr("Nothing failed in this time."),
    )


def _relays(visit: Visit, name: str, frame: pl.DataFrame) -> Grid:
    tr = visit.tr
    sent = pl.col("status") == "sent"
    delays = pl.col("delay_s").filter(sent).drop_nulls()
    relays = (
        frame.group_by("relay_host")
        .agg(
            pl.len().alias("attempts"),
            (~sent).sum().alias("failed"),
            delays.quantile(0.5).alias("median_s"),
            delays.quantile(0.95).alias("p95_s"),
        )
        .join(at_once(frame, "relay_host"), on="relay_host", how="left", nulls_equal=True)
        .sort(-pl.col("attempts").cast(pl.Int64), "relay_host")
        .rename({"relay_host": "relay"})
    )
    return of_rows(
        visit,
        "domain_relays",
        tr("Relays"),
        (
            Column("relay", tr("Relay")),
            Column("attempts", tr("Attempts"), "count"),
            Column("failed", tr("Failed"), "count"),
            Column("median_s", tr("Median"), "seconds"),
            Column("p95_s", tr("95 %"), "seconds"),
            Column("at_once", tr("At one time"), "count"),
        ),
        relays.head(visit.top("domain_relays", 20)).iter_rows(named=True),
        {
            "attempts": lambda row: (
                visit.link("/messages", domain=name, relay=row["relay"]) if row["relay"] else None
            ),
            "failed": lambda row: (
                visit.link("/messages", domain=name, relay=row["relay"], status="failed")
                if row["relay"]
                else None
            ),
        },
        total=len(relays),
    )


PAGE: Final = Page("domains", "/domains", Phrase("Domains"), "domains.html", show, "domains", limited=True)
ONE: Final = Page(
    "domain",
    "/domains/{domain}",
    Phrase("Domain"),
    "domain.html",
    show_one,
    "domains",
    menu=False,
    limited=True,
)
