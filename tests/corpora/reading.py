"""Lines read by the real intake and engine, one dictionary per record, for the tests of this folder."""

from __future__ import annotations

import json
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from mailscope.exports.choice import Choice
from mailscope.exports.forms.own import json_lines
from mailscope.intake.lines import parse_lines
from mailscope.intake.reader import Source
from mailscope.intake.sources import Sources
from mailscope.pipeline import Pipeline
from mailscope.recognise.engine import Engine
from mailscope.recognise.library import Library, shipped
from mailscope.recognise.recognised import Recognised

LIBRARY: Final = Library(shipped())
ENGINE: Final = Engine(LIBRARY)
SHARED: Final = Path(__file__).parents[3] / "shared"

Record = dict[str, Any]


def folder(name: str) -> Path:
    """A folder beside this project that is not a part of it; the test is skipped where it is absent."""
    path = SHARED / name
    if not path.is_dir():
        pytest.skip(f"{path} is not there", allow_module_level=True)
    return path


def corpora() -> Path:
    """The folder of corpora."""
    return folder("corpora")


def cases(name: str) -> list[Record]:
    """The lines of a corpus with what is expected of them."""
    lines = (corpora() / name / "cases.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


def events(data: bytes, now: datetime, zone: str = "UTC") -> list[Record]:
    """What ``mailscope events`` gives for a log."""
    sources = Sources(
        [Source("-", "-", "-", 0, None, None, "none")], ZoneInfo(zone), now, stdin=BytesIO(data)
    )
    return [
        json.loads(line)
        for batch in Pipeline(sources, LIBRARY).batches()
        for line in json_lines(batch, Choice())
    ]


def recognise(line: str) -> list[Record]:
    """The records of one log line: program, event, and exactly the fields that the pattern gives."""
    header = parse_lines(line.encode()).header
    return _records(ENGINE.recognise(header.tag, header.text))


def recognise_text(program: str, text: str) -> list[Record]:
    """The same for a text without a header."""
    return _records(ENGINE.recognise(pl.Series([f"{program}[1]"]), pl.Series([text])))


def _records(recognised: Recognised) -> list[Record]:
    found: dict[int, Record] = {}
    for part in recognised.parts:
        for row in part.frame.iter_rows(named=True):
            fields = dict(part.pattern.constants)
            fields |= {name: value for name, value in row.items() if name != "row" and value is not None}
            found[row["row"]] = {"event": part.pattern.event, "fields": fields}
    for row in recognised.unrecognised:
        found[row] = {"event": "unrecognised", "fields": {}}
    program = recognised.tags["program"].gather(recognised.tag_code)
    return [{"program": program[row], **found[row]} for row in sorted(found)]


def is_covered(program: str | None) -> bool:
    """Whether patterns read lines of this program."""
    return LIBRARY.reading(program or "") is not None
