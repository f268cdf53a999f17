"""Who logged in to what, from where; who failed, and who got in after failing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from mailscope.language.phrase import Phrase
from mailscope.reports.sections import login_failures, logins, who_logged_in
from mailscope.tallies.ledger import Ledger
from mailscope.web.pages.grid import Grid, Link, of_section
from mailscope.web.pages.lines import of_row
from mailscope.web.pages.over_time import HOURS, Legend, over_time
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.span import Span
from mailscope.web.pages.visit import Visit

TALLIES: Final = (
    "logins",
    "login_users",
    "login_failures",
    "switches",
    "auth_verdicts",
    "users",
    "logins_by_day",
)
SHOWN: Final = {"sent": Phrase("succeeded"), "failed": Phrase("failed")}
KINDS: Final = {"login_succeeded": "sent", "login_failed": "failed"}
BY_HOUR: Final = """
select date_trunc('hour', time) as hour, event, count(*) as n from rows where
event in ('login_succeeded', 'login_failed') group by 1, 2
"""


@dataclass(frozen=True)
class Logins(Context):
    """The tables, and a picture of logins over time."""

    picture: Markup
    legend: Legend
    tables: Sequence[Grid]


def show(visit: Visit) -> Logins:
    """What the page shows."""
    visit.audit("logins", "everybody")
    ledger = visit.ledger(*TALLIES)
    picture, legend = _picture(visit, ledger)
    tables = [*_who(visit, ledger), *_failures(visit, ledger), *_others(visit, ledger)]
    return Logins(picture, legend, [grid for grid in tables if grid.rows or grid.name == "logins"])


def _who(visit: Visit, ledger: Ledger) -> Iterator[Grid]:
    """Logins that went well."""
    succeeded = _event(visit, "login_succeeded", user="user", service="service")
    failed = _event(visit, "login_failed", user="user", service="service")
    services = {
        "succeeded": _event(visit, "login_succeeded", service="service"),
        "failed": _event(visit, "login_failed", service="service"),
    }
    users = {"user": _user(visit), "succeeded": succeeded}
    yield of_section(visit, logins.BY_SERVICE, ledger, services)
    yield of_section(visit, who_logged_in.BY_USER, ledger, users, 25)
    yield of_section(visit, who_logged_in.AFTER_FAILURES, ledger, users | {"failed": failed})


def _failures(visit: Visit, ledger: Ledger) -> Iterator[Grid]:
    """Those that were refused."""
    clients = {
        "client_ip": lambda row: visit.link("/about", subject=row["client_ip"]) if row["client_ip"] else None,
        "failures": _event(visit, "login_failed", ip="client_ip", service="service"),
    }
    users = {
        "user": _user(visit),
        "failures": _event(visit, "login_failed", user="user", service="service"),
    }
    yield of_section(visit, login_failures.BY_CLIENT, ledger, clients)
    yield of_section(visit, login_failures.BY_USER, ledger, users)


def _others(visit: Visit, ledger: Ledger) -> Iterator[Grid]:
    """What people did then: messages, other users that they became; what was said of their logins."""
    senders = {
        "user": _user(visit),
        "messages": lambda row: visit.link("/messages", user=row["user"]) if row["user"] else None,
    }
    switches = {
        "user": _user(visit),
        "times": of_row(visit, user="user", target_user="target_user", service="service"),
    }
    yield of_section(visit, logins.BY_USER, ledger, senders)
    yield of_section(visit, who_logged_in.SWITCHES, ledger, switches)
    yield of_section(visit, who_logged_in.VERDICTS, ledger, {})


def _event(visit: Visit, name: str, **columns: str) -> Link:
    """A link to the lines of an event that have a row's values."""
    made = of_row(visit, **columns)
    return lambda row: f"{href}&event={name}" if (href := made(row)) else None


def _user(visit: Visit) -> Link:
    """A link to what is known of a row's user."""

    def link(row: Mapping[str, Any]) -> str | None:
        user = row["user"]
        return visit.link("/about", subject=user, kind="address" if "@" in user else "user") if user else None

    return link


def _picture(visit: Visit, ledger: Ledger) -> tuple[Markup, Legend]:
    # Days are counted already, in the store's zone; of hours, and of days elsewhere, the lines tell.
    if visit.span.length > HOURS and str(visit.zone) == str(visit.reader.zone):
        frame = ledger.result("logins_by_day").select("day", "event", pl.col("count").alias("n"))

        def of(begin: datetime, end: datetime) -> pl.Expr:
            return pl.col("day") == visit.local(begin).date()
    else:
        frame = visit.rows.grouped("events", BY_HOUR, [], visit.span.since, visit.span.until)

        def of(begin: datetime, end: datetime) -> pl.Expr:
            return (pl.col("hour") >= begin) & (pl.col("hour") < end)

    def counts(begin: datetime, end: datetime) -> dict[str, int]:
        rows = frame.filter(of(begin, end) & pl.col("event").is_in(list(KINDS)))
        return {KINDS[event]: n for event, n in rows.group_by("event").agg(pl.col("n").sum()).iter_rows()}

    def href(kind: str, span: Span) -> str:
        return visit.link("/lines", span, event=next(event for event, each in KINDS.items() if each == kind))

    told = visit.tr("Logins over time; every bar leads to its lines.")
    return over_time(visit, "logins", told, SHOWN, counts, href)


PAGE: Final = Page("logins", "/logins", Phrase("Logins"), "logins.html", show, "security")
