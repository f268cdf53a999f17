"""What the host's own binary records tell: sessions (wtmp), what commands and users cost (pacct).

In: the files that ``[web] wtmp`` and ``[web] pacct`` name, which the daemon must be permitted to read.  Out:
tables of the page Host.  Of accounting the newest records are read, a bounded number; larger files of logins
are left to the commands.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from mailscope.language.phrase import Phrase
from mailscope.language.translator import Translator
from mailscope.vocabulary.errors import InputError
from mailscope.vocabulary.instants import naive
from mailscope.web.pages.grid import Column, Grid, of_rows
from mailscope.web.pages.visit import Visit

if TYPE_CHECKING:
    from mailscope.host.processes.trends import Trend

MOST_RECORDS: Final = 200_000
MOST_BYTES: Final = 64 << 20
MOST_NAMES: Final = 1_000_000
USUAL_ROWS: Final = 15
# How a session ended, as ``host/logins/last.py`` calls it.
STATES: Final = {
    "running": Phrase("running"),
    "logged in": Phrase("logged in"),
    "ended": Phrase("ended"),
    "crash": Phrase("ended by a crash"),
    "down": Phrase("ended by a shutdown"),
    "gone, no logout": Phrase("gone, no logout"),
}


def records(visit: Visit) -> tuple[tuple[Grid, ...], tuple[str, ...]]:
    """The tables, and what was skipped or left out."""
    said: list[str] = []
    return (_sessions(visit, said), *_costs(visit, said)), tuple(said)


def _sessions(visit: Visit, said: list[str]) -> Grid:
    tr, path = visit.tr, visit.site.settings().web.wtmp
    top = visit.top("sessions", USUAL_ROWS)
    found, empty = [], tr("Nobody logged in to the host in this time, as far as {path} tells.", path=path)
    try:
        found = list(_logins(visit, path, top + 1, said))
    except InputError as error:
        empty = _advice(error, tr, tr("Set [web] wtmp to a file of logins that the daemon may read."))
    columns = (
        Column("started", tr("Begin"), "time"),
        Column("user", tr("User"), "address"),
        Column("tty", tr("Terminal")),
        Column("host", tr("From")),
        Column("duration_s", tr("Duration"), "seconds"),
        Column("state", tr("State")),
    )
    return of_rows(
        visit,
        "sessions",
        tr("Sessions on the host"),
        columns,
        found[:top],
        {
            "user": lambda row: (
                visit.link("/about", subject=row["user"], kind="user") if row["user"] else None
            ),
            "host": lambda row: visit.link("/about", subject=row["address"]) if row["address"] else None,
        },
        total=len(found) if len(found) <= top else None,
        empty=empty,
        more=visit.here(all="sessions") if len(found) > top else "",
    )


def _logins(visit: Visit, path: str, most: int, said: list[str]) -> Any:
    """The sessions and boots that began in the span, the latest first.  Raises InputError."""
    from mailscope.host.accounts import Accounts
    from mailscope.host.clock import Clock
    from mailscope.host.logins import last
    from mailscope.host.logins.opening import opened
    from mailscope.host.logins.pairing import Span
    from mailscope.host.machine import Machine

    if _plain(path) > MOST_BYTES:
        raise InputError(Phrase("it is too large to be read for a page"), path, "see 'mailscope host last'")
    since, until = (
        int(each.replace(tzinfo=UTC).timestamp()) for each in (visit.span.since, visit.span.until)
    )
    asked = last.Asked(int(visit.now.replace(tzinfo=UTC).timestamp()), Span(since, until), most=most)
    with closing(opened(path)) as file:
        for some in last.found(file, asked, Machine(Accounts())):
            for row in last.values(some, asked, Clock(UTC)):
                told = {"state": visit.tr(STATES[row["state"]]) if row["state"] in STATES else row["state"]}
                yield row | told | {"started": naive(datetime.fromisoformat(row["started"]))}
        said += map(str, file.problems)


def _costs(visit: Visit, said: list[str]) -> tuple[Grid, Grid]:
    """What commands, and users, cost in the span."""
    from mailscope.host.processes.trends import Trend

    tr, path = visit.tr, visit.site.settings().web.pacct
    commands, users = Trend(), Trend()
    empty = tr("No process ended in this time, as far as {path} tells.", path=path)
    try:
        _add_costs(visit, path, commands, users, said)
    except InputError as error:
        advice = tr(
            "Turn process accounting on with 'mailscope host accounting on', and let the daemon read it."
        )
        empty = _advice(error, visit.tr, advice)
    return (
        _cost(visit, "commands", tr("What commands cost"), tr("Command"), commands, empty),
        _cost(visit, "users", tr("What users cost"), tr("User"), users, empty),
    )


def _add_costs(visit: Visit, path: str, commands: Trend, users: Trend, said: list[str]) -> None:
    from mailscope.host.accounts import Accounts
    from mailscope.host.clock import Clock
    from mailscope.host.processes.records import AccountingFile

    _plain(path)
    since, until = (each.replace(tzinfo=UTC).timestamp() for each in (visit.span.since, visit.span.until))
    accounts, clock = Accounts(), Clock(UTC)
    with AccountingFile(path) as file:
        first = max(0, file.count - MOST_RECORDS)
        if first:
            tr = visit.tr
            said.append(tr("Of {path} only the newest {n} processes are counted.", path=path, n=MOST_RECORDS))
        for block in file.blocks(first):
            mine = block.chosen((block.btime >= since) & (block.btime < until))
            if len(mine):
                commands.add(mine, accounts, clock, by_user=False)
                users.add(mine, accounts, clock, by_user=True)
        said += map(str, file.problems)


def _cost(visit: Visit, name: str, title: str, who: str, trend: Trend, empty: str) -> Grid:
    tr, rows = visit.tr, list(trend.rows("cpu", MOST_NAMES))
    columns = (
        Column("name", who, "address" if name == "users" else "text"),
        Column("calls", tr("Processes"), "count"),
        Column("cpu_s", tr("Processor time"), "seconds"),
        Column("elapsed_s", tr("Elapsed"), "seconds"),
        Column("io_chars", tr("Read and written"), "bytes"),
        Column("most_kib", tr("Largest (KiB)"), "count"),
    )
    if not rows:
        return of_rows(visit, name, title, columns, (), empty=empty)
    sums = pl.col("calls", "cpu_s", "elapsed_s", "io_chars").sum()
    frame = pl.DataFrame(rows).group_by("name").agg(sums, pl.col("most_kib").max())
    frame = frame.sort("cpu_s", "calls", "name", descending=[True, True, False])

    def about(row: Mapping[str, Any]) -> str | None:
        return visit.link("/about", subject=row["name"], kind="user") if name == "users" else None

    shown = frame.head(visit.top(name, USUAL_ROWS)).iter_rows(named=True)
    more = visit.here(all=name) if len(frame) > USUAL_ROWS and visit.query.get("all") != name else ""
    return of_rows(visit, name, title, columns, shown, {"name": about}, total=len(frame), more=more)


def _plain(path: str) -> int:
    """The size of a plain file.  Raises InputError for anything else, on which a page might wait."""
    if not path:
        raise InputError(Phrase("no file is named"))
    try:
        status = os.stat(path)
        if stat.S_ISREG(status.st_mode) and os.access(path, os.R_OK):
            return status.st_size
    except FileNotFoundError:
        raise InputError(Phrase("there is no such file"), path) from None
    except OSError as error:
        raise InputError.from_os_error(error, path) from error
    plain = stat.S_ISREG(status.st_mode)
    raise InputError(Phrase("it is not permitted") if plain else Phrase("it is no plain file"), path)


def _advice(error: InputError, tr: Translator, advice: str) -> str:
    """Why there is nothing, and what to do."""
    what = tr(error.what)
    why = f"{error.where}: {what}" if error.where else what
    return f"{why}. {advice}"
