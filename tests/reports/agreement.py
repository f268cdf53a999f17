"""Our totals beside those of pflogsumm and qmailanalog, for the same lines.

The other programs' output was recorded on the test bench; it is not part of this tree, so the tests that
compare are skipped where it is not at hand.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import polars as pl
from running import UTC_ZONE, library, light, source

from mailscope.intake.sources import Sources, utc_now
from mailscope.pipeline import Pipeline, restarting
from mailscope.reports.report import Settings, build
from mailscope.tallies.ledger import Ledger

ROOT: Final = Path(__file__).parents[2]
LAB: Final = ROOT.parent / "shared" / "lab"
DOCUMENT: Final = ROOT / "docs" / "agreement.md"
POSTFIX_LOGS: Final = ("full-run", "phaseA", "multiday")
# What pflogsumm reads: it leaves qmail, Dovecot and other instances of Postfix alone.
OF_POSTFIX: Final = re.compile(rb".{15} [^ ]+ postfix[/\[:]")
TOTALS: Final = (
    "received", "delivered", "forwarded", "deferred", "deferrals", "bounced", "removed (canceled)", "expired",
    "rejected", "reject warnings", "held", "discarded", "bytes received", "bytes delivered", "senders",
    "sending hosts/domains", "recipients", "recipient hosts/domains",
)  # fmt: skip
TRAFFIC: Final = ("received", "delivered", "deferred", "bounced", "rejected")


@dataclass(frozen=True)
class Ours:
    """Our report and its tallies."""

    report: dict[str, Any]
    ledger: Ledger


def read(path: Path) -> Ours:
    """Run the report over one file."""
    pipeline = Pipeline(Sources([source(path, mtime=None)], UTC_ZONE, utc_now()), library(), light())

    def work(pipeline: Pipeline) -> Ledger:
        ledger = Ledger()
        for batch, outcome in pipeline.follow():
            ledger.add(batch, outcome)
        return ledger

    ledger = restarting(pipeline, work)
    return Ours(build(ledger, Settings(UTC_ZONE, top=0)), ledger)


def read_postfix(name: str, scratch: Path) -> Ours:
    """Our report over those lines of a bench log that pflogsumm reads."""
    lines = (LAB / "postfix" / f"{name}.mail.log.bsd").read_bytes().splitlines(keepends=True)
    path = scratch / f"{name}.log"
    path.write_bytes(b"".join(line for line in lines if OF_POSTFIX.match(line)))
    return read(path)


def golden(name: str, version: str) -> str:
    """What a version of pflogsumm printed for a log."""
    if version == "1.1.5":
        folder = LAB / "postfix" / "pflogsumm"
        return next(folder.glob(f"{name}*.default.txt")).read_text()
    return (LAB / "postfix" / f"pflogsumm-{version}" / f"{name}.mail.log.bsd.default.txt").read_text()


def totals(text: str) -> dict[str, str]:
    """pflogsumm's Grand Totals, as printed."""
    head = text.partition("Traffic Summary")[0]
    found = {
        what: number for number, what in re.findall(r"^ +([0-9]+[km]?) +([a-z/ ()]+?)(?:  .*)?$", head, re.M)
    }
    found = {re.sub(r" \([0-9]+%\)", "", what): number for what, number in found.items()}
    for number, what in re.findall(r"^ +([0-9]+) +(rejected|discarded) \([0-9]+%\)$", head, re.M):
        found[what] = number
    deferrals = re.search(r"\(([0-9]+) +deferrals\)", head)
    return found | {"deferrals": deferrals[1] if deferrals else "0"}


def traffic(text: str) -> dict[str, tuple[str, ...]]:
    """pflogsumm's traffic by day, or by hour where the log holds one day; hours without any are left out."""
    by_day = dict(_rows(text, r"^ +([A-Z][a-z]{2} +[0-9]+ [0-9]{4})" + r" +([0-9]+)" * 5))
    by_hour = dict(_rows(text, r"^ +([0-9]{4}-[0-9]{4})" + r" +([0-9]+)" * 5))
    return by_day or {
        hour[:2] + ":00": row for hour, row in by_hour.items() if any(cell != "0" for cell in row)
    }


