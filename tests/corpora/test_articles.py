"""Every sample line of the articles is read into the right event and fields."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from reading import recognise

LINES: Final[list[dict[str, Any]]] = tomllib.loads(
    (Path(__file__).parents[1] / "data" / "articles.toml").read_text(encoding="utf-8")
)["line"]


@pytest.mark.parametrize("line", LINES, ids=[f"{n}-{line['article']}" for n, line in enumerate(LINES)])
def test_article_line(line: dict[str, Any]) -> None:
    expected = line.get("events") or [{name: line[name] for name in ("program", "event", "fields")}]
    assert recognise(line["text"]) == expected


def test_all_lines_are_there() -> None:
    assert len(LINES) > 100
