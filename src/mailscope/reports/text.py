"""The report for a terminal: the whole day at a glance, what wants attention first.

In: the report as plain data (``report.py``), and the paper to write it on.  Out: styled lines.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from mailscope.causes.catalogue import catalogue
from mailscope.language.phrase import Phrase
from mailscope.language.translator import TELL_ENGLISH, Translator
from mailscope.reports import figures
from mailscope.reports.layout import GAP, USUAL, Column, Line, Paper, beside, pairs, table

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
HINT: Final = Phrase("The lines behind a number: mailscope report --evidence SECTION:ROW FILES")
POOLED: Final = Phrase(
    "Some tables had too many rows to be kept apart; their rarest rows were pooled: {tables}"
)
WEEKDAYS: Final = tuple(map(Phrase, ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")))


def render(report: dict[str, Any], paper: Paper, tr: Translator = TELL_ENGLISH) -> list[Line]:
    """The report as lines, in a language."""
    lines = [*_heading(report, paper, tr), [], *_balance(report, paper, tr), *_problems(report, paper, tr)]
    for name in _volume(report):
        lines += [[], *_section(name, report, paper, tr)]
    for name, section in report.items():
        if isinstance(section, dict) and section.get("rows") and name not in ELSEWHERE:
            lines += [[], *_section(name, report, paper, tr)]
    if report["pooled"]:
        text = tr(POOLED, tables=", ".join(report["pooled"]))
        lines += [[], [(paper.fit(text, paper.width), "warn")]]
    return [*lines, [], [(tr(HINT), "faint")]]


def _heading(report: dict[str, Any], paper: Paper, tr: Translator) -> list[Line]:
    title, span = tr("Mail report"), period(report, tr)
    lines: list[Line] = [[(title, "title")]]
    if span and paper.columns(title) + GAP + paper.columns(span) > max(paper.width, USUAL):
        lines.append([(span, "")])
    elif span:
        lines[0].append((" " * GAP + span, ""))
    names = report["sources"]
    shown = ", ".join(names[:3])
    if len(names) > 3:
        shown = tr("{names} and {n} more", names=shown, n=len(names) - 3)
    return [*lines, [(paper.fit(shown, paper.width), "faint")]] if shown else lines


def period(report: dict[str, Any], tr: Translator) -> str:
    """From when to when, how long, and in which zone; empty where no line has a time."""
    start, end = report["period"]["start"], report["period"]["end"]
    if not (start and end):
        return ""
    one, two = datetime.fromisoformat(start), datetime.fromisoformat(end)
    until = f"{two:%H:%M:%S}" if one.date() == two.date() else _moment(two, tr)
    span = figures.seconds((two - one).total_seconds())
    return tr(
        "{start} to {end}, {span}, {zone}", start=_moment(one, tr), end=until, span=span, zone=report["zone"]
    )


def _moment(time: datetime, tr: Translator) -> str:
    return f"{tr(WEEKDAYS[time.weekday()])} {time:%Y-%m-%d %H:%M:%S}"


def _balance(report: dict[str, Any], paper: Paper, tr: Translator) -> list[Line]:
    line, message, recipient = report["lines"], report["messages"], report["recipients"]
    attempt = report["attempts"]
    left = [
        (tr("Lines read"), line["read"], "head"),
        *((f"  {tr(name)}", line[name], _alarm(name, line[name])) for name in list(line)[1:]),
        ("", None, ""),
        (tr("Attempts"), attempt["total"], "head"),
        *((f"  {tr(name)}", attempt[name], "") for name in ("sent", "deferred", "bounced")),
        (tr("Rejected"), report["rejected"]["total"], "head"),
    ]
    middle = [
        (tr("Messages accepted"), message["accepted"], "head"),
        (f"  {tr('finished')}", message["finished"], ""),
        (f"  {tr('open')}", message["open"], ""),
        (f"    {tr('on hold')}", message["held"], ""),
        (f"  {tr('from outside')}", message["received"], ""),
        (f"  {tr('made here')}", message["internal"], ""),
        (tr("Requeued"), message["requeued"], ""),
        (tr("Second passes"), message["second_passes"], ""),
        (tr("Refused late"), message["refused"], ""),
        (tr("Incomplete"), message["incomplete"], ""),
        (tr("Before the log"), message["before_log"], ""),
    ]
    right = [
        (tr("Recipients"), recipient["total"], "head"),
        *_fates(recipient, tr),
        (tr("Bytes received"), message["received_bytes"], "size"),
    ]
    blocks = [pairs([_pair(*row) for row in block], paper) for block in (left, middle, right)]
    lines = beside(blocks, paper)
    wrong = [equation for equation in report["balance"] if equation["remainder"]]
    if not wrong:
        return [*lines, [(tr("All sums add up."), "faint")]]
    for each in wrong:
        name, remainder = tr(each["name"]), f"{each['remainder']:+,}"
        lines.append([(tr("{name}: {remainder} not accounted for", name=name, remainder=remainder), "bad")])
    return lines


def _pair(name: str, value: int | None, style: str) -> tuple[str, str, str]:
    if style == "size":
        return name, figures.size(value or 0), ""
    return name, "" if value is None else figures.count(value), style


def _fates(recipient: dict[str, int], tr: Translator) -> Iterator[tuple[str, int, str]]:
    for name, value in recipient.items():
        if name not in ("total", "deferred"):
            yield f"  {tr(name)}", value, _alarm(name, value)
        if name == "queued":
            yield f"    {tr('put off')}", recipient["deferred"], ""


def _alarm(name: str, value: int) -> str:
    return "bad" if name in ("unrecognised", "unknown") and value else ""


def _problems(report: dict[str, Any], paper: Paper, tr: Translator) -> list[Line]:
    if not report["problems"]:
        return [[], [(tr("Nothing wants attention."), "good")]]
    lines: list[Line] = [[], [(tr("Wants attention"), "head")]]
    for problem in report["problems"]:
        section, what = problem["section"], tr(problem["what"])
        if paper.columns(what) > 40:
            lines += [[("  " + part, "warn")] for part in _wrapped(what, paper.width - 2, paper)]
            continue
        text = f"  {figures.count(problem['count']):>9}  {what}"
        lines.append([(text, "bad"), (f"  -> {section}" if section else "", "faint")])
    return lines


def _wrapped(text: str, width: int, paper: Paper) -> list[str]:
    """A sentence in lines of a width; where there are no blanks to break at (Chinese), anywhere."""
    lines = [""]
    for word in text.split(" "):
        if lines[-1] and paper.columns(lines[-1]) + 1 + paper.columns(word) > width:
            lines.append("  ")
        elif lines[-1]:
            lines[-1] += " "
        for char in word if paper.columns(word) > len(word) else (word,):
            if paper.columns(lines[-1]) + paper.columns(char) > width and lines[-1].strip():
                lines.append("  ")
            lines[-1] += char
    return lines


def _volume(report: dict[str, Any]) -> tuple[str, ...]:
    """Which tables of volume are readable for so long a log."""
    start, end = report["period"]["start"], report["period"]["end"]
    if not (start and end and report["by_hour"]["rows"]):
        return ()
    hours = (datetime.fromisoformat(end) - datetime.fromisoformat(start)).total_seconds() / 3600
    return ("by_hour",) if hours < HOURS else ("by_day", "by_hour_of_day")


def _section(name: str, report: dict[str, Any], paper: Paper, tr: Translator) -> list[Line]:
    section = report[name]
    rows = _filled(section["rows"], report["zone"]) if name == "by_hour" else section["rows"]
    timed = section["keys"][0]["unit"] not in ("text", "word", "cause")
    columns = [] if timed else [Column("", [str(row["row"]) for row in rows], right=True, style="faint")]
    words = [_words(key, rows, tr) for key in section["keys"]]
    numbers = [_figures(number, rows, tr) for number in section["numbers"]]
    columns += words + numbers if timed else numbers + words
    if timed and paper.width >= WIDE:
        columns.append(_bars(section["numbers"][:2], rows))
    heading: Line = [(tr(section["title"]), "head")]
    if len(rows) < section["rows_total"]:
        shown = tr("{n} of {total}", n=len(rows), total=figures.count(section["rows_total"]))
        heading.append((f"  {shown}", "faint"))
    heading.append((f"  {name}", "faint"))
    return [heading, *table(columns, paper)]


def _words(key: dict[str, Any], rows: Sequence[dict[str, Any]], tr: Translator) -> Column:
    cells = [figures.shown(row[key["name"]], key["unit"]) for row in rows]
    if key["unit"] == "word":
        cells = [tr(cell) for cell in cells]
    if key["unit"] == "cause":
        known = catalogue()
        cells = [known[cell].text(tr.language).title if cell in known else cell for cell in cells]
    if key["name"] in ("sender", "domain"):
        cells = [cell or NO_SENDER for cell in cells]
    if key["name"] == "reason":
        # qmail writes its reasons in one word.
        cells = [cell if " " in cell else cell.replace("_", " ") for cell in cells]
    if key["unit"] == "hour" and len({cell[:10] for cell in cells}) == 1:
        cells = [cell[11:] for cell in cells]
    return Column(tr(key["title"]), cells)


def _figures(number: dict[str, Any], rows: Sequence[dict[str, Any]], tr: Translator) -> Column:
    cells = [figures.shown(row[number["name"]], number["unit"]) for row in rows]
    return Column(tr(number["title"]), cells, right=True, style=STYLES.get(number["name"], ""))


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
