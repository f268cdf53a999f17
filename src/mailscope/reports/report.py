"""The whole report as plain data: what JSON shows as it is, and what text is made of.

In: a ledger of tallies, and how it should be shown.  Out: dictionaries, lists, numbers and strings;
instants are ISO 8601 with offset, in the zone asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import chain
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from mailscope import __version__
from mailscope.reports import balance, saturation
from mailscope.reports.comparison.days import FEWEST, compared
from mailscope.reports.problems import problems
from mailscope.reports.problems.view import View
from mailscope.reports.section import Section
from mailscope.reports.sections import BY_NAME, SECTIONS, changes
from mailscope.tallies.ledger import Ledger
from mailscope.vocabulary.errors import UsageError


@dataclass(frozen=True)
class Settings:
    """How a report is shown.

    The zone of its times, how many rows a section has at most (0: all), the names of what was read, and the
    options and files that ask for the same lines again (None: they came through a pipe).
    """

    zone: ZoneInfo
    top: int = 10
    sources: Sequence[str] = field(default=())
    again: str | None = None


def build(ledger: Ledger, settings: Settings) -> dict[str, Any]:
    """The report."""
    # Made once: problems are found in the same rows.
    rows = {section.name: section.rows(ledger, str(settings.zone)) for section in SECTIONS}
    sections = {section.name: table(section, rows[section.name], settings) for section in SECTIONS}
    saturated = [finding.as_data() for finding in saturation.lasting(ledger)]
    report: dict[str, Any] = {
        "mailscope": __version__,
        "sources": list(settings.sources),
        "zone": str(settings.zone),
        "period": period(ledger, settings),
        "domains": sorted(ledger.view.domains) if ledger.view else [],
        "lines": balance.lines(ledger),
        "messages": balance.messages(ledger),
        "recipients": balance.recipients(ledger),
        "attempts": attempts(ledger),
        "rejected": rejected(sections["rejects"]),
        "balance": [equation.as_data() for equation in balance.equations(ledger)],
        "problems": [],
        "pooled": dict(ledger.pooled),
        "comparison": comparison(ledger, settings),
        "saturation": saturated,
        **sections,
    }
    view = View(ledger, settings.zone, settings.again, rows)
    report["problems"] = [problem.as_data() for problem in problems(view)]
    return report


def period(ledger: Ledger, settings: Settings) -> dict[str, Any]:
    """The first and last instant of the lines, and the day, week or month that was asked for."""
    span = ledger.reported
    return {
        "start": _instant(ledger.first, settings),
        "end": _instant(ledger.last, settings),
        "unit": span.unit if span else None,
        "name": span.name if span else None,
        "from": _instant(span.start, settings) if span else None,
        "until": _instant(span.end, settings) if span else None,
    }


def comparison(ledger: Ledger, settings: Settings) -> dict[str, Any]:
    """What was compared with what, how much was looked at, and what is missing for it, if anything."""
    days = compared(ledger, settings.zone)
    if days is None:
        return {"unit": None, "name": None, "with": [], "missing": None, "tested": 0, "found": 0}
    sections = [
        section.found(ledger, str(settings.zone))
        for section in (changes.COUNTS, changes.SIZES, changes.DELAYS)
    ]
    return {
        "unit": days.span.unit,
        "name": days.span.name,
        "with": [peer.name for peer in days.peers],
        "missing": None if days.enough else max(0, FEWEST - len(days.peers)),
        "tested": sum(found.tested for found in sections),
        "found": sum(len(found.changes) for found in sections),
    }


def attempts(ledger: Ledger) -> dict[str, int]:
    """Delivery attempts by status; ``forwarded`` ones are among the ``sent``."""
    by_outcome = dict(ledger.result("attempts").group_by("outcome").agg(pl.col("count").sum()).iter_rows())
    bytes_sent = ledger.result("attempts").filter(pl.col("outcome") == "sent")["bytes"].sum()
    forwarded = by_outcome.pop("forwarded", 0)
    found = {"total": sum(by_outcome.values()) + forwarded}
    found |= {"sent": by_outcome.pop("sent", 0) + forwarded, "forwarded": forwarded}
    found |= {status: by_outcome.pop(status, 0) for status in ("deferred", "bounced", "expired")}
    return (
        found
        | {str(status): count for status, count in sorted(by_outcome.items())}
        | {"bytes_delivered": int(bytes_sent)}
    )


def rejected(rejects: dict[str, Any]) -> dict[str, Any]:
    """How much was refused, and why."""
    return {"total": rejects["totals"]["rejects"], "by_reason": rejects["rows"]}


def table(section: Section, rows: pl.DataFrame, settings: Settings) -> dict[str, Any]:
    """A section, of which these are all rows, as plain data: what its columns mean, rows, and sums."""
    shown = rows.head(settings.top) if section.limited and settings.top else rows
    labels = [{"name": label.name, "title": label.title, "unit": label.unit} for label in section.labels]
    numbers = [
        {
            "name": number.name,
            "title": number.title,
            "unit": number.unit,
            "tally": number.tally,
            "measure": number.measure,
        }
        for number in section.numbers
        if not number.hidden
    ]
    hidden = [number.name for number in section.numbers if number.hidden]
    summed = [
        n.name for n in section.numbers if n.how == "sum" and n.unit in ("count", "bytes") and not n.hidden
    ]
    return {
        "title": section.title,
        "meaning": section.meaning,
        "problem": section.problem,
        "kind": section.kind,
        "keys": labels,
        "numbers": numbers,
        "evidence": evidence(section.name, settings),
        "rows_total": len(rows),
        "totals": {name: int(rows[name].sum()) for name in summed},
        "rows": [
            {"row": place, **{name: _plain(value) for name, value in row.items()}}
            for place, row in enumerate(shown.drop(hidden).iter_rows(named=True), start=1)
        ],
    }


def evidence(opened: str, settings: Settings) -> str | None:
    """The command that lists the lines behind a section; behind one row with ``:ROW`` after its name."""
    if settings.again is None:
        return None
    return f"mailscope report --evidence {opened} {settings.again}"


def check(*chosen: Sequence[str]) -> None:
    """Raise UsageError for a name that is no section's."""
    for name in chain.from_iterable(chosen):
        if name not in BY_NAME:
            raise UsageError(f"there is no section '{name}'", "", f"sections: {', '.join(sorted(BY_NAME))}")


def choice(report: dict[str, Any], only: Sequence[str], without: Sequence[str]) -> dict[str, Any]:
    """The report with these sections only (none: all of the mail report), and without those."""
    shown = only or [section.name for section in SECTIONS if "mail" in section.pages]
    wanted = set(shown) - set(without)
    return {name: part for name, part in report.items() if name not in BY_NAME or name in wanted}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, float):
        return round(value, 4)
    return value


def _instant(value: object, settings: Settings) -> str | None:
    """A naive UTC instant in the zone asked for."""
    if not isinstance(value, datetime):
        return None
    return value.replace(tzinfo=UTC).astimezone(settings.zone).isoformat()


__all__ = ["BY_NAME", "Settings", "build", "check", "choice", "table"]
