"""Only the lines of a span of time, or of some hosts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest
from running import library, pipeline, source

from mailscope.pipeline import Pipeline
from mailscope.sequence.selection import Selection

LINES = b"""\
Nov 20 00:00:01 mx1 postfix/qmgr[1]: 4FA1B2C3D4: removed
Nov 20 00:00:02 MX2 postfix/qmgr[1]: 4FA1B2C3D5: removed
Nov 20 00:00:03 mx1 unknown: x

Nov 20 00:00:04 mx3 postfix/qmgr[1]: 4FA1B2C3D6: removed
"""
ALL = [1, 2, 3, 5]


def selected(tmp_path: Path, selection: Selection, chunk_bytes: int = 1 << 20) -> list[int]:
    """Numbers of the lines that are left."""
    path = tmp_path / "mail.log"
    path.write_bytes(LINES)
    flow = Pipeline(pipeline([source(path)], chunk_bytes=chunk_bytes).sources, library(), None, selection)
    left: list[int] = []
    for batch in flow.batches():
        for events in batch:
            rows = [row for part in events.parts for row in part.frame["row"]] + events.unrecognised.to_list()
            assert len(rows) == events.read
            left += [events.number[row] for row in sorted(rows)]
    return left


def at(second: int) -> datetime:
    return datetime(2026, 11, 20, 0, 0, second)


@pytest.mark.parametrize("chunk_bytes", [1, 100, 1 << 20])
@pytest.mark.parametrize(
    ("selection", "wanted"),
    [
        (Selection(), ALL),
        (Selection(since=at(2)), [2, 3, 5]),
        (Selection(until=at(2)), [1]),
        (Selection(at(2), at(4)), [2, 3]),
        (Selection(at(5)), []),
        (Selection(hosts=["mx1"]), [1, 3]),
        (Selection(hosts=["mx2", "MX3"]), [2, 5]),
        (Selection(hosts=["mx"]), []),
        (Selection(at(2), hosts=["mx1"]), [3]),
    ],
)  # fmt: skip
def test_selection(tmp_path: Path, selection: Selection, wanted: list[int], chunk_bytes: int) -> None:
    assert selected(tmp_path, selection, chunk_bytes) == wanted


def test_a_log_of_one_host(tmp_path: Path) -> None:
    """Its name is one value for the whole chunk, or none at all."""
    path = tmp_path / "one.log"
    for data, hosts in (
        (b"Nov 20 00:00:01 mx1 a[1]: x\n" * 3, ["mx1"]),
        (b"@400000006b02667100000000 x\n" * 3, []),
    ):
        path.write_bytes(data)
        for wanted in (["mx1"], ["mx2"]):
            flow = Pipeline(pipeline([source(path)]).sources, library(), None, Selection(hosts=wanted))
            read = sum(events.read for batch in flow.batches() for events in batch)
            assert read == (3 if wanted == hosts else 0)
