"""The report in Markdown, with tables, for an issue, a wiki or a chat.

Text of the log stands in code spans, where nothing is markup; a bar within a table is escaped there too.

Source: GitHub Flavored Markdown 0.29: code spans (6.3), backslash escapes (6.1), tables (4.10).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Final

from mailscope.language.translator import Translator
from mailscope.reports import figures
from mailscope.reports.document import Problem, Table, document
from mailscope.reports.layout import Paper

# More columns of one cell than anyone reads; an ellipsis says that some are missing.
LONGEST: Final = 300
_MARKUP: Final = re.compile(r"([\\`*_{}\[\]<>|#~!&])")
_FENCES: Final = re.compile("`+")


def written(report: dict[str, Any], tr: Translator, paper: Paper) -> bytes:
    """The report."""
    page = document(report, tr, paper.safe)
    lines = [f"# {plain(page.title)}", ""]
    lines += [f"{line}  " for line in (plain(page.period), code(page.sources, paper)) if line]
    lines += ["", *_table([figure.name for figure in page.headline], [[f.shown for f in page.headline]], 0)]
    lines += ["", *_problems(page.problems, tr, paper)]
    for table in page.tables:
        lines += ["", *_section(table, tr, paper)]
    lines += ["", f"## {plain(tr('Balance sheet'))}", ""]
    for block in page.balance:
        rows = [[("– " * figure.level) + plain(figure.name), figure.shown] for figure in block if figure]
        lines += [*_table(rows[0], rows[1:], 1), ""]
    lines += [plain(sentence) for sentence in page.wrong or [tr("All sums add up.")]]
    for note in page.notes:
        lines += ["", plain(note)]
    return ("\n".join(lines) + "\n").encode()


def _problems(problems: Sequence[Problem], tr: Translator, paper: Paper) -> Iterator[str]:
    if not problems:
        yield plain(tr("Nothing wants attention."))
        return
    yield f"## {plain(tr('Wants attention'))}"
    yield ""
    for problem in problems:
        yield f"- **{problem.count}** {plain(problem.title)} ({plain(problem.grade)})"
        yield from (f"  {plain(text)}" for text in (problem.meaning, problem.advice) if text)
        yield from (f"  - {code(line, paper)}" for line in (*problem.samples, problem.evidence) if line)


def _section(table: Table, tr: Translator, paper: Paper) -> Iterator[str]:
    yield f"## {plain(table.title)}"
    yield ""
    yield plain(table.meaning)
    yield ""
    heads = [*(column.title for column in table.labels), *(column.title for column in table.numbers)]
    rows = [
        [
            *(
                plain(label) if column.ours or not label else code(label, paper)
                for column, label in zip(table.labels, row.labels, strict=True)
            ),
            *row.figures,
        ]
        for row in table.rows
    ]
    if not table.timed:
        heads = ["#", *heads]
        rows = [[str(row.number), *cells] for row, cells in zip(table.rows, rows, strict=True)]
    yield from _table(heads, rows, len(heads) - len(table.numbers))
    if len(table.rows) < table.total:
        yield ""
        yield tr("{n} of {total}", n=len(table.rows), total=figures.count(table.total))
    if table.evidence:
        yield ""
        yield code(table.evidence, paper)


def _table(heads: Sequence[str], rows: Sequence[Sequence[str]], words: int) -> Iterator[str]:
    """A table whose first columns, so many of them, are words."""
    yield "| " + " | ".join(plain(head) for head in heads) + " |"
    yield "|" + " --- |" * words + " ---: |" * (len(heads) - words)
    for row in rows:
        yield "| " + " | ".join(row) + " |"


def plain(text: str) -> str:
    """A text of ours, in which nothing is markup."""
    return _MARKUP.sub(r"\\\1", " ".join(text.split()))


def code(text: str, paper: Paper) -> str:
    """Text of the log, as it is."""
    if not text:
        return ""
    text = paper.fit(text, LONGEST)
    longest = max((len(run) for run in _FENCES.findall(text)), default=0)
    fence = "`" * (longest + 1)
    gap = " " if longest or text != text.strip() else ""
    return f"{fence}{gap}{text}{gap}{fence}".replace("|", "\\|")
