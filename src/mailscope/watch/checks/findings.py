"""Findings that are open: of any detection, or that an address of ours is on a DNS blocklist."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from mailscope.watch.checks.check import Check, Facts, Question, counted, option
from mailscope.watch.checks.plugin import Figure, Measured

LISTED: Final = "dnsbl_listed"
MOST: Final = 1_000


@dataclass(frozen=True)
class Findings(Question):
    """Which findings."""

    severity: Literal["info", "warning", "critical"] = option("warning", "Only findings at least so severe.")
    detection: str | None = option(None, "Only findings of this detection.")
    unacknowledged: bool = option(False, "Without those that somebody has acknowledged.")


@dataclass(frozen=True)
class Listings(Question):
    """Which listings."""

    address: str | None = option(None, "Only listings of this address.")


def measure(facts: Facts, asked: Findings) -> Measured:
    """Open findings that are not muted."""
    rows = _open(facts, asked.severity, asked.detection)
    if asked.unacknowledged:
        rows = [row for row in rows if row["acknowledged_by"] is None]
    critical = sum(row["severity"] == "critical" for row in rows)
    words = counted(len(rows), "open finding") + (f", {critical} critical" if critical else "")
    words += f" of {asked.detection}" if asked.detection else ""
    figures = (Figure("findings", len(rows)), Figure("critical", critical))
    return Measured(figures, words, _titles(rows))


def measure_listings(facts: Facts, asked: Listings) -> Measured:
    """Addresses of ours that are listed."""
    rows = _open(facts, "info", LISTED)
    if asked.address is not None:
        rows = [row for row in rows if asked.address in row["subject"].values()]
    words = f"{counted(len(rows), 'listing')} on DNS blocklists"
    words += f" of {asked.address}" if asked.address else ""
    return Measured((Figure("listings", len(rows)),), words, _titles(rows))


def _open(facts: Facts, severity: str, detection: str | None) -> list[dict[str, Any]]:
    from mailscope.store.findings import listing, muted_at, plain
    from mailscope.vocabulary.tables import FINDINGS, HANDLED

    for table in (FINDINGS, HANDLED):
        facts.looking.show(table)
    wanted = listing("open", severity, detection, None, MOST)
    rows = facts.looking.frame(f"select * from ({wanted}) where id not in ({muted_at(facts.now)})")
    return [plain(row) for row in rows.iter_rows(named=True)]


def _titles(rows: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(f"{row['severity']}: {row['title']} [{row['id']}]" for row in rows)


OPEN_FINDINGS = Check(
    "findings",
    "FINDINGS",
    "Open findings that nobody has muted.",
    "-c 0 --severity critical",
    Findings,
    measure,
    warning="0",
    of_lines=False,
)
DNSBL = Check(
    "dnsbl",
    "DNSBL",
    "Addresses of ours that are on DNS blocklists, as the daemon has found.",
    "-c 0",
    Listings,
    measure_listings,
    critical="0",
    of_lines=False,
)
