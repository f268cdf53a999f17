"""A mistake of ours in taking lines apart costs their fields, not the lines, and not the daemon."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from running import library

from mailscope.daemon.service import Service
from mailscope.intake.live import Arrival
from mailscope.recognise.engine import Engine
from mailscope.store.database import Database
from mailscope.store.following import StoreTracker

NOW = datetime.now(UTC).isoformat(timespec="seconds")
GOOD = f"{NOW} mx postfix/qmgr[7]: 4B5C8120A3: removed\n".encode()
BAD = f"{NOW} mx postfix/qmgr[7]: 4B5C8120A4: removed\n".encode()


class Given:
    """A feed that gives what it was given."""

    def __init__(self, *pieces: bytes) -> None:
        self.waiting = [Arrival("log", piece, resume={"n": number}) for number, piece in enumerate(pieces)]
        self.told: list[Arrival] = []

    def take(self, limit_bytes: int) -> Sequence[Arrival]:
        return [self.waiting.pop(0)] if self.waiting else []

    def stored(self, arrivals: Sequence[Arrival]) -> None:
        self.told += arrivals

    def problems(self) -> Sequence[str]:
        return ()

    def end(self) -> bool:
        return False

    def close(self) -> None:
        return


@pytest.mark.parametrize("where", ["recognise", "feed"])
def test_lines_are_kept_although_taking_them_apart_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    owner = Engine if where == "recognise" else StoreTracker
    before = getattr(owner, where)

    def fails(self: Any, *given: Any) -> object:
        if where == "recognise":
            hit = self.library.programs and any("4B5C8120A4" in text for text in given[1])
        else:
            hit = any(events.parts and "4B5C8120A4" in line for events in given[0] for line in events.raw)
        if hit:
            raise IndexError("list index out of range")
        return before(self, *given)

    monkeypatch.setattr(owner, where, fails)
    said: list[str] = []
    feed = Given(GOOD, BAD, GOOD.replace(b"120A3", b"120A5"))
    service = Service(lambda: Database(tmp_path / "store"), library(), ZoneInfo("UTC"), [feed], said.append)
    for _ in range(8):
        service.step()
    rows = service.database.connection.execute("select event, raw from events order by batch").fetchall()
    assert [event for event, _ in rows] == ["removed", "unrecognised", "removed"]
    assert rows[1][1].encode() + b"\n" == BAD
    assert len(feed.told) == 3
    assert any("IndexError" in words for words in said)
    service.stop()
