"""The report as JSON, in ASCII, so that no terminal acts on what a log holds.

Names and words of ours stay as ``docs/json.md`` has them in every language; what is there for people (titles,
meanings, problems, advice) is told in the language asked for.
"""

from __future__ import annotations

import json
from typing import Any, Final

from mailscope.language.phrase import Phrase
from mailscope.language.translator import Translator
from mailscope.reports.layout import Paper

# What is there for people to read, wherever it stands.
FOR_PEOPLE: Final = frozenset({"title", "meaning", "what", "advice"})


def written(report: dict[str, Any], tr: Translator, paper: Paper) -> bytes:
    """The report as one JSON object."""
    return text(report, tr)


def text(report: dict[str, Any], tr: Translator) -> bytes:
    """The same, which needs no paper."""
    told = _told({**report, "language": tr.language}, tr)
    return (json.dumps(told, indent=1, ensure_ascii=True).replace("\x7f", "\\u007f") + "\n").encode("ascii")


def _told(data: Any, tr: Translator, key: str = "") -> Any:
    """The same data with texts for people in their language."""
    if isinstance(data, dict):
        # A section has rows of log text, whatever its columns are called.
        return {name: value if name == "rows" else _told(value, tr, name) for name, value in data.items()}
    if isinstance(data, list):
        return [_told(value, tr, key) for value in data]
    return tr(data) if isinstance(data, Phrase) or (isinstance(data, str) and key in FOR_PEOPLE) else data
