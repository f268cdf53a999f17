"""The report for a terminal: the whole day at a glance, what wants attention first.

In: the report as plain data (``report.py``), and the paper to write it on.  Out: styled lines.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from mailscope.language.phrase import Phrase
from mailscope.language.translator import TELL_ENGLISH, Translator
from mailscope.reports import figures
from mailscope.reports.document import Document, Problem, Table, document
from mailscope.reports.grid import HEATMAP, shade
from mailscope.reports.layout import GAP, USUAL, Column, Line, Paper, beside, pairs, plain, table
from mailscope.reports.sheet import Block

# From this width on there is room for bars, and for longer reasons.
WIDE: Final = 100
BAR: Final = 24
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
SEVERITIES: Final = {"critical": "bad", "serious": "bad", "notice": "warn"}
# Says what the balance sheet says.
ELSEWHERE: Final = frozenset({"fates"})
# A title of more columns is a sentence, and gets lines of its own.
LONG_TITLE: Final = 40
# Where a problem's words begin, after its count.
EVIDENCE: Final = "--evidence"
INDENT: Final = 13
HINT: Final = Phrase("The lines behind a number: mailscope report --evidence SECTION:ROW FILES")


def render(report: dict[str, Any], paper: Paper, tr: Translator = TELL_ENGLISH) -> list[Line]:
    """The report as lines, in a language."""
    page = document(report, tr, paper.safe)
    lines = [*_heading(page, paper), [], *_balance(page, paper, tr), *_problems(page, paper, tr)]
    for section in page.tables:
        if section.name not in ELSEWHERE:
            lines += [[], *_section(section, paper, tr)]
    for note in page.notes:
        lines += [[], [(paper.fit(note, paper.width), "warn")]]
    return [*lines, [], [(tr(HINT), "faint")]]


def _heading(page: Document, paper: Paper) -> list[Line]:
    lines: list[Line] = [[(page.title, "title")]]
    if page.period and paper.columns(page.title) + GAP + paper.columns(page.period) > max(paper.width, USUAL):
        lines.append([(page.period, "")])
    elif page.period:
        lines[0].append((" " * GAP + page.period, ""))
    return [*lines, [(paper.fit(page.sources, paper.width), "faint")]] if page.sources else lines


def _balance(page: Document, paper: Paper, tr: Translator) -> list[Line]:
    blocks = [pairs(list(_pairs(block)), paper) for block in page.balance]
    lines = beside(blocks, paper)
    if not page.wrong:
        return [*lines, [(tr("All sums add up."), "faint")]]
    return [*lines, *([(sentence, "bad")] for sentence in page.wrong)]


def _pairs(block: Block) -> Iterator[tuple[str, str, str]]:
    for figure in block:
        if figure is None:
            yield "", "", ""
        else:
            yield "  " * figure.level + figure.name, figure.shown, figure.style


def _problems(page: Document, paper: Paper, tr: Translator) -> list[Line]:
    if not page.problems:
        return [[], [(tr("Nothing wants attention."), "good")]]
    lines: list[Line] = [[], [(tr("Wants attention"), "head")]]
    for problem in page.problems:
        lines += _problem(problem, paper)
    return lines


def _problem(problem: Problem, paper: Paper) -> list[Line]:
    style = SEVERITIES.get(problem.severity, "warn")
    if paper.columns(problem.title) > LONG_TITLE:
        first, *more = wrapped(problem.title, paper.width - INDENT, paper)
        lines: list[Line] = [[(f"  {problem.count:>9}  {first}", style)]]
        lines += [[(" " * INDENT + part.strip(), style)] for part in more]
    else:
        lines = [[(f"  {problem.count:>9}  {problem.title}", style)]]
        if problem.section:
            lines[0].append((f"  -> {problem.section}", "faint"))
    indent = " " * INDENT
    for text, faint in ((problem.meaning, ""), (problem.advice, "head")):
        if text:
            lines += [
                [(indent + part.strip(), faint)] for part in wrapped(text, paper.width - len(indent), paper)
            ]
    lines += [[(indent + paper.fit(line, paper.width - len(indent)), "faint")] for line in problem.samples]
    if problem.evidence:
        # Whole, to be copied; the last line of the report tells the rest of the command.
        lines.append([(indent + _option(problem.evidence), "faint")])
    return lines


def _option(command: str) -> str:
    """``--evidence`` of a command, with its value."""
    words = command.split(" ")
    at = words.index(EVIDENCE)
    return " ".join(words[at : at + 2])


def wrapped(text: str, width: int, paper: Paper) -> list[str]:
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


def _section(section: Table, paper: Paper, tr: Translator) -> list[Line]:
    rows = section.rows
    words = []
    for place, label in enumerate(section.labels):
        cells = [row.labels[place] for row in rows]
        if label.unit == "hour" and len({cell[:10] for cell in cells}) == 1:
            cells = [cell[11:] for cell in cells]
        words.append(Column(label.title, cells))
    numbers = [
        Column(
            number.title,
            [row.figures[place] for row in rows],
            right=True,
            style=STYLES.get(number.name, ""),
        )
        for place, number in enumerate(section.numbers)
    ]
    if section.kind == HEATMAP:
        columns = [*words, _shades(section)]
    elif section.timed:
        columns = words + numbers + ([_bars(section)] if paper.width >= WIDE else [])
    else:
        columns = [
            Column("", [str(row.number) for row in rows], right=True, style="faint"),
            *numbers,
            *words,
        ]
    heading: Line = [(section.title, "head")]
    if len(rows) < section.total:
        shown = tr("{n} of {total}", n=len(rows), total=figures.count(section.total))
        heading.append((f"  {shown}", "faint"))
    heading.append((f"  {section.name}", "faint"))
    return [heading, *table(columns, paper)]


def _shades(section: Table) -> Column:
    """A character for each hour; heads mark every sixth."""
    most = max((value for row in section.rows for value in row.values), default=0) or 1
    heads = "".join(f"{number.name:<6}" for number in section.numbers[::6])
    lines = ["".join(shade(value, most) for value in row.values) for row in section.rows]
    return Column(heads.rstrip(), lines, style="bar")


def _bars(section: Table) -> Column:
    place = min(1, len(section.numbers) - 1)
    values = [row.values[place] or 0 for row in section.rows]
    most = max(values, default=0) or 1
    return Column("", ["#" * round(BAR * value / most) for value in values], style="bar")


def written(report: dict[str, Any], tr: Translator, paper: Paper) -> bytes:
    """The report without colours."""
    return plain(render(report, paper, tr)).encode()
