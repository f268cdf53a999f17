"""The tables of the report: traffic by day and hour, hosts and domains, connections, users."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from operator import attrgetter
from typing import Final, TypeVar

import polars as pl

from mailscope.reports.compat.pflogsumm import numbers
from mailscope.reports.compat.pflogsumm.connections import Connections, Times
from mailscope.reports.compat.pflogsumm.picked import TRAFFIC
from mailscope.reports.compat.pflogsumm.stamps import MONTHS, Day
from mailscope.reports.compat.pflogsumm.summary import Host, Summary

Row = TypeVar("Row", Host, Times)

_TRAFFIC_COLUMNS: Final = (
    "          received  delivered   deferred    bounced     rejected\n    " + 68 * "-" + "\n"
)
_CONNECTION_COLUMNS: Final = "        connections    time conn."
_AVERAGES: Final = "    avg./conn.   max. time"


def heading(title: str) -> str:
    """A title with a line below it, as long."""
    return f"\n{title}\n{'-' * len(title)}\n"


def by_day(summary: Summary) -> Iterator[str]:
    """Traffic of each day."""
    yield heading("Per-Day Traffic Summary")
    yield "    date" + _TRAFFIC_COLUMNS
    for day, counts in summary.days().items():
        cells = "".join("    " + numbers.count(count or 0) for count in counts)
        yield f"{_date(day, summary)}{cells}\n"


def by_hour(summary: Summary) -> Iterator[str]:
    """Traffic of each hour; the mean of all days where there are several."""
    days = len(summary.runs)
    yield heading("Per-Hour Traffic " + ("Daily Average" if days > 1 else "Summary"))
    yield "    time" + _TRAFFIC_COLUMNS
    for hour in range(24):
        counts = [float(summary.hours[kind][hour]) for kind in TRAFFIC]
        if days:
            counts = [count / days + 0.5 for count in counts]
        yield _hour(hour, summary) + "".join("    " + numbers.count(count) for count in counts) + "\n"


def _date(day: Day, summary: Summary) -> str:
    if summary.settings.has("iso-date-time"):
        return f"    {day.year:04d}-{day.month + 1:02d}-{day.day:02d} "
    # 1.3.0 and 1.1.5 both name no month beyond the twelfth.
    name = MONTHS[day.month] if day.month < len(MONTHS) else ""
    return f"    {name} {day.day:2d} {day.year}"


def _hour(hour: int, summary: Summary) -> str:
    if summary.settings.has("iso-date-time"):
        return f"    {hour:02d}:00-{hour + 1:02d}:00"
    return f"    {hour:02d}00-{hour + 1:02d}00  "


def _limited(title: str, limit: int, total: int, *, current: bool) -> str:
    """A title that says how many of how many are shown; 1.1.5 says only how many."""
    if current:
        return f"{title} ({f'top {limit} of ' if 0 < limit < total else ''}{total})"
    return f"{title} " + (f"(top {limit})" if limit > 0 else "")


def _first(rows: Sequence[tuple[str, Row]], limit: int) -> Iterator[tuple[str, Row]]:
    return islice(rows, limit) if limit > 0 else iter(rows)


def _by_count_and_size(rows: Mapping[str, Row], *measures: str) -> list[tuple[str, Row]]:
    """The greatest first.  Among equals pflogsumm has no order; here it is that of the names."""
    value = attrgetter(*measures)
    return sorted(sorted(rows.items()), key=lambda row: value(row[1]), reverse=True)


def recipient_hosts(summary: Summary) -> Iterator[str]:
    """Domains that mail went to."""
    limit, rows = summary.settings.limit("host-cnt"), summary.recipient_hosts
    if limit == 0:
        return
    current = summary.settings.current
    yield heading(_limited("Host/Domain Summary: Message Delivery", limit, len(rows), current=current))
    first = " msg cnt   bytes " if current else " sent cnt  bytes "
    yield f"{first}  defers   avg dly max dly host/domain\n"
    yield " -------- -------  -------  ------- ------- -----------\n"
    for name, host in _first(_by_count_and_size(rows, "number", "size"), limit):
        cells = (numbers.count(host.number), numbers.count(host.size), numbers.count(host.deferrals))
        yield f" {'  '.join(cells)}  {numbers.delay(host.mean_s)}  {numbers.delay(host.longest_s)}  {name}\n"


def sender_hosts(summary: Summary) -> Iterator[str]:
    """Domains that mail came from."""
    limit, rows = summary.settings.limit("host-cnt"), summary.sender_hosts
    if limit == 0:
        return
    current = summary.settings.current
    yield heading(_limited("Host/Domain Summary: Messages Received", limit, len(rows), current=current))
    yield " msg cnt   bytes   host/domain\n -------- -------  -----------\n"
    ordered = rows.sort("number", "size", "name", descending=[True, True, False])
    yield from _written(ordered, ["number", "size"], limit)


def users(summary: Summary, rows: pl.DataFrame, title: str, measure: str) -> Iterator[str]:
    """Addresses by ``number`` or ``size``, the greatest first and then by name from its end."""
    limit, current = summary.settings.limit("user-cnt"), summary.settings.current
    if limit == 0 or (not len(rows) and summary.settings.has("quiet")):
        return
    if current:
        title = _limited(title, limit, len(rows), current=True)
    elif limit > 0:
        title = f"top {limit} {title}"
    if not len(rows):
        yield f"\n{title}\n" if current else f"\n{title}: none\n"
        return
    yield heading(title)
    ordered = rows.sort(measure, "key", "name", descending=[True, False, False])
    yield from _written(ordered, [measure], limit)


def _written(rows: pl.DataFrame, measures: Sequence[str], limit: int) -> Iterator[str]:
    """The first rows as lines: measures, then the name."""
    cells = [cell for name in measures for cell in (numbers.counts(pl.col(name)), pl.lit("  "))]
    rows = rows.head(limit) if limit > 0 else rows
    text = rows.select(pl.concat_str(pl.lit(" "), *cells, "name", pl.lit("\n")).str.join("")).item()
    yield text or ""


def connections_by_day(summary: Summary, connections: Connections) -> Iterator[str]:
    """Connections of each day."""
    yield heading("Per-Day SMTPD Connection Summary")
    yield f"    date{_CONNECTION_COLUMNS}{_AVERAGES}\n    {68 * '-'}\n"
    days: dict[Day, list[Times]] = {}
    for run, times in connections.runs.items():
        days.setdefault(summary.runs[run], []).append(times)
    for day in sorted(days):
        number = sum(times.number for times in days[day])
        total = sum(times.total for times in days[day])
        longest = max(times.longest for times in days[day])
        cells = f"   {numbers.count(number)}       {numbers.clock(total)}"
        yield f"{_date(day, summary)}{cells}      {numbers.mean(total, number):6d}s      {longest:6d}s\n"


def connections_by_hour(summary: Summary, connections: Connections) -> Iterator[str]:
    """Connections of each hour that had any."""
    days = len(summary.runs)
    if days > 1:
        yield heading("Per-Hour SMTPD Connection Daily Average")
        yield f"    hour{_CONNECTION_COLUMNS}\n    {37 * '-'}\n"
    else:
        yield heading("Per-Hour SMTPD Connection Summary")
        yield f"    hour{_CONNECTION_COLUMNS}{_AVERAGES}\n    {68 * '-'}\n"
    for hour in sorted(hour for hour in connections.hours if 0 <= hour < 24):
        number, total, longest = connections.hours[hour]
        shown, lasted = float(number), float(total)
        if days > 1:
            shown, lasted = shown / days + 0.5, lasted / days + 0.5
        more = f"      {numbers.mean(total, number):6d}s      {longest:6d}s" if days < 2 else ""
        yield f"{_hour(hour, summary)}   {numbers.count(shown)}       {numbers.clock(lasted)}{more}\n"


def connections_by_host(summary: Summary, connections: Connections) -> Iterator[str]:
    """Connections of each client's domain."""
    limit, rows = summary.settings.limit("host-cnt"), connections.hosts
    if limit == 0:
        return
    current = summary.settings.current
    yield heading(_limited("Host/Domain Summary: SMTPD Connections", limit, len(rows), current=current))
    yield " connections  time conn.  avg./conn.  max. time  host/domain\n"
    yield " -----------  ----------  ----------  ---------  -----------\n"
    for name, times in _first(_by_count_and_size(rows, "number", "total"), limit):
        mean = numbers.mean(times.total, times.number)
        cells = f"  {numbers.count(times.number)}      {numbers.clock(times.total)}"
        yield f"{cells}     {mean:6d}s    {times.longest:6d}s   {name}\n"
