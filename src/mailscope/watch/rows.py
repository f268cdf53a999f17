"""Findings as rows of the store's table, and back."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Final

import polars as pl

from mailscope.language.phrase import Phrase, Told
from mailscope.recognise.engine import DTYPES
from mailscope.vocabulary.tables import FINDINGS
from mailscope.watch.finding import Finding, Line

KINDS: Final[dict[str, pl.DataType | type[pl.DataType]]] = {
    **DTYPES,
    "time": pl.Datetime("us"),
    "bool": pl.Boolean,
}
SCHEMA: Final = {column.name: KINDS[column.kind] for column in FINDINGS.columns}
PLAIN: Final = (
    "id", "detection", "severity", "first_time", "last_time", "found_time", "over_time", "score", "signals",
    "episodes", "subjects", "closed",
)  # fmt: skip


def to_rows(findings: Iterable[Finding]) -> pl.DataFrame:
    """Rows of ``findings``."""
    rows = []
    for finding in findings:
        told = finding.plain()
        phrases = [_phrase(each) for each in (finding.title, *finding.reasons)]
        rows.append(
            {name: getattr(finding, name) for name in PLAIN}
            | {"title": str(finding.title)}
            | {name: _json(told[name]) for name in ("subject", "figures", "reasons", "lines")}
            | {"phrases": _json(phrases)}
        )
    return pl.DataFrame(rows, schema=SCHEMA, orient="row")


def from_row(row: Mapping[str, Any]) -> Finding:
    """A finding, as it was stored."""
    title, reasons = phrases(row)
    return Finding(
        **{name: row[name] for name in PLAIN},
        title=title,
        subject=json.loads(row["subject"]),
        figures=json.loads(row["figures"]),
        reasons=reasons,
        lines=tuple(
            Line(each["source"], each["line_number"], _instant(each["time"]), each["raw"])
            for each in json.loads(row["lines"])
        ),
    )


def phrases(row: Mapping[str, Any]) -> tuple[Phrase, tuple[Phrase, ...]]:
    """Title and reasons of a stored finding, to be told in any language."""
    title, *reasons = (_told(each) for each in json.loads(row["phrases"]))
    return title, tuple(reasons)


def _phrase(phrase: Phrase) -> list[Any]:
    if isinstance(phrase, Told):
        return [phrase.template, {}, dict(phrase.translations)]
    values = {
        name: {"phrase": _phrase(value)} if isinstance(value, Phrase) else value
        for name, value in phrase.values.items()
    }
    return [phrase.template, values]


def _told(kept: list[Any]) -> Phrase:
    template, values, *translations = kept
    if translations:
        return Told(template, translations[0])
    made = {
        name: _told(value["phrase"]) if isinstance(value, dict) else value for name, value in values.items()
    }
    return Phrase(template, **made)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)
