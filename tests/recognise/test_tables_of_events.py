"""Tables of events: those of kinds that a chunk lacks have the same columns as others, so that they join."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from running import pipeline, source

from mailscope.recognise.events import CORE, Events

LINES = (
    "Mar  2 10:00:00 mail postfix/smtpd[10]: warning: x[192.0.2.66]: SASL LOGIN authentication failed: bad",
    "Mar  2 10:00:01 mail postfix/qmgr[11]: 4B5C61F00D: removed",
)


def events_of(path: Path, *lines: str) -> Events:
    path.write_text("".join(f"{line}\n" for line in lines))
    [[events]] = pipeline([source(path)]).batches()
    return events


@pytest.mark.parametrize("core", [False, True, CORE, ("service",), ("host", "pid")])
def test_tables_with_and_without_rows_have_the_same_columns(
    tmp_path: Path, core: bool | tuple[str, ...]
) -> None:
    events = [events_of(tmp_path / f"{number}.log", line) for number, line in enumerate(LINES)]
    full, empty = (each.table(["login_failed"], ["client_ip", "user"], core=core) for each in events)
    assert (len(full), len(empty)) == (1, 0)
    assert full.schema == empty.schema
    assert len(pl.concat([empty, full])) == 1
