"""The report for a terminal: the whole day at a glance, what wants attention first.

In: the report as plain data (``report.py``), and the paper to write it on.  Out: styled lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailscope.reports import figures
from mailscope.reports.layout import Column, Line, Paper, beside, pairs, table

# From this width on there is room for bars, and for longer reasons.
WIDE: Final = 100
BAR: Final = 24
# Up to so many hours are shown one by one; a longer log is shown by day and by hour of the day.
HOURS: Final = 49
STYLES: Final = {
    "deferred": "warn",
    "bounced": "bad",
    "rejected": "refused",
    "failed": "bad",
    "unrecognised": "bad",
    "failures": "bad",
    "delivered": "good",
    "sent": "good",
}
# Sections that stand elsewhere or say what the balance sheet says.
ELSEWHERE: Final = frozenset({"by_day", "by_hour", "by_hour_of_day", "fates"})
NO_SENDER: Final = "<>"
HINT: Final = "The lines behind a number: mailscope report --evidence SECTION:ROW FILES"


def render(report: dict[str, Any], paper: Paper) -> list[Line]:
    """The report as lines."""
    lines = [*_heading(report, paper), [], *_balance(report, paper), *_problems(report, paper)]
    for name in _volume(report):
        lines += [[], *_section(name, report, paper)]
    for name, section in report.items():
        if isinstance(section, dict) and section.get("rows") and name not in ELSEWHERE:
            lines += [[], *_section(name, report, paper)]
    if report["pooled"]:
        text = "Some tables had too many rows to be kept apart; their rarest rows were pooled: "
        lines += [[], [(paper.fit(text + ", ".join(report["pooled"]), paper.width), "warn")]]
    return [*lines, [], [(HINT, "faint")]]


def _heading(report: dict[str, Any], paper: Paper) -> list[Line]:
    start, end = report["period"]["start"], report["period"]["end"]
    lines: list[Line] = [[("Mail report", "title")]]
    if start and end:
        one, two = datetime.fromisoformat(start), datetime.fromisoformat(end)
        until = f"{two:%H:%M:%S}" if one.date() == two.date() else f"{two:%a %Y-%m-%d %H:%M:%S}"
        span = figures.seconds((two - one).total_seconds())
        lines[0].append((f"  {one:%a %Y-%m-%d %H:%M:%S} to {until}, {span}, {report['zone']}", ""))
    names = report["sources"]
    shown = ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")
    return [*lines, [(paper.fit(shown, paper.width), "faint")]] if shown else lines


def _balance(report: dict[str, Any], paper: Paper) -> list[Line]:
    line, message, recipient = report["lines"], report["messages"], report["recipients"]
    attempt = report["attempts"]
    left = [
        ("Lines read", line["read"], "head"),
        *((f"  {name}", line[name], _alarm(name, line[name])) for name in list(line)[1:]),
        ("", None, ""),
        ("Attempts", attempt["total"], "head"),
        *((f"  {name}", attempt[name], "") for name in ("sent", "deferred", "bounced")),
        ("Rejected", report["rejected"]["total"], "head"),
    ]
    middle = [
        ("Messages accepted", message["accepted"], "head"),
        ("  finished", message["finished"], ""),
        ("  open", message["open"], ""),
        ("    on hold", message["held"], ""),
        ("  from outside", message["received"], ""),
        ("  made here", message["internal"], ""),
        ("Requeued", message["requeued"], ""),
        ("Second passes", message["second_passes"], ""),
        ("Refused late", message["refused"], ""),
        ("Incomplete", message["incomplete"], ""),
        ("Before the log", message["before_log"], ""),
    ]
    right = [
        ("Recipients", recipient["total"], "head"),
        *_fates(recipient),
        ("Bytes received", message["received_bytes"], "size"),
    ]
    lines = beside([pairs([_pair(*row) for row in block]) for block in (left, middle, right)], paper.width)
    wrong = [equation for equation in report["balance"] if equation["remainder"]]
    if not wrong:
        return [*lines, [("All sums add up.", "faint")]]
    return lines + [
        [(f"{equation['name']}: {equation['remainder']:+,} not accounted for", "bad")] for equation in wrong
    ]


def _pair(name: str, value: int | None, style: str) -> tuple[str, str, str]:
    if style == "size":
        return name, figures.size(value or 0), ""
    return name, "" if value is None else figures.count(value), style


def _fates(recipient: dict[str, int]) -> Iterator[tuple[str, int, str]]:
    for name, value in recipient.items():
        if name not in ("total", "deferred"):
            yield f"  {name}", value, _alarm(name, value)
        if name == "queued":
            yield "    put off", recipient["deferred"], ""


def _alarm(name: str, value: int) -> str:
    return "bad" if name in ("unrecognised", "unknown") and value else ""


def _problems(report: dict[str, Any], paper: Paper) -> list[Line]:
    if not report["problems"]:
        return [[], [("Nothing wants attention.", "good")]]
    lines: list[Line] = [[], [("Wants attention", "head")]]
    for problem in report["problems"]:
        section = problem["section"]
        if len(problem["what"]) > 40:
            lines += [[("  " + part, "warn")] for part in _wrapped(problem["what"], paper.width - 2)]
            continue
        text = f"  {figures.count(problem['count']):>9}  {problem['what']}"
        lines.append([(text, "bad"), (f"  -> {section}" if section else "", "faint")])
    return lines


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append("  " + word)
        else:
            lines[-1] += (" " if lines[-1] else "") + word
    return lines


def _volume(report: dict[str, Any]) -> tuple[str, ...]:
    """Which tables of volume are readable for so long a log."""
    start, end = report["period"]["start"], report["period"]["end"]
    if not (start and end and report["by_hour"]["rows"]):
        return ()
    hours = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 3600
    return ("by_hour",) if hours < HOURS else ("by_day", "by_hour_of_day")


def _section(name: str, report: dict[str, Any], paper: Paper) -> list[Line]:
    section = report[name]
    rows = _filled(section["rows"], report["zone"]) if name == "by_hour" else section["rows"]
    timed = section["keys"][0]["unit"] != "text"
    columns = [] if timed else [Column("", [str(row["row"]) for row in rows], right=True, style="faint")]
    words = [_words(key, rows) for key in section["keys"]]
    numbers = [_figures(number, rows) for number in section["numbers"]]
    columns += words + numbers if timed else numbers + words
    if timed and paper.width >= WIDE:
        columns.append(_bars(section["numbers"][:2], rows))
    heading: Line = [(section["title"], "head")]
    if len(rows) < section["rows_total"]:
        heading.append((f"  {len(rows)} of {figures.count(section['rows_total'])}", "faint"))
    heading.append((f"  {name}", "faint"))
    return [heading, *table(columns, paper)]


def _words(key: dict[str, Any], rows: Sequence[dict[str, Any]]) -> Column:
    cells = [figures.shown(row[key["name"]], key["unit"]) for row in rows]
    if key["name"] in ("sender", "domain"):
        cells = [cell or NO_SENDER for cell in cells]
    if key["name"] == "reason":
        # qmail writes its reasons in one word.
        cells = [cell if " " in cell else cell.replace("_", " ") for cell in cells]
    if key["unit"] == "hour" and len({cell[:10] for cell in cells}) == 1:
        cells = [cell[11:] for cell in cells]
    return Column(key["title"], cells)


def _figures(number: dict[str, Any], rows: Sequence[dict[str, Any]]) -> Column:
    cells = [figures.shown(row[number["name"]], number["unit"]) for row in rows]
    return Column(number["title"], cells, right=True, style=STYLES.get(number["name"], ""))


def _bars(numbers: Sequence[dict[str, Any]], rows: Sequence[dict[str, Any]]) -> Column:
    name = numbers[-1]["name"]
    most = max((row[name] for row in rows), default=0) or 1
    return Column("", ["#" * round(BAR * row[name] / most) for row in rows], style="bar")


def _filled(rows: Sequence[dict[str, Any]], zone: str) -> list[dict[str, Any]]:
    """The hours with those in between in which nothing happened."""
    known = {datetime.fromisoformat(row["hour"]).astimezone(UTC): row for row in rows}
    filled = []
    at, last = min(known), max(known)
    while at <= last:
        local = at.astimezone(ZoneInfo(zone)).isoformat()
        filled.append(known.get(at) or {name: local if name == "hour" else 0 for name in rows[0]})
        at += timedelta(hours=1)
    return filled