def _rows(text: str, pattern: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    for found in re.finditer(pattern, text, re.M):
        yield found[1], found.groups()[1:]


def table(text: str, heading: str) -> dict[str, str]:
    """One of pflogsumm's lists of counts: name -> count."""
    part = text.partition(f"\n{heading} (")[2].partition("\n\n")[0]
    return {name: count for count, name in re.findall(r"^ *([0-9]+k?) +(.+)$", part, re.M)}


def our_totals(ours: Ours) -> dict[str, str]:
    """Our figures under pflogsumm's names."""
    report, verdicts = ours.report, _verdicts(ours)
    message, attempt = report["messages"], report["attempts"]
    delivered = ours.ledger.result("recipients").filter(pl.col("outcome") == "sent")
    domains = delivered.select(pl.col("recipient").str.extract("@([^@]*)$", 1)).n_unique()
    return {
        "received": str(message["received"]),
        "delivered": str(attempt["sent"] - attempt["forwarded"]),
        "forwarded": str(attempt["forwarded"]),
        "deferred": str(message["deferred"]),
        "deferrals": str(attempt["deferred"]),
        "bounced": str(attempt["bounced"]),
        "removed (canceled)": str(message["deleted"]),
        "expired": str(message["expired"]),
        "rejected": str(report["rejected"]["total"]),
        "reject warnings": str(verdicts.get("reject_warned", 0)),
        "held": str(verdicts.get("held", 0)),
        "discarded": str(verdicts.get("discarded", 0)),
        "bytes received": size(message["received_bytes"]),
        "bytes delivered": size(attempt["bytes_delivered"]),
        "senders": str(report["top_senders"]["rows_total"]),
        "sending hosts/domains": str(report["sender_domains"]["rows_total"]),
        "recipients": str(len(delivered)),
        "recipient hosts/domains": str(domains),
    }


def our_traffic(ours: Ours) -> dict[str, tuple[str, ...]]:
    """Our traffic by day, or by hour where the log holds one day, under pflogsumm's names."""
    days = ours.report["by_day"]["rows"]
    if len(days) > 1:
        return {_day(row["day"]): tuple(str(row[name]) for name in TRAFFIC) for row in days}
    rows = ours.report["by_hour"]["rows"]
    return {row["hour"][11:16]: tuple(str(row[name]) for name in TRAFFIC) for row in rows}


def _day(iso: str) -> str:
    year, month, day = iso.split("-")
    names = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
    return f"{names[int(month) - 1]} {int(day):>2} {year}"


def _verdicts(ours: Ours) -> Mapping[str, int]:
    counts = ours.ledger.result("verdicts_by_time").group_by("event").agg(pl.col("count").sum())
    return dict(counts.iter_rows())


def size(value: int) -> str:
    """A size as pflogsumm prints it: in KiB from 512 KiB on, without rounding."""
    return f"{value // 1024}k" if value > 512 * 1024 else str(value)


def compared(name: str, ours: Ours) -> dict[str, tuple[str, str, str]]:
    """Line -> what pflogsumm 1.3.0, pflogsumm 1.1.5 and we say."""
    new, old = golden(name, "1.3.0"), golden(name, "1.1.5")
    mine, newer, older = our_totals(ours), totals(new), totals(old)
    lines = {what: (newer.get(what, "-"), older.get(what, "-"), mine[what]) for what in TOTALS}
    days, new_days, old_days = our_traffic(ours), traffic(new), traffic(old)
    for when in sorted({*days, *new_days, *old_days}):
        for place, what in enumerate(TRAFFIC):
            three = (new_days.get(when), old_days.get(when), days.get(when))
            lines[f"{when} {what}"] = tuple("-" if row is None else row[place] for row in three)  # type: ignore[assignment]
    return lines


def zoverall() -> dict[str, str]:
    """qmailanalog's overall figures for the bench's multilog run."""
    text = (LAB / "qmail" / "qmailanalog" / "zoverall.out").read_text()
    return {what.strip(): number for what, number in re.findall(r"^ *([A-Za-z ()]+): ([0-9.]+)$", text, re.M)}


def our_zoverall(ours: Ours) -> dict[str, str]:
    """Our figures under qmailanalog's names; what we do not show is left out."""
    message, attempt, relays = ours.report["messages"], ours.report["attempts"], ours.ledger.result("relays")
    finished = ours.ledger.result("messages").filter(pl.col("went").is_in(["removed", "discarded"]))
    sent = relays.filter(pl.col("outcome").is_in(["sent", "forwarded"]))
    waited, tried = float(sent["delay_sum_s"].sum()), float(relays["transmit_sum_s"].sum())
    return {
        "Completed messages": str(message["finished"]),
        "Bytes in completed messages": str(finished["bytes"].sum()),
        "Bytes weighted by success": str(sent["bytes"].sum()),
        "Average message qtime (s)": f"{finished['stay_sum_s'].sum() / message['finished']:.5f}",
        "Total delivery attempts": str(attempt["total"]),
        "success": str(attempt["sent"]),
        "failure": str(attempt["bounced"]),
        "deferral": str(attempt["deferred"]),
        "Total ddelay (s)": f"{waited:.6f}",
        "Average ddelay per success (s)": f"{waited / attempt['sent']:.6f}",
        "Total xdelay (s)": f"{tried:.6f}",
        "Average xdelay per delivery attempt (s)": f"{tried / attempt['total']:.6f}",
    }


def documented(heading: str) -> dict[str, tuple[str, ...]]:
    """A table of docs/agreement.md: first cell -> the other cells."""
    part = DOCUMENT.read_text(encoding="utf-8").partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in part.splitlines()
        if line.startswith("| ")
    ]
    return {row[0]: tuple(row[1:]) for row in rows[1:]}
