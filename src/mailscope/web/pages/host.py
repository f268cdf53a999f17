"""The host itself: its load, space, who logged in to it, what it logs, and what of that is understood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import polars as pl
from markupsafe import Markup

from mailscope.language.phrase import Phrase
from mailscope.reports.section import Label, Number, Section
from mailscope.reports.sections.programs import SECTION as PROGRAMS
from mailscope.web.pages.grid import Column, Grid, of_rows, of_section
from mailscope.web.pages.host_records import records
from mailscope.web.pages.lines import of_row
from mailscope.web.pages.page import Context, Page
from mailscope.web.pages.pictures import line
from mailscope.web.pages.rows import Where
from mailscope.web.pages.visit import Visit

POINTS: Final = 160
LOAD: Final = {
    "cpu_busy_percent": Phrase("processors busy (%)"),
    "load_1": Phrase("load average"),
    "memory_used_percent": Phrase("memory in use (%)"),
    "disk_written_bytes_per_s": Phrase("written to disks (bytes a second)"),
}
SAMPLES: Final = """
select time_bucket(to_microseconds(?), time, ?::timestamp) as at, count(*) as n,
    avg(cpu_busy_percent) as cpu_busy_percent, avg(load_1) as load_1,
    avg(disk_written_bytes_per_s) as disk_written_bytes_per_s,
    avg(100.0 * (1 - memory_available_bytes / memory_bytes)) as memory_used_percent
from rows group by 1
"""
# Services through which people come to the host itself.
SHELLS: Final = ("sshd", "login", "su", "sudo", "cron", "systemd-logind", "doas")
LOGINS: Final = Section(
    "host_logins",
    "Logins to the host",
    "Who logged in to the host itself, how, and from where.",
    (Label("service", "Service"), Label("user", "User"), Label("client", "Client")),
    (
        Number("succeeded", "Succeeded", "login_users", only=pl.col("event") == "login_succeeded"),
        Number("failed", "Failed", "login_users", only=pl.col("event") == "login_failed"),
    ),
)


@dataclass(frozen=True)
class Host(Context):
    """``pictures``: what is drawn, and its chart; ``said``: what of ``records`` was skipped or left out."""

    pictures: Sequence[tuple[str, Markup]]
    disks: Grid
    logins: Grid
    programs: Grid
    problems: Grid
    records: tuple[Grid, ...]
    said: tuple[str, ...]


def show(visit: Visit) -> Host:
    """What the page shows."""
    ledger = visit.ledger("lines", "login_users", "problems")
    visit.audit("host", "logins")
    return Host(
        _load(visit),
        _disks(visit),
        of_section(
            visit,
            LOGINS,
            ledger,
            {
                "succeeded": _event(visit, "login_succeeded"),
                "failed": _event(visit, "login_failed"),
                "user": lambda row: (
                    visit.link("/about", subject=row["user"], kind="user") if row["user"] else None
                ),
                "client": lambda row: visit.link("/about", subject=row["client"]) if row["client"] else None,
            },
            15,
            lambda rows: rows.filter(pl.col("service").is_in(SHELLS)),
            empty=visit.tr("Nobody logged in to the host in this time, as far as the logs tell."),
        ),
        of_section(visit, PROGRAMS, ledger, {"program": of_row(visit, program="program")}, 20),
        _problems(visit, ledger.result("problems")),
        *records(visit),
    )


def _event(visit: Visit, event: str) -> Any:
    made = of_row(visit, user="user", service="service")
    return lambda row: f"{href}&event={event}" if (href := made(row)) else None


def _load(visit: Visit) -> list[tuple[str, Markup]]:
    span = visit.span
    step = int(span.length.total_seconds() * 1e6 / POINTS)
    frame = visit.rows.grouped("host_load", SAMPLES, [step, span.since], span.since, span.until)
    # Where samples of one point are sealed and others are not, each counts as much as it stands for.
    weighted = [(pl.col(name) * pl.col("n")).sum() / pl.col("n").sum() for name in LOAD]
    frame = (
        frame.group_by("at")
        .agg(each.alias(name) for each, name in zip(weighted, LOAD, strict=True))
        .sort("at")
    )
    pictures = []
    for name, words in LOAD.items():
        values = [
            (f"{visit.local(at):%d. %H:%M}", value) for at, value in frame.select("at", name).iter_rows()
        ]
        told = visit.tr(words)
        if picture := line(name, told, values, "received"):
            pictures.append((told, picture))
    return pictures


def _disks(visit: Visit) -> Grid:
    tr = visit.tr
    rows = visit.rows.recent("host_disks", "*", Where(), 200).unique(
        "path", keep="first", maintain_order=True
    )
    rows = rows.with_columns(
        (100 * (1 - pl.col("free_bytes") / pl.col("size_bytes"))).round(1).alias("used_percent")
    )
    return of_rows(
        visit,
        "disks",
        tr("File systems"),
        (
            Column("path", tr("Path")),
            Column("size_bytes", tr("Size"), "bytes"),
            Column("free_bytes", tr("Free"), "bytes"),
            Column("used_percent", tr("In use (%)")),
            Column("free_inodes", tr("Free inodes"), "count"),
            Column("time", tr("Time"), "time"),
        ),
        rows.iter_rows(named=True),
        empty=tr("The daemon samples the host where [load] is enabled."),
    )


def _problems(visit: Visit, problems: pl.DataFrame) -> Grid:
    tr = visit.tr
    grouped = (
        problems.group_by("program", "event", "shape")
        .agg(pl.col("count").sum())
        .sort("count", "program", descending=[True, False])
    )
    return of_rows(
        visit,
        "warnings",
        tr("Warnings and errors"),
        (
            Column("program", tr("Program")),
            Column("event", tr("Event")),
            Column("shape", tr("Words")),
            Column("count", tr("Times"), "count"),
        ),
        grouped.head(visit.top("warnings", 20)).iter_rows(named=True),
        {"count": of_row(visit, program="program", event="event")},
        total=len(grouped),
    )


PAGE: Final = Page("host", "/host", Phrase("Host"), "host.html", show, "security")
