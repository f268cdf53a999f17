"""What is known about something, for a terminal of 80 columns.

In: the picture as plain data (``about.picture``).  Out: lines; everything from the log is made safe.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any, Final

from mailscope.cli.terminal import columns, fit, safe
from mailscope.reports.layout import Column, Paper, plain, table

WIDTH: Final = 80
PAPER: Final = Paper(WIDTH, safe, fit, columns)
BARS: Final = " ▁▂▃▄▅▆▇█"
OTHERS: Final = {
    "user": "Users", "client_ip": "Client addresses", "client_host": "Client names", "sender": "Senders",
    "recipient": "Recipients", "helo": "HELO names", "target_user": "Became",
}  # fmt: skip


def render(told: dict[str, Any]) -> Iterator[str]:
    """The lines."""
    yield from _heading(told)
    yield from _happened(told)
    yield from _causes(told)
    for name, title in OTHERS.items():
        yield from _others(title, told["others"].get(name), told["places"])
    yield from _notable(told)
    yield from _time_line(told["hours"])
    for which, lines in told["lines_shown"].items():
        if lines:
            yield from ("", f"{which.capitalize()} lines")
            yield from (f"  {fit(line, WIDTH - 2)}" for line in lines)
    yield from _messages(told)


def _heading(told: dict[str, Any]) -> Iterator[str]:
    yield fit(f"{told['subject']}: {', '.join(told['nature'])}", WIDTH)
    if told["dns_name"]:
        yield fit(f"  DNS name {told['dns_name']}", WIDTH)
    place = told["places"].get(told["subject"])
    if place:
        yield fit(f"  {_place(place)}", WIDTH)
    hosts = {row["host"] for row in told["programs"]}
    names = {row["program"] for row in told["programs"]}
    yield f"  {told['lines']:,} lines of {_number(len(names), 'program')} on {_number(len(hosts), 'host')}"
    yield f"  first {_when(told['first'])}, last {_when(told['last'])} ({told['zone']})"


def _happened(told: dict[str, Any]) -> Iterator[str]:
    rows = told["happened"]
    yield from ("", "What happened")
    yield from _table(
        [
            Column("Lines", [f"{row['count']:,}" for row in rows], right=True),
            Column("First", [_when(row["first"]) for row in rows]),
            Column("Last", [_when(row["last"]) for row in rows]),
            Column("Service", [row["service"] or "-" for row in rows]),
            Column("Event", [_event(row) for row in rows]),
        ]
    )


def _event(row: dict[str, Any]) -> str:
    words: str = row["event"].replace("_", " ")
    return f"{words}: {row['result']}" if row["result"] else words


def _causes(told: dict[str, Any]) -> Iterator[str]:
    rows = told["causes"]
    if not rows:
        return
    from mailscope.causes.catalogue import catalogue
    from mailscope.language.choice import ENGLISH

    known = catalogue()
    names = [
        known[row["cause"]].text(ENGLISH).title if row["cause"] in known else row["cause"] for row in rows
    ]
    yield from ("", "Why mail was refused or not delivered")
    yield from _table(
        [
            Column("Lines", [f"{row['count']:,}" for row in rows], right=True),
            Column("Event", [row["event"].replace("_", " ") for row in rows]),
            Column("Cause", names),
        ]
    )


def _others(title: str, found: dict[str, Any] | None, places: dict[str, Any]) -> Iterator[str]:
    if not found:
        return
    rows = found["rows"]
    more = f" ({len(rows)} of {found['total']:,})" if len(rows) < found["total"] else ""
    yield from ("", f"{title} seen with it{more}")
    shown = [
        Column("Lines", [f"{row['count']:,}" for row in rows], right=True),
        Column("Refused", [f"{row['bad']:,}" if row["bad"] else "-" for row in rows], right=True),
        Column("Last", [_when(row["last"]) for row in rows]),
    ]
    where = [_place(places[row["value"]]) if row["value"] in places else "" for row in rows]
    if any(where):
        shown.append(Column("Where", where))
    yield from _table([*shown, Column(title, [row["value"] for row in rows])])


def _notable(told: dict[str, Any]) -> Iterator[str]:
    if told["notable"]:
        yield from ("", "Logins to note")
    for row in told["notable"]:
        failures = f" {row['failures']:,}" if row["failures"] else ""
        what = row["what"].replace("after failures", f"after{failures} failures")
        yield fit(
            f"  {_when(row['time'])}  {what}: {row['service'] or '-'}, {row['with'] or 'no name'}", WIDTH
        )


def _time_line(hours: list[dict[str, Any]]) -> Iterator[str]:
    """A row of bars for each day, a bar for each hour."""
    if not hours:
        return
    days: dict[str, dict[int, int]] = {}
    refused: dict[str, int] = {}
    for row in hours:
        day, hour = row["hour"][:10], int(row["hour"][11:13])
        # The hour that clocks repeat is one bar.
        days.setdefault(day, {})[hour] = days.get(day, {}).get(hour, 0) + row["count"]
        refused[day] = refused.get(day, 0) + row["bad"]
    highest = max(count for day in days.values() for count in day.values())
    yield from ("", f"Time line, by hour (highest bar: {_number(highest, 'line')})")
    yield "              0     6     12    18       lines   refused"
    for day, counts in days.items():
        bars = "".join(_bar(counts.get(hour, 0), highest) for hour in range(24))
        yield f"  {day}  {bars}  {sum(counts.values()):>9,} {refused[day]:>9,}"


def _bar(count: int, highest: int) -> str:
    return BARS[0] if not count else BARS[max(1, round(count / highest * (len(BARS) - 1)))]


def _messages(told: dict[str, Any]) -> Iterator[str]:
    rows = told["messages"]
    if not rows:
        return
    more = f", the latest {len(rows)}" if len(rows) < told["messages_total"] else ""
    yield from ("", f"{_number(told['messages_total'], 'message')}{more}")
    if told["fates"]:
        fates = ", ".join(f"{fate} {count:,}" for fate, count in told["fates"].items())
        yield fit(f"  Recipients: {fates}", WIDTH)
    for row in rows:
        ended = row["ended"] or ("not queued" if row["size_bytes"] is None else "open")
        sender = "?" if row["sender"] is None else row["sender"]
        yield fit(f"  {_when(row['first'])}  {row['queue_id']}  from <{sender}>, {ended}", WIDTH)
        for recipient in row["recipients"]:
            name = recipient["recipient"] or "recipients that no line names"
            yield fit(f"      {recipient['fate']:<9} <{name}>", WIDTH)
    # What trace takes as it is; of others it is told a queue id.
    named = told["subject"] if told["kind"] in ("ip", "address", "domain") else str(rows[-1]["queue_id"])
    yield fit(f"  The story of each: mailscope trace {shlex.quote(named)} FILES", WIDTH)


def _table(shown: Iterable[Column]) -> Iterator[str]:
    yield from plain(table(list(shown), PAPER)).splitlines()


def _place(place: dict[str, Any]) -> str:
    asn = f"AS{place['asn']}" if "asn" in place else None
    words = (
        place.get("city"),
        place.get("country_name") or place.get("country"),
        asn,
        place.get("organisation"),
    )
    return ", ".join(safe(str(word)) for word in words if word)


def _when(stamp: str | None) -> str:
    return "-" if stamp is None else f"{datetime.fromisoformat(stamp):%Y-%m-%d %H:%M}"


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}" if count == 1 else f"{count:,} {what}s"
