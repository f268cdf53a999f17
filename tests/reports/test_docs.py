"""docs/report.md names every section and number; `make bless` writes the table."""

from __future__ import annotations

import os
from pathlib import Path

from mailscope.reports.sections import SECTIONS

DOCUMENT = Path(__file__).parents[2] / "docs" / "report.md"
BEGIN = "<!-- sections: written by `make bless` -->\n"
END = "<!-- end of sections -->\n"


def sections() -> str:
    lines = ["| Section | Rows by | Numbers | Meaning |", "|---|---|---|---|"]
    for section in SECTIONS:
        labels = ", ".join(f"`{label.name}`" for label in section.labels)
        numbers = ", ".join(f"`{number.name}`" for number in section.numbers)
        meaning = " ".join(section.meaning.split())
        lines.append(f"| `{section.name}` | {labels} | {numbers} | {meaning} |")
    return "\n".join(lines) + "\n"


def test_sections_are_documented() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    head, _, rest = text.partition(BEGIN)
    table, _, tail = rest.partition(END)
    if os.environ.get("MAILSCOPE_BLESS"):
        DOCUMENT.write_text(head + BEGIN + sections() + END + tail, encoding="utf-8")
    else:
        assert table == sections()
