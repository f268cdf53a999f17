"""Attacks: from where, against whom, what was found, and what is blocked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.reports.sections.login_failures import BY_USER
from mailscope.store import findings
from mailscope.vocabulary.errors import MailscopeError
from mailscope.web.pages.findings import listed
from mailscope.web.pages.grid import Column, Grid, of_rows, of_section
from mailscope.web.pages.lines import of_row
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.visit import Visit

TOP: Final = 15
# How much of an address names its network (as blocklists do).
PREFIX: Final = {4: 24, 6: 64}


@dataclass(frozen=True)
class Security(Context):
    """``countries`` is None where no table of them is given; ``advice`` says how to give one."""

    sources: Grid
    users: Grid
    networks: Grid
    countries: Grid | None
    found: Grid
    blocked: Grid
    advice: str


def show(visit: Visit) -> Security:
    """What the page shows."""
    attacks = _attacks(visit)
    country, advice = _countries(visit)
    tr = visit.tr
    numbers = (
        Column("failures", tr("Failed logins"), "count"),
        Column("rejects", tr("Rejects"), "count"),
        Column("services", tr("Services")),
    )
    sources = attacks.with_columns(
        pl.col("client_ip").map_elements(lambda each: country(each) or "", pl.String).alias("country")
    )
    return Security(
        of_rows(
            visit,
            "sources",
            tr("Attacks by address"),
            (Column("client_ip", tr("Client address")), Column("country", tr("Country")), *numbers),
            sources.head(visit.top("sources", TOP)).iter_rows(named=True),
            {
                "client_ip": lambda row: visit.link("/about", subject=row["client_ip"]),
                "failures": lambda row: visit.link("/lines", event="login_failed", ip=row["client_ip"]),
                "rejects": lambda row: visit.link("/lines", event="rejected", ip=row["client_ip"]),
            },
            total=len(sources),
            empty=tr("No login failed and nothing was refused in this time."),
        ),
        of_section(
            visit,
            BY_USER,
            visit.ledger("login_failures"),
            {
                "user": lambda row: (
                    visit.link("/about", subject=row["user"], kind="user") if row["user"] else None
                ),
                "failures": of_row(visit, user="user", service="service"),
            },
            TOP,
        ),
        _networks(visit, attacks),
        _by_country(visit, sources) if not advice else None,
        listed(visit, findings.listing("open", "info", None, None, 50), "attacks", tr("Open findings")),
        _blocked(visit),
        advice,
    )


def _attacks(visit: Visit) -> pl.DataFrame:
    """Failed logins and refusals of each address."""
    ledger = visit.ledger("login_failures", "verdict_clients")
    failed = (
        ledger.result("login_failures")
        .filter(pl.col("client_ip").is_not_null())
        .group_by("client_ip")
        .agg(
            pl.col("count").sum().alias("failures"),
            pl.col("service").drop_nulls().unique().sort().alias("services"),
        )
    )
    refused = (
        ledger.result("verdict_clients")
        .filter((pl.col("event") == "rejected") & pl.col("client_ip").is_not_null())
        .group_by("client_ip")
        .agg(pl.col("count").sum().alias("rejects"))
    )
    both = failed.join(refused, on="client_ip", how="full", coalesce=True)
    return both.with_columns(
        pl.col("failures").fill_null(0),
        pl.col("rejects").fill_null(0),
        pl.col("services").list.join(", ").fill_null(""),
    ).sort(pl.col("failures") + pl.col("rejects"), "client_ip", descending=[True, False])


def network_of(address: str) -> str:
    """The network that an address is of."""
    try:
        found = ip_address(address)
    except ValueError:
        return address
    return str(ip_network((found, PREFIX[found.version]), strict=False))


def _networks(visit: Visit, attacks: pl.DataFrame) -> Grid:
    tr = visit.tr
    grouped = (
        attacks.with_columns(pl.col("client_ip").map_elements(network_of, pl.String).alias("network"))
        .group_by("network")
        .agg(pl.len().alias("addresses"), pl.col("failures").sum(), pl.col("rejects").sum())
        .sort(pl.col("failures") + pl.col("rejects"), "network", descending=[True, False])
    )
    return of_rows(
        visit,
        "networks",
        tr("Attacks by network"),
        (
            Column("network", tr("Network")),
            Column("addresses", tr("Addresses"), "count"),
            Column("failures", tr("Failed logins"), "count"),
            Column("rejects", tr("Rejects"), "count"),
        ),
        grouped.head(visit.top("networks", TOP)).iter_rows(named=True),
        {
            "network": lambda row: (
                visit.link("/about", subject=row["network"]) if "/" in row["network"] else None
            ),
            "failures": lambda row: visit.link(
                "/lines", event="login_failed", network=_beginning(row["network"])
            ),
            "rejects": lambda row: visit.link("/lines", event="rejected", network=_beginning(row["network"])),
        },
        total=len(grouped),
    )


def _beginning(network: str) -> str:
    """What the addresses of a network of ours begin with, as they are written."""
    address = network.partition("/")[0]
    return address.rpartition(".")[0] + "." if "." in address else address.removesuffix(":")


def _countries(visit: Visit) -> tuple[Callable[[str], str | None], str]:
    """The country of an address, where a table of them is given, and what is said otherwise."""
    from mailscope.watch.countries import countries

    table = visit.site.settings().detections.countries
    if not table:
        words = Phrase("Countries are told where countries in [detections] names a table of networks.")
        return (lambda address: None), visit.tr(words)
    try:
        return countries(table), ""
    except MailscopeError as error:
        return (lambda address: None), str(error)


def _by_country(visit: Visit, sources: pl.DataFrame) -> Grid:
    tr = visit.tr
    grouped = (
        sources.group_by("country")
        .agg(pl.len().alias("addresses"), pl.col("failures").sum(), pl.col("rejects").sum())
        .sort(pl.col("failures") + pl.col("rejects"), "country", descending=[True, False])
    )
    return of_rows(
        visit,
        "countries",
        tr("Attacks by country"),
        (
            Column("country", tr("Country")),
            Column("addresses", tr("Addresses"), "count"),
            Column("failures", tr("Failed logins"), "count"),
            Column("rejects", tr("Rejects"), "count"),
        ),
        grouped.head(visit.top("countries", TOP)).iter_rows(named=True),
        total=len(grouped),
    )


def _blocked(visit: Visit) -> Grid:
    """What the blocklist has now."""
    from mailscope.watch.blocking.listing import listed as blocks

    with visit.reader.database.snapshot(views=False) as looking:
        found = blocks(looking, visit.site.settings(), visit.now)
    tr = visit.tr
    rows: Sequence[Mapping[str, Any]] = [
        {
            "network": str(each.network),
            "until": each.until,
            "detections": ", ".join(each.detections),
            "finding": each.findings[0] if each.findings else None,
        }
        for each in found
    ]
    return of_rows(
        visit,
        "blocked",
        tr("Blocked"),
        (
            Column("network", tr("Network")),
            Column("until", tr("Until"), "time"),
            Column("detections", tr("Why")),
        ),
        rows[: visit.top("blocked", TOP)],
        {
            "network": lambda row: visit.link("/about", subject=row["network"]),
            "detections": lambda row: f"/findings/{row['finding']}" if row["finding"] else None,
        },
        total=len(rows),
        empty=tr("Nobody is on the blocklist ('mailscope blocklist') now."),
    )


PAGE: Final = Page("security", "/security", Phrase("Security"), "security.html", show, "security")
